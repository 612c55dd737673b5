"""What a call cost, or what it may have cost at the most where its outcome is unknown, in its row's columns."""

from __future__ import annotations

from decimal import Decimal

from stapel_agent.asking import Attempt
from stapel_agent.budgets import TOKENS, Estimate
from stapel_agent.exceptions import AgentError, AnswerInterrupted
from stapel_agent.figures import MAX_USD, SMALLEST_COST
from stapel_agent.models import CostBasis, PromptLog
from stapel_agent.types import Usage


def set_estimate(row: PromptLog, estimate: Estimate) -> None:
    """Write down what the call of a pending row may cost. It counts if the outcome stays unknown."""
    usd = estimate.usd
    row.estimated_cost_usd = None if usd is None else min(usd, MAX_USD - SMALLEST_COST)
    row.estimated_tokens = estimate.tokens


def settle_cost(row: PromptLog, attempt: Attempt, error: AgentError | None) -> None:
    """Write what the attempt cost. What it may have cost beyond that stays only where nobody knows."""
    usage, cost = attempt.usage, attempt.cost
    row.cost_usd, row.cost_basis = cost.usd, cost.basis
    if error is None or not _is_unknown(error, usage):
        forget_estimate(row)
        return
    row.cost_basis = CostBasis.ESTIMATED
    if row.estimated_cost_usd is not None:
        row.estimated_cost_usd = max(Decimal(0), row.estimated_cost_usd - (row.cost_usd or 0))
    known = sum(getattr(usage, name) for name in TOKENS)
    row.estimated_tokens = max(0, (row.estimated_tokens or 0) - known)


def forget_estimate(row: PromptLog) -> None:
    row.estimated_cost_usd = row.estimated_tokens = None


def _is_unknown(error: AgentError, usage: Usage) -> bool:
    """Whether more may be billed than was reported. An answer that broke off after its figures came has told all."""
    return error.may_be_billed and not (isinstance(error, AnswerInterrupted) and usage)
