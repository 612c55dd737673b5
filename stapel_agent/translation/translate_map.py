"""Translate a map of texts of any size: split, reuse, protect, ask, check, ask again, merge."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from stapel_agent import cache
from stapel_agent.completion import acomplete, complete
from stapel_agent.conf import agent_settings
from stapel_agent.database import is_on_event_loop, refuse_event_loop, threads_are_greenlets
from stapel_agent.types import Completion, CompletionRequest

from .chunk import Chunk
from .event_loop_thread import on_side_loop
from .job import NOTHING, Job
from .translation_request import Texts


def translate(texts: Texts, request: CompletionRequest) -> Completion:
    """Return a completion with Translations as its `value`. Raises an AgentError if no text was translated."""
    if not texts.entries:
        return NOTHING
    refuse_event_loop()
    job = Job(texts, request)
    whole = job.whole()
    whole.take(cache.recall(whole.question()))
    _ask_each(job, job.chunks())
    _ask_each(job, job.second_questions())
    return job.completion()


def _ask_each(job: Job, chunks: Sequence[Chunk]) -> None:
    # Greenlets share one thread, so an event loop in one of them would block all others.
    may_run_loop = not is_on_event_loop() and not threads_are_greenlets()
    if len(chunks) > 1 and agent_settings.TRANSLATE_CONCURRENCY > 1 and may_run_loop:
        on_side_loop(_ask_all, job, chunks)
    else:
        for chunk in chunks:
            _ask(job, chunk)


async def atranslate(texts: Texts, request: CompletionRequest) -> Completion:
    """`translate()` on an event loop."""
    if not texts.entries:
        return NOTHING
    job = Job(texts, request)
    # In threads, because splitting, hashing or joining thousands of texts would block the event loop.
    whole = await asyncio.to_thread(job.whole)
    whole.take(await cache.arecall(await asyncio.to_thread(whole.question)))
    await _ask_all(job, job.chunks())
    await _ask_all(job, job.second_questions())
    return await asyncio.to_thread(job.completion)


def _ask(job: Job, chunk: Chunk) -> None:
    """Ask for the segments of a chunk until each has a translation or has failed."""
    chunk.take(cache.recall(chunk.question()))
    chunk = chunk.unknown()
    if not job.admits(chunk):
        return
    with chunk:
        job.take(chunk, complete(chunk.question(), chunk.read))
    for follow_up in job.follow_ups(chunk):
        _ask(job, follow_up)
    if joined := job.joined(chunk):
        cache.keep(chunk.question(), joined)


async def _ask_all(job: Job, chunks: Sequence[Chunk]) -> None:
    places = asyncio.Semaphore(agent_settings.TRANSLATE_CONCURRENCY)
    async with asyncio.TaskGroup() as group:
        for chunk in chunks:
            group.create_task(_aask(job, chunk, places))


async def _aask(job: Job, chunk: Chunk, places: asyncio.Semaphore) -> None:
    """`_ask()` on an event loop, as soon as the semaphore allows."""
    async with places:
        chunk.take(await cache.arecall(chunk.question()))
        chunk = chunk.unknown()
        if not job.admits(chunk):
            return
        with chunk:
            job.take(chunk, await acomplete(chunk.question(), chunk.read))
    async with asyncio.TaskGroup() as group:
        for follow_up in job.follow_ups(chunk):
            group.create_task(_aask(job, follow_up, places))
    if joined := job.joined(chunk):
        await cache.akeep(chunk.question(), joined)
