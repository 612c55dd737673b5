"""Ask a model once: from the cache, or from a provider, with every call in the ledger."""

from __future__ import annotations

import asyncio
import os

from . import ledger
from .attempt import Reader
from .attempts import Attempts
from .connection import give_back
from .exceptions import InvalidRequest
from .flights import SingleFlight
from .image_fetch import afetched, fetched
from .types import Completion, CompletionRequest


def as_text(text: str) -> str:
    """The Reader of a verb to which every text is an answer."""
    return text


def complete(request: CompletionRequest, read: Reader = as_text) -> Completion:
    """Answer `request`. Raises an AgentError where there is no answer that `read` accepts."""
    refuse_event_loop()
    attempts = Attempts(fetched(request), read)
    with SingleFlight(attempts, read) as flight:
        if earlier := flight.follow():
            return earlier
        give_back()
        for attempt in attempts:
            with attempt:
                if attempts.has_turned and (earlier := flight.find(attempt.request)):
                    return flight.land(attempts.reused(earlier))
                with ledger.entry(attempt):
                    attempt.ask()
        completion = attempts.completion()
        flight.keep(attempts.answered, completion)
        return flight.land(completion)


async def acomplete(request: CompletionRequest, read: Reader = as_text) -> Completion:
    """`complete()` on an event loop."""
    attempts = Attempts(await afetched(request), read)
    async with SingleFlight(attempts, read) as flight:
        if earlier := await flight.afollow():
            return earlier
        async for attempt in attempts:
            with attempt:
                if attempts.has_turned and (earlier := await flight.afind(attempt.request)):
                    return flight.land(attempts.reused(earlier))
                async with ledger.aentry(attempt):
                    await attempt.aask()
        completion = attempts.completion()
        await flight.akeep(attempts.answered, completion)
        return flight.land(completion)


def refuse_event_loop() -> None:
    """Before anything is spent: Django lets nobody write to the ledger on an event loop. Raises InvalidRequest."""
    if is_on_event_loop() and not os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE"):
        raise InvalidRequest("called on an event loop: await the function whose name begins with 'a'")


def is_on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
