"""Writes PromptLog: inserts a row before each attempt and closes it afterwards.

Also inserts rows for external calls that are over. `privacy.scrubbing` removes texts from rows later.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from functools import partial
from uuid import UUID

from django.db import DataError, IntegrityError

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
)
from stapel_agent.conf import agent_settings
from stapel_agent.database import in_background, ledger_transaction, on_ledger, uncancelled
from stapel_agent.exceptions import LedgerUnavailable, OverBudget
from stapel_agent.models import PromptLog, PromptStatus
from stapel_agent.prices import aload
from stapel_agent.redaction import describe

from . import columns, row_statements
from .call_finished_signal import aannounce, announce, announce_later
from .cost_columns import forget_estimate, set_estimate
from .running_calls import renewing
from .unclosed_rows import close_interrupted, close_later, close_left_over

logger = logging.getLogger(__name__)

Refusal = OverBudget | None
"""The error of a budget without room for a call, if there is one."""


@contextmanager
def entry(attempt: Attempt) -> Iterator[None]:
    """Open the row of an attempt on entry and close it on exit.

    Raises LedgerUnavailable or OverBudget on entry.
    """
    row, opening = _pending(attempt)
    try:
        refusal = _begin(row, attempt, opening)
        with _under_way(row, attempt, refusal):
            yield
    finally:
        if not row._state.adding:
            _end(row, attempt)


@asynccontextmanager
async def aentry(attempt: Attempt) -> AsyncIterator[None]:
    """`entry()` on an event loop. A cancelled caller leaves after the row is closed."""
    await aload(attempt.vendor)
    row, opening = _pending(attempt)
    try:
        refusal = await _abegin(row, attempt, opening)
        with _under_way(row, attempt, refusal):
            yield
    finally:
        if not row._state.adding:
            await _aend(row, attempt)


def record(row: PromptLog) -> UUID:
    """Insert a complete row. Raises LedgerUnavailable."""
    with _recording(row):
        on_ledger(partial(_insert_charged, row))
    _count(row)
    announce([row])
    return row.pk


async def arecord(row: PromptLog) -> UUID:
    """`record()` on an event loop. A cancelled caller leaves after the row is written."""
    with _recording(row):
        await uncancelled(partial(_insert_charged, row))
    _count(row)
    await aannounce([row])
    return row.pk


def _pending(attempt: Attempt) -> tuple[PromptLog, Callable[[str], Refusal]]:
    """Return the row for an upcoming attempt, and the function that opens it."""
    row, estimate = columns.pending(attempt), _estimate(attempt)
    set_estimate(row, estimate)
    return row, partial(_open, row, estimate)


def _estimate(attempt: Attempt) -> Estimate:
    """Estimate the cost of a call. Unreadable prices stop the call only if budgets depend on them."""
    try:
        return estimated(attempt.request, attempt.vendor)
    except Exception as fault:
        if agent_settings.BUDGETS:
            raise
        logger.error("cannot estimate the cost of a call to provider %r: %s", attempt.request.provider, describe(fault))
        return Estimate(is_priced=False)


def _under_way(row: PromptLog, attempt: Attempt, refusal: Refusal) -> AbstractContextManager[None]:
    """Return what surrounds the call of an open row. Raises the refusal, if any."""
    if refusal is not None:
        attempt.fail(refusal)
        raise refusal
    return renewing(row)


def _begin(row: PromptLog, attempt: Attempt, opening: Callable[[str], Refusal]) -> Refusal:
    try:
        return on_ledger(opening, timeout=attempt.request.deadline.left)
    except BaseException as fault:
        raise _not_opened(row, attempt, fault) from None


async def _abegin(row: PromptLog, attempt: Attempt, opening: Callable[[str], Refusal]) -> Refusal:
    try:
        return await uncancelled(opening, timeout=attempt.request.deadline.left)
    except BaseException as fault:
        raise _not_opened(row, attempt, fault) from None


def _end(row: PromptLog, attempt: Attempt) -> None:
    closed: list[PromptLog] = []
    try:
        on_ledger(_settled(row, attempt, closed), timeout=attempt.request.deadline.left_to_store)
    except BaseException as fault:
        _not_closed(row, closed, fault)
    announce(closed, timeout=attempt.request.deadline.left)


async def _aend(row: PromptLog, attempt: Attempt) -> None:
    closed: list[PromptLog] = []
    try:
        closing = _settled(row, attempt, closed)
        if isinstance(sys.exception(), GeneratorExit):  # the loop has ended, so nothing can be awaited
            in_background(closing).add_done_callback(lambda done: announce_later(closed))
        else:
            await uncancelled(closing, timeout=attempt.request.deadline.left_to_store)
    except BaseException as fault:
        _not_closed(row, closed, fault)
    await aannounce(closed, timeout=attempt.request.deadline.left)


def _open(row: PromptLog, estimate: Estimate, alias: str) -> Refusal:
    """Insert the row of a call and reserve its estimated cost. Returns the error if a budget has no room."""
    if not agent_settings.BUDGETS:
        row_statements.insert(row, alias)
        return None
    try:
        limits = budgets_of(row)
    except OverBudget as refusal:
        row_statements.insert(row, alias)
        return refusal
    return _insert_reserved(row, estimate, limits, alias)


def _insert_reserved(row: PromptLog, estimate: Estimate, limits: Sequence[Budget], alias: str) -> Refusal:
    try:
        with ledger_transaction(alias):
            row_statements.insert_new(row, alias)
            return reserve(row, estimate, limits, alias)
    except AccountsMissing as first_call:
        row._state.adding = True
        make_accounts(first_call.accounts, alias)
        return _insert_reserved(row, estimate, limits, alias)
    except IntegrityError:
        if not row_statements.has_arrived(row, alias):
            raise
        with ledger_transaction(alias):
            return None if is_reserved(row.pk, alias) else reserve(row, estimate, limits, alias)
    except BaseException:
        row._state.adding = True
        raise


def _insert_charged(row: PromptLog, alias: str) -> None:
    try:
        with charging(row, alias):
            row_statements.insert_new(row, alias)
    except IntegrityError:
        if not row_statements.has_arrived(row, alias):
            raise


def _update(row: PromptLog, closed: list[PromptLog], alias: str) -> None:
    if not row_statements.update_outcome(row, alias):
        logger.error("ledger row %s (%s) was deleted while its call was running", row.pk, columns.spent(row))
    closed[:] = [row]
    close_left_over(alias)


def _not_opened(row: PromptLog, attempt: Attempt, fault: BaseException) -> BaseException:
    """Return what to raise: LedgerUnavailable for any error. A row that may still be inserted is closed later."""
    if not isinstance(fault, Exception):
        if row._state.adding:
            columns.settle(row, attempt)
            close_interrupted(row)
        return fault
    unavailable = _unavailable(fault, ", so no provider was called")
    if isinstance(fault, TimeoutError):
        row.status, row.error_message = PromptStatus.ERROR, str(unavailable)
        row.metadata = {**(row.metadata or {}), "failure": unavailable.failure}
        forget_estimate(row)
        close_later(row)
    logger.error("cannot write the ledger row, so no provider is called: %s", describe(fault))
    return unavailable


def _count(row: PromptLog) -> None:
    if telemetry.is_recorded():
        telemetry.count_call(columns.finished(row))


@contextmanager
def _recording(row: PromptLog) -> Iterator[None]:
    try:
        yield
    except Exception as fault:
        logger.error("an external call (%s) could not be recorded: %s", columns.spent(row), describe(fault))
        raise _unavailable(fault) from None


def _unavailable(fault: Exception, consequence: str = "") -> LedgerUnavailable:
    fix = "check that its database is reachable and migrated"
    if isinstance(fault, DataError):
        fix = f"its database cannot store a value; {row_statements.WIDER_TABLES}"
    return LedgerUnavailable(f"the ledger cannot be written to ({type(fault).__name__}){consequence}: {fix}")


def _settled(row: PromptLog, attempt: Attempt, closed: list[PromptLog]) -> Callable[[str], None]:
    """Settle a row with the outcome of its attempt. Returns the function that closes it and puts it into `closed`."""
    columns.settle(row, attempt)
    _count(row)
    return partial(_update, row, closed)


def _not_closed(row: PromptLog, closed: list[PromptLog], fault: BaseException) -> None:
    """Log an error and do not raise it, because the answer is already paid for. The row is closed later."""
    is_interrupted = not isinstance(fault, Exception)
    if closed:
        announce_later(closed)
    elif is_interrupted:
        close_interrupted(row)
    else:
        close_later(row)
    if is_interrupted:
        raise fault
    row_and_fault = (row.pk, columns.spent(row), describe(fault))
    logger.error("ledger row %s (%s) could not be closed and is tried again later: %s", *row_and_fault)
