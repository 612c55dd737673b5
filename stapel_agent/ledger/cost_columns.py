"""Fills the cost columns of a row: the cost of the call, or the most it may have cost if its outcome is unknown."""

from __future__ import annotations

from decimal import Decimal

from stapel_agent.asking import Attempt
from stapel_agent.budgets import TOKENS, Estimate
from stapel_agent.column_ranges import MAX_USD, SMALLEST_COST
from stapel_agent.conf import agent_settings
from stapel_agent.exceptions import AgentError, AnswerError
from stapel_agent.models import CostBasis, PromptLog


def set_estimate(row: PromptLog, estimate: Estimate) -> None:
    """Stores the estimated cost of a pending call. Budgets count it if the outcome stays unknown."""
    usd = estimate.usd
    row.estimated_cost_usd = None if usd is None else min(usd, MAX_USD - SMALLEST_COST)
    row.estimated_tokens = estimate.tokens


def settle_cost(row: PromptLog, attempt: Attempt, error: AgentError | None) -> None:
    """Stores the cost of the attempt. Keeps an estimate of the rest only if the outcome is unknown.

    A complete result states everything that was spent, even if its answer is unusable. Usage reported before an
    error may be only a part of it.
    """
    usage, cost = attempt.usage, attempt.cost
    row.cost_usd, row.cost_basis = cost.usd, cost.basis
    if _is_known(attempt, error):
        forget_estimate(row)
        return
    row.cost_basis = CostBasis.ESTIMATED
    if row.estimated_cost_usd is not None:
        row.estimated_cost_usd = max(Decimal(0), row.estimated_cost_usd - (row.cost_usd or 0))
    known = sum(getattr(usage, name) for name in TOKENS)
    row.estimated_tokens = max(0, (row.estimated_tokens or 0) - known)


def _is_known(attempt: Attempt, error: AgentError | None) -> bool:
    if attempt.result is None and error is not None and error.may_be_billed:
        return False
    if attempt.result is None and not isinstance(error, AnswerError):
        return True
    # An answer that states nothing would never use up a budget.
    return bool(attempt.usage) or attempt.cost.usd is not None or not agent_settings.BUDGETS


def forget_estimate(row: PromptLog) -> None:
    row.estimated_cost_usd = row.estimated_tokens = None
