"""Answers a request from the cache or from a provider, and records every call in the ledger."""

from __future__ import annotations

from . import ledger
from .asking import Attempts, Reader, as_text
from .database import give_back, refuse_event_loop
from .images import afetched, fetched
from .sharing import SingleFlight
from .types import Completion, CompletionRequest


def complete(request: CompletionRequest, read: Reader = as_text) -> Completion:
    """Answer `request`. Raises an AgentError if there is no answer that `read` accepts."""
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
