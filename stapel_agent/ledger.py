"""The only writer of PromptLog: one row for every attempt, there before the provider is called, closed afterwards."""

from __future__ import annotations

import atexit
import json
import logging
import traceback
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import IntegrityError, router, transaction
from django.utils import timezone

from .attempts import Attempt
from .conf import agent_settings
from .connection import aon_ledger, finished, on_ledger
from .exceptions import AgentError, AttemptCancelled, AttemptLost, LedgerUnavailable, ProviderBug, ProviderTimeout
from .models import PromptLog, PromptStatus
from .parsing import storable
from .redaction import redact

logger = logging.getLogger(__name__)

USER_ID_LENGTH = 64
LOST_BATCH = 500
LOST_MESSAGE = "lost: the process ended before the provider answered"

OUTCOME_FIELDS = (
    *("response", "status", "error_message", "metadata", "duration_ms"),
    *("input_tokens", "output_tokens", "thinking_tokens", "cache_read_tokens", "cache_write_tokens"),
)

# Rows that could not be closed; each is tried again beside later ones. What overflows has been logged.
_unclosed: deque[PromptLog] = deque(maxlen=100)


@contextmanager
def entry(attempt: Attempt) -> Iterator[None]:
    """Around an attempt: its row is there before, and closed after it. Raises LedgerUnavailable instead of entering."""
    row = _pending(attempt)
    with _needed():
        on_ledger(partial(_insert, row))
    try:
        yield
    finally:
        with _wanted(row, attempt):
            on_ledger(partial(_update, row))


@asynccontextmanager
async def aentry(attempt: Attempt) -> AsyncIterator[None]:
    """`entry()` on an event loop. A cancelled caller leaves when the row is closed."""
    row = _pending(attempt)
    try:
        with _needed():
            await finished(aon_ledger(partial(_insert, row)))
        yield
    finally:
        if not row._state.adding:
            with _wanted(row, attempt):
                await finished(aon_ledger(partial(_update, row)))


def close_lost(*, older_than: float | None = None, request_id: UUID | None = None) -> int:
    """Close the rows whose process ended in mid-call: those of one request, or all that are pending for too long.

    That is `older_than` seconds, by default those that an attempt may take. Returns how many there were.
    """
    age = timedelta(seconds=agent_settings.CLI_TIMEOUT if older_than is None else older_than)
    rows = PromptLog.objects.filter(status=PromptStatus.PENDING)
    rows = rows.filter(request_id=request_id) if request_id else rows.filter(created_at__lt=timezone.now() - age)
    closed = 0
    while batch := on_ledger(lambda alias: list(rows.using(alias)[:LOST_BATCH])):
        closed += sum(on_ledger(partial(_close_as_lost, row)) for row in batch)
    return closed


def _close_as_lost(row: PromptLog, alias: str) -> int:
    # Its process may close it at this very moment, and knows better.
    return (
        PromptLog.objects.using(alias)
        .filter(pk=row.pk, status=PromptStatus.PENDING)
        .update(
            status=PromptStatus.ERROR,
            error_message=LOST_MESSAGE,
            metadata={**(row.metadata or {}), "failure": AttemptLost.failure},
        )
    )


def _insert(row: PromptLog, alias: str) -> None:
    try:
        row.save(force_insert=True, using=alias)
    except IntegrityError:
        # The connection may have been lost after the row had arrived.
        if not PromptLog.objects.using(alias).filter(pk=row.pk).exists():
            raise
        row._state.adding = False


def _update(row: PromptLog, alias: str) -> None:
    row.save(update_fields=OUTCOME_FIELDS, using=alias)
    _close_left_over(alias)


def _close_left_over(alias: str) -> None:
    """Try each unclosed row once more; one that fails again waits for the next turn."""
    for _ in range(len(_unclosed)):
        with suppress(IndexError):  # another thread has taken it
            row = _unclosed.popleft()
            try:
                with transaction.atomic(alias):
                    row.save(using=alias)
            except Exception:
                _unclosed.append(row)
                return


@atexit.register
def _close_left_over_at_exit() -> None:
    if _unclosed:
        with suppress(Exception):
            _close_left_over(router.db_for_write(PromptLog))


@contextmanager
def _needed() -> Iterator[None]:
    try:
        yield
    except Exception as fault:
        logger.error("no row can be written, so no provider is called:\n%s", _told(fault))
        raise LedgerUnavailable(
            f"the prompt log cannot be written to ({type(fault).__name__}), so no provider was called: "
            "see that its database answers and is migrated"
        ) from None


@contextmanager
def _wanted(row: PromptLog, attempt: Attempt) -> Iterator[None]:
    """Around the closing of a row. A fault is logged and not raised: the answer is paid for."""
    _settle(row, attempt)
    try:
        yield
    except Exception as fault:
        _unclosed.append(row)
        spent = f"{row.input_tokens} input and {row.output_tokens} output tokens"
        logger.error("prompt log row %s (%s) could not be closed, and is tried again:\n%s", row.pk, spent, _told(fault))


def _told(fault: Exception) -> str:
    return redact("".join(traceback.format_exception(fault)))


def _pending(attempt: Attempt) -> PromptLog:
    request = attempt.request
    return PromptLog(
        request_id=request.request_id,
        source=request.source,
        model=storable(request.model)[:128],
        model_size=request.model_size[:16],
        prompt=request.message,
        system_prompt=request.system_prompt,
        status=PromptStatus.PENDING,
        user_id=_user_id(request.user_id),
        metadata=_metadata(attempt),
        cache_key=request.cache_key,
    )


def _settle(row: PromptLog, attempt: Attempt) -> None:
    """Write the outcome into `row`."""
    usage, error = attempt.usage, attempt.error
    if attempt.result is None and error is None:
        error = AttemptCancelled("cancelled")
    row.response = storable(attempt.text)
    row.status = _status(error)
    row.error_message = storable(str(error)) if error else None
    row.input_tokens = usage.input_tokens
    row.output_tokens = usage.output_tokens
    row.thinking_tokens = usage.thinking_tokens
    row.cache_read_tokens = usage.cache_read_tokens
    row.cache_write_tokens = usage.cache_write_tokens
    row.duration_ms = attempt.duration_ms
    row.metadata = _metadata(attempt, error)


def _status(error: AgentError | None) -> PromptStatus:
    match error:
        case None:
            return PromptStatus.SUCCESS
        case ProviderTimeout():
            return PromptStatus.TIMEOUT
        case ProviderBug() | AttemptCancelled():
            return PromptStatus.ERROR
        case _:
            return PromptStatus.FAILURE


def _user_id(user_id: str | None) -> str | None:
    """What the column can hold of any id: one that does not fit is cut, and told from others by its digest."""
    if user_id is None or (len(user_id) <= USER_ID_LENGTH and storable(user_id) == user_id):
        return user_id
    digest = sha256(user_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{storable(user_id)[: USER_ID_LENGTH - 33]}#{digest}"


def _metadata(attempt: Attempt, error: AgentError | None = None) -> dict[str, Any]:
    """Who was asked and how it failed, beside what the caller and the provider want kept."""
    request = attempt.request
    facts = {"provider": request.provider}
    if request.user_id != _user_id(request.user_id):
        facts["user_id"] = storable(request.user_id)
    if error:
        facts["failure"] = error.failure
    kept = attempt.result.metadata if attempt.result else {}
    return {**_as_json(kept), **_as_json(request.metadata), **facts}


def _as_json(value: Any) -> dict[str, Any]:
    """A foreign mapping as JSON that every database takes; what is no mapping or has no JSON form is dropped."""
    if not value:
        return {}
    try:
        plain = json.loads(json.dumps(dict(value), default=str, skipkeys=True), parse_constant=str)
    except Exception:
        logger.warning("metadata without a JSON form was dropped")
        return {}
    return storable(plain)  # type: ignore[no-any-return]
