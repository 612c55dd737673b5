"""The only writer of PromptLog: one row for every attempt, whatever came of it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import Any

from asgiref.sync import sync_to_async
from django.db import router, transaction

from .attempts import Attempt
from .exceptions import AttemptCancelled, ProviderBug, ProviderTimeout
from .models import PromptLog, PromptStatus
from .parsing import storable

logger = logging.getLogger(__name__)


@contextmanager
def entry(attempt: Attempt) -> Iterator[None]:
    """Around an attempt: write its row when it is over, also when an interrupt ends it."""
    try:
        yield
    finally:
        record(attempt)


@asynccontextmanager
async def aentry(attempt: Attempt) -> AsyncIterator[None]:
    """`entry()` on an event loop."""
    try:
        yield
    finally:
        await _finished(asyncio.ensure_future(sync_to_async(record)(attempt)))


async def _finished(writing: asyncio.Future[None]) -> None:
    """Wait until the row is written, however often the caller is cancelled meanwhile."""
    cancellation: asyncio.CancelledError | None = None
    while not writing.done():
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError as fault:
            cancellation = fault
    if cancellation is not None:
        raise cancellation


def record(attempt: Attempt) -> None:
    """Write the attempt's row. A fault is logged, not raised: the answer is paid for."""
    using = router.db_for_write(PromptLog)
    try:
        connection = transaction.get_connection(using)
        with transaction.atomic(using) if connection.in_atomic_block else nullcontext():
            _row(attempt).save(force_insert=True, using=using)
    except Exception as fault:
        spent = f"{attempt.usage.input_tokens} input and {attempt.usage.output_tokens} output tokens"
        logger.error("a prompt log row (%s) was not written: %s", spent, type(fault).__name__)


def _row(attempt: Attempt) -> PromptLog:
    request, usage = attempt.request, attempt.usage
    return PromptLog(
        request_id=request.request_id,
        source=request.source,
        model=storable(request.model)[:128],
        model_size=request.model_size[:16],
        prompt=request.message,
        system_prompt=request.system_prompt,
        response=storable(attempt.text),
        status=_status(attempt),
        error_message=storable(str(attempt.error)) if attempt.error else None,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        thinking_tokens=usage.thinking_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        duration_ms=attempt.duration_ms,
        user_id=request.user_id,
        metadata=_metadata(attempt),
        cache_key=request.cache_key,
    )


def _status(attempt: Attempt) -> PromptStatus:
    match attempt.error:
        case None:
            return PromptStatus.SUCCESS
        case ProviderTimeout():
            return PromptStatus.TIMEOUT
        case ProviderBug() | AttemptCancelled():
            return PromptStatus.ERROR
        case _:
            return PromptStatus.FAILURE


def _metadata(attempt: Attempt) -> dict[str, Any]:
    """Who was asked and how it failed, beside what the caller and the provider want kept."""
    facts = {"provider": attempt.request.provider}
    if attempt.error:
        facts["failure"] = attempt.error.failure
    kept = attempt.result.metadata if attempt.result else {}
    return {**_as_json(kept), **_as_json(attempt.request.metadata), **facts}


def _as_json(value: Any) -> dict[str, Any]:
    """A foreign mapping as JSON that every database takes; what is no mapping or has no JSON form is dropped."""
    try:
        plain = json.loads(json.dumps(dict(value), default=str, skipkeys=True), parse_constant=str)
    except Exception:
        logger.warning("metadata without a JSON form was dropped")
        return {}
    return storable(plain)  # type: ignore[no-any-return]
