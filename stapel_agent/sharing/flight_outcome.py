"""How a flight ended: its leader says so, or its row and the ledger show it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from stapel_agent import ledger
from stapel_agent.conf import agent_settings
from stapel_agent.database import on_ledger
from stapel_agent.exceptions import (
    AgentError,
    AttemptCancelled,
    AttemptLost,
    OverBudget,
    ProviderDeclined,
    exception_named,
)
from stapel_agent.models import Flight, PromptLog, PromptStatus
from stapel_agent.types import Completion

from . import leases


@dataclass(frozen=True)
class FlightOutcome:
    """An answer, a failure, or neither: the leader was cancelled or died."""

    completion: Completion | None = None
    fault: AgentError | None = None


def outcome_of(
    key: str, leader: UUID, provider: str, cache_keys: Collection[str], silence: leases.Silence, alias: str
) -> FlightOutcome | None:
    """How the leader's flight to `provider` ended, or None if it has not. Ends the flight of a dead leader.

    `cache_keys` are those of the flight's rows: the same request may lead other flights.
    """
    flights = Flight.objects.using(alias).filter(key=key, request_id=leader)
    observed = leases.annotated(flights).values_list("is_silent", "is_long_silent").first()
    if observed is None:
        rows = PromptLog.objects.using(alias).filter(request_id=leader, cache_key__in=cache_keys)
        return _recorded_outcome(rows.order_by("created_at").last(), provider)
    if not silence.is_final(*observed):
        return None
    if not flights.filter(leases.silent()).delete()[0]:  # it is alive after all, or another follower was faster
        return None
    ledger.close_lost(request_id=leader)
    return FlightOutcome()


def sweep() -> None:
    """Remove the flights of processes that no longer run."""
    on_ledger(lambda alias: Flight.objects.using(alias).filter(leases.silent(leases.LONG_SILENCE)).delete())


def _recorded_outcome(row: PromptLog | None, asked: str) -> FlightOutcome:
    """The outcome that the last row of a finished request records."""
    if row is None or row.status == PromptStatus.PENDING or row.scrubbed_at is not None:
        return FlightOutcome()
    metadata = row.metadata or {}
    if row.status == PromptStatus.SUCCESS:
        if row.response is None:  # too long for the database
            return FlightOutcome()
        return FlightOutcome(Completion(row.response, provider=str(metadata.get("provider")), model=row.model))
    if metadata.get("failure") == OverBudget.failure:  # the leader's alone: followers may have budgets of their own
        return FlightOutcome()
    fault = exception_named(metadata.get("failure"))(row.error_message or "")
    # A fallback's cached answer has no row of this request.
    may_have_turned = isinstance(fault, ProviderDeclined) and (agent_settings.FALLBACKS or {}).get(asked)
    if isinstance(fault, AttemptCancelled | AttemptLost) or may_have_turned:
        return FlightOutcome()
    fault.text = row.response
    return FlightOutcome(fault=fault)
