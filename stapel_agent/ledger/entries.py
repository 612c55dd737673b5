"""Writes PromptLog: inserts a row before each attempt and closes it afterwards.

Also inserts rows for external calls that are over. `privacy.scrubbing` removes texts from rows later.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from functools import partial
from uuid import UUID

from django.db import IntegrityError, OperationalError, connections, transaction

from stapel_agent import telemetry
from stapel_agent.asking import Attempt
from stapel_agent.budgets import (
    AccountsMissing,
    Budget,
    Estimate,
    budgets_of,
    charging,
    estimated,
    is_reserved,
    make_accounts,
    reserve,
    settling,
    sweep_reservations,
)
from stapel_agent.conf import agent_settings
from stapel_agent.database import (
    in_background,
    is_test_run,
    ledger_transaction,
    on_ledger,
    prepare_background,
    stored_now,
    uncancelled,
    wait_for_own_work,
)
from stapel_agent.exceptions import LedgerUnavailable, OverBudget
from stapel_agent.models import PromptLog, PromptStatus
from stapel_agent.prices import aload
from stapel_agent.redaction import describe

from . import columns
from .costs import forget_estimate, set_estimate
from .heartbeat import beating
from .notifications import aannounce, announce, announce_later, closed_late

logger = logging.getLogger(__name__)

CLOSING_SECONDS = 1.0
EXIT_SECONDS = 2.0
DROPPED = frozenset({1153, 2006, 2013, 2020})
"""MySQL's error numbers for a packet that is too large, and for the connection that such a packet may end."""

# Rows that could not be closed; closing a later row retries them. Rows that overflow are in the log.
_unclosed: deque[PromptLog] = deque(maxlen=100)
os.register_at_fork(after_in_child=_unclosed.clear)  # the parent closes them


@contextmanager
def entry(attempt: Attempt) -> Iterator[None]:
    """Opens the row of an attempt on entry and closes it on exit.

    Raises LedgerUnavailable or OverBudget on entry.
    """
    row, opening = _pending(attempt)
    try:
        with _opening(row, attempt):
            refusal = on_ledger(opening, timeout=attempt.request.deadline.left)
        with _under_way(row, attempt, refusal):
            yield
    finally:
        if not row._state.adding:
            with _closing(row, attempt) as closed:
                on_ledger(partial(_update, row, closed), timeout=_closing_seconds(attempt))
            announce(closed, timeout=attempt.request.deadline.left)


@asynccontextmanager
async def aentry(attempt: Attempt) -> AsyncIterator[None]:
    """`entry()` on an event loop. A cancelled caller leaves after the row is closed."""
    await aload(attempt.provider.vendor)
    row, opening = _pending(attempt)
    try:
        with _opening(row, attempt):
            refusal = await uncancelled(opening, timeout=attempt.request.deadline.left)
        with _under_way(row, attempt, refusal):
            yield
    finally:
        if not row._state.adding:
            with _closing(row, attempt) as closed:
                closing = partial(_update, row, closed)
                if isinstance(sys.exception(), GeneratorExit):  # the loop has ended, so nothing can be awaited
                    in_background(closing).add_done_callback(lambda done: announce_later(closed))
                else:
                    await uncancelled(closing, timeout=_closing_seconds(attempt))
            await aannounce(closed, timeout=attempt.request.deadline.left)


def record(row: PromptLog) -> UUID:
    """Inserts a complete row. Raises LedgerUnavailable."""
    with _recording(row):
        on_ledger(partial(_insert_charged, row))
    telemetry.count_call(columns.finished(row))
    announce([row])
    return row.pk


async def arecord(row: PromptLog) -> UUID:
    """`record()` on an event loop. A cancelled caller leaves after the row is written."""
    with _recording(row):
        await uncancelled(partial(_insert_charged, row))
    telemetry.count_call(columns.finished(row))
    await aannounce([row])
    return row.pk


def sweep() -> None:
    """Releases the budget reservations of calls that are over."""
    on_ledger(sweep_reservations)


def _pending(attempt: Attempt) -> tuple[PromptLog, Callable[[str], OverBudget | None]]:
    """Returns the row for an upcoming attempt, and the function that opens it."""
    row, estimate = columns.pending(attempt), _estimate(attempt)
    set_estimate(row, estimate)
    return row, partial(_open, row, estimate)


def _estimate(attempt: Attempt) -> Estimate:
    """Estimates the cost of a call. Unreadable prices stop the call only if budgets depend on them."""
    try:
        return estimated(attempt.request, attempt.provider.vendor)
    except Exception as fault:
        if agent_settings.BUDGETS:
            raise
        logger.error("cannot estimate the cost of a call to provider %r: %s", attempt.request.provider, describe(fault))
        return Estimate(is_priced=False)


@contextmanager
def _under_way(row: PromptLog, attempt: Attempt, refusal: OverBudget | None) -> Iterator[None]:
    """Surrounds the call of an open row. Raises the refusal, if any."""
    if refusal is not None:
        attempt.fail(refusal)
        raise refusal
    with beating(row):
        yield


def _open(row: PromptLog, estimate: Estimate, alias: str) -> OverBudget | None:
    """Inserts the row of a call and reserves its estimated cost. Returns the error if a budget has no room."""
    if not agent_settings.BUDGETS:
        _insert(row, alias)
        return None
    try:
        limits = budgets_of(row)
    except OverBudget as refusal:
        _insert(row, alias)
        return refusal
    return _insert_reserved(row, estimate, limits, alias)


def _insert_reserved(row: PromptLog, estimate: Estimate, limits: Sequence[Budget], alias: str) -> OverBudget | None:
    try:
        with ledger_transaction(alias):
            _save(row, alias)
            return reserve(row, estimate, limits, alias)
    except AccountsMissing as first_call:
        row._state.adding = True
        make_accounts(first_call.accounts, alias)
        return _insert_reserved(row, estimate, limits, alias)
    except IntegrityError:
        if not _has_arrived(row, alias):
            raise
        with ledger_transaction(alias):
            return None if is_reserved(row.pk, alias) else reserve(row, estimate, limits, alias)
    except BaseException:
        row._state.adding = True
        raise


def _insert_charged(row: PromptLog, alias: str) -> None:
    try:
        with charging(row, alias):
            _save(row, alias)
    except IntegrityError:
        if not _has_arrived(row, alias):
            raise


def _insert(row: PromptLog, alias: str) -> None:
    try:
        _save(row, alias)
    except IntegrityError:
        if not _has_arrived(row, alias):
            raise


def _save(row: PromptLog, alias: str) -> None:
    """Inserts a row. Raises IntegrityError if an earlier try inserted it and then lost its connection.

    The primary key ensures this except in a table that is partitioned by `created_at`, which changes with each try.
    """
    if row.created_at is not None and _has_arrived(row, alias):
        raise IntegrityError(f"row {row.pk} already exists")
    if not is_test_run():  # a test may set the host's clock and count its queries
        row.opened_at = stored_now(alias)  # type: ignore[attr-defined]
    row.save(force_insert=True, using=alias)


def _has_arrived(row: PromptLog, alias: str) -> bool:
    """Whether the row exists although its insert failed: the connection may have been lost after the insert."""
    if connections[alias].needs_rollback:  # no query is possible here, and there was no earlier try
        return False
    row._state.adding = not PromptLog.objects.using(alias).filter(pk=row.pk).exists()
    return not row._state.adding


def _update(row: PromptLog, closed: list[PromptLog], alias: str) -> None:
    if not _write(row, alias):
        logger.error("ledger row %s (%s) was deleted while its call was running", row.pk, _spent(row))
    closed[:] = [row]
    if _unclosed:
        _close_left_over(alias)


def _closing_seconds(attempt: Attempt) -> float | None:
    """Returns the time left for the request, but at least CLOSING_SECONDS, enough to close most timed-out calls."""
    left = attempt.request.deadline.left
    return None if left is None else max(left, CLOSING_SECONDS)


def _write_outcome(row: PromptLog, alias: str) -> int:
    with settling(row, alias):
        found = PromptLog.objects.using(alias).filter(pk=row.pk)
        return found.filter(scrubbed_at=None).update(**columns.outcome(row)) or found.update(
            **columns.scrubbed_outcome(row)
        )


def _write(row: PromptLog, alias: str) -> int:
    """Calls `_write_outcome()`, without the text if it is larger than the database accepts."""
    try:
        return _write_outcome(row, alias)
    except OperationalError as fault:
        if not _is_too_long(row, fault, alias):
            raise
    connections[alias].close()
    shortened = columns.without_text(row)
    found = _write_outcome(shortened, alias)
    row.response, row.metadata = shortened.response, shortened.metadata
    logger.error("ledger row %s (%s) has no text: it is larger than the database accepts", row.pk, _spent(row))
    return found


def _is_too_long(row: PromptLog, fault: Exception, alias: str) -> bool:
    """Whether the text is too long for MySQL or MariaDB, which then drops the connection twice in a row."""
    connection = connections[alias]
    is_dropped = next(iter(getattr(fault.__cause__, "args", ())), None) in DROPPED and not connection.in_atomic_block
    if not (connection.vendor == "mysql" and is_dropped and columns.is_long(row)):
        return False
    mark = object()
    return vars(row).setdefault("_was_dropped", mark) is not mark


def _close_later(row: PromptLog) -> None:
    _unclosed.append(row)
    prepare_background()


def _close_left_over(alias: str) -> None:
    """Tries to close each unclosed row again. A row that fails again waits for the next call."""
    for _ in range(len(_unclosed)):
        with suppress(IndexError):  # another thread took it
            row = _unclosed.popleft()
            # An error must not end the caller's transaction. Outside a transaction, Django may reconnect.
            block = transaction.atomic(alias) if connections[alias].in_atomic_block else nullcontext()
            try:
                with block:
                    found = _write(row, alias)
            except Exception:
                _unclosed.append(row)
                return
            if found or not row._state.adding:  # otherwise it was never inserted: nothing to announce
                closed_late(row)


@atexit.register
def _close_at_exit() -> None:
    """Tries once more to close rows, for at most EXIT_SECONDS: the database may be down."""
    wait_for_own_work(EXIT_SECONDS)
    if _unclosed:
        with suppress(Exception):
            in_background(_close_left_over).result(EXIT_SECONDS)
            announce_later([])


@contextmanager
def _opening(row: PromptLog, attempt: Attempt) -> Iterator[None]:
    """Converts any error to LedgerUnavailable. A row that may still be inserted is closed later."""
    try:
        yield
    except Exception as fault:
        unavailable = LedgerUnavailable(
            f"the ledger cannot be written to ({type(fault).__name__}), so no provider was called: "
            "see that its database answers and is migrated"
        )
        if isinstance(fault, TimeoutError):
            row.status, row.error_message = PromptStatus.ERROR, str(unavailable)
            row.metadata = {**(row.metadata or {}), "failure": unavailable.failure}
            forget_estimate(row)
            _close_later(row)
        logger.error("cannot write the ledger row, so no provider is called: %s", describe(fault))
        raise unavailable from None
    except BaseException:
        if row._state.adding:
            columns.settle(row, attempt)
            _close_later(row)
        raise


@contextmanager
def _recording(row: PromptLog) -> Iterator[None]:
    try:
        yield
    except Exception as fault:
        logger.error("an external call (%s) could not be recorded: %s", _spent(row), describe(fault))
        kind = type(fault).__name__
        fix = "see that its database answers and is migrated"
        raise LedgerUnavailable(f"the ledger cannot be written to ({kind}): {fix}") from None


@contextmanager
def _closing(row: PromptLog, attempt: Attempt) -> Iterator[list[PromptLog]]:
    """Settles a row with the outcome of its attempt. Yields a list; put the row into it once it is closed.

    Errors are logged and not raised, because the answer is already paid for.
    """
    closed: list[PromptLog] = []
    try:
        columns.settle(row, attempt)
        telemetry.count_call(columns.finished(row))
        yield closed
    except BaseException as fault:
        if closed:
            announce_later(closed)
        else:
            _close_later(row)
        if not isinstance(fault, Exception):
            raise
        row_and_fault = (row.pk, _spent(row), describe(fault))
        logger.error("ledger row %s (%s) could not be closed and is tried again later: %s", *row_and_fault)


def _spent(row: PromptLog) -> str:
    return f"{row.input_tokens} input and {row.output_tokens} output tokens"
