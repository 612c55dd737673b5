"""Fills the cost columns of a row: the cost of the call, or the most it may have cost if its outcome is unknown."""

from __future__ import annotations

import logging
from collections.abc import Callable

from stapel_agent.asking import BOTH_HALVES, Attempt
from stapel_agent.budgets import Estimate, estimated_beyond, estimated_rest
from stapel_agent.column_ranges import storable_cost
from stapel_agent.conf import agent_settings
from stapel_agent.exceptions import AnswerError
from stapel_agent.models import CostBasis, PromptLog
from stapel_agent.redaction import describe

logger = logging.getLogger(__name__)


def set_estimate(row: PromptLog, estimate: Estimate) -> None:
    """Store the estimated cost of a pending call. Budgets count it if the outcome stays unknown."""
    row.estimated_cost_usd = None if estimate.usd is None else storable_cost(estimate.usd)
    row.estimated_tokens = estimate.tokens


def settle_cost(row: PromptLog, attempt: Attempt) -> None:
    """Store the cost of the attempt, and keep or make an estimate of what is unknown.

    A complete result states everything that was spent, even if its answer is unusable. Usage reported before an
    error may be only a part of it.
    """
    cost = attempt.cost
    row.cost_usd, row.cost_basis = cost.usd, cost.basis
    if attempt.may_cost_more:
        row.cost_basis = CostBasis.ESTIMATED
        if attempt.usage:  # else the opening estimate is that of the whole call
            set_estimate(row, _estimate(row, attempt, lambda: estimated_beyond(attempt)))
    elif unstated := _unstated(attempt):
        set_estimate(row, _estimate(row, attempt, lambda: estimated_rest(attempt, unstated)))
        if cost.basis == CostBasis.PROVIDER:  # the cost is known, and only tokens are not
            row.estimated_cost_usd = None
        else:
            row.cost_basis = CostBasis.ESTIMATED
    else:
        forget_estimate(row)


def _unstated(attempt: Attempt) -> frozenset[str]:
    """Return the halves of the usage to estimate."""
    is_answer = attempt.result is not None or isinstance(attempt.error, AnswerError)
    if attempt.usage or not is_answer:
        return attempt.unstated_halves
    # An answer that states nothing would never use up a budget.
    return BOTH_HALVES if agent_settings.BUDGETS else frozenset()


def _estimate(row: PromptLog, attempt: Attempt, estimating: Callable[[], Estimate]) -> Estimate:
    try:
        return estimating()
    except Exception as fault:  # from the host's prices: the opening estimate bounds the rest as well
        logger.error("cannot estimate a call to provider %r: %s", attempt.request.provider, describe(fault))
        return Estimate(tokens=row.estimated_tokens or 0, is_priced=False)


def forget_estimate(row: PromptLog) -> None:
    row.estimated_cost_usd = row.estimated_tokens = None
