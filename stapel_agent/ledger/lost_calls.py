"""Closes the rows of calls whose process ended before the provider answered."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import UUID

from stapel_agent import telemetry
from stapel_agent.budgets import charge_lost
from stapel_agent.conf import agent_settings
from stapel_agent.database import as_stored, database_now, ledger_transaction, on_ledger
from stapel_agent.exceptions import AttemptLost
from stapel_agent.models import CostBasis, PromptLog, PromptStatus

from . import columns
from .call_finished_signal import announce, announce_later
from .running_calls import silent

LOST_BATCH = 500
LOST_MESSAGE = "lost: the process ended before the provider answered"


def close_lost(*, older_than: float | None = None, request_id: UUID | None = None) -> int:
    """Close rows whose process ended during the call: those of one request, or all that are pending for too long.

    Too long means `older_than` seconds by the database's clock; the default is CLI_TIMEOUT, the time of an attempt. A
    call whose row is still renewed is running, however old it is. Returns the number of closed rows.
    """
    age = timedelta(seconds=agent_settings.CLI_TIMEOUT if older_than is None else older_than)
    find = partial(_without_sign_of_life, age) if request_id is None else partial(_of_request, request_id)
    closed = 0
    while batch := on_ledger(find):
        closed_now = [row for row in batch if on_ledger(partial(_close_as_lost, row))]
        for row in closed_now:
            telemetry.count_call(columns.finished(row))
        # The rows of one request are closed by its successor, in the middle of that one's work on the ledger.
        announce(closed_now) if request_id is None else announce_later(closed_now)
        closed += len(closed_now)
        if not closed_now:
            break
    return closed


def _without_sign_of_life(age: timedelta, alias: str) -> list[PromptLog]:
    before = as_stored(database_now(alias) - age)
    pending = PromptLog.objects.using(alias).filter(status=PromptStatus.PENDING, created_at__lt=before)
    return list(pending.filter(silent())[:LOST_BATCH])


def _of_request(request_id: UUID, alias: str) -> list[PromptLog]:
    pending = PromptLog.objects.using(alias).filter(status=PromptStatus.PENDING, request_id=request_id)
    return list(pending[:LOST_BATCH])


def _close_as_lost(row: PromptLog, alias: str) -> int:
    row.status, row.error_message, row.cost_basis = PromptStatus.ERROR, LOST_MESSAGE, CostBasis.ESTIMATED
    row.metadata = {**(row.metadata or {}), "failure": AttemptLost.failure}
    changed = {name: getattr(row, name) for name in ("status", "error_message", "cost_basis", "metadata")}
    # The outcome written by the row's own process takes precedence; a row scrubbed in the meantime stays scrubbed.
    pending = PromptLog.objects.using(alias).filter(pk=row.pk, status=PromptStatus.PENDING, scrubbed_at=row.scrubbed_at)
    with ledger_transaction(alias):
        closed = pending.update(**changed)
        if closed:
            charge_lost(row, alias)
    return closed
