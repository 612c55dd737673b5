"""Ask a model once: from the cache, or from a provider, with every call in the ledger."""

from __future__ import annotations

import asyncio
import os

from asgiref.sync import sync_to_async

from . import cache, ledger
from .attempts import Attempts, Reader
from .exceptions import InvalidRequest
from .types import Completion, CompletionRequest


def as_text(text: str) -> str:
    """The Reader of a verb to which every text is an answer."""
    return text


def complete(request: CompletionRequest, read: Reader = as_text) -> Completion:
    """Answer `request`. Raises an AgentError where there is no answer that `read` accepts."""
    _refuse_event_loop()
    attempts = Attempts(request, read)
    if earlier := cache.find(attempts.request, read):
        return earlier
    for attempt in attempts:
        with ledger.entry(attempt), attempt:
            attempt.take(attempt.provider.complete(**attempt.arguments))
    completion = attempts.completion()
    cache.keep(attempts.request, completion)
    return completion


async def acomplete(request: CompletionRequest, read: Reader = as_text) -> Completion:
    """`complete()` on an event loop."""
    attempts = Attempts(request, read)
    if earlier := await sync_to_async(cache.find)(attempts.request, read):
        return earlier
    for attempt in attempts:
        async with ledger.aentry(attempt):
            with attempt:
                async with asyncio.timeout(attempt.seconds):
                    answer = await attempt.provider.acomplete(**attempt.arguments)
                attempt.take(answer)
    completion = attempts.completion()
    await sync_to_async(cache.keep)(attempts.request, completion)
    return completion


def _refuse_event_loop() -> None:
    """Before anything is spent: Django lets nobody write to the ledger on an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    if not os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE"):
        raise InvalidRequest("called on an event loop: await the function whose name begins with 'a'")
