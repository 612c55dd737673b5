"""Budgets: how much each spender may spend, and how much is spent and reserved."""

from stapel_agent.types import Standing

from .balances import SPENDER, TOKENS, AccountsMissing, due_warnings, fullest
from .balances import make as make_accounts
from .estimates import Estimate, estimated, estimated_beyond, estimated_rest, expected, unbounded
from .periods import PERIODS
from .periods import name as period_name
from .periods import span as period_span
from .policies import SCOPES, Budget, BudgetPolicy, ListedBudgets, Spend, Spender, policy_problems
from .policies import problems as budget_problems
from .policies import undecided as undecided_budgets
from .reservations import budgets_of, charge_lost, charging, is_reserved, reserve, settling, standings
from .reservations import hand_over as hand_over_accounts
from .reservations import sweep as sweep_reservations

__all__ = [
    "AccountsMissing",
    "Budget",
    "BudgetPolicy",
    "Estimate",
    "ListedBudgets",
    "PERIODS",
    "SCOPES",
    "SPENDER",
    "Spend",
    "Spender",
    "Standing",
    "TOKENS",
    "budget_problems",
    "budgets_of",
    "charge_lost",
    "charging",
    "due_warnings",
    "estimated",
    "estimated_beyond",
    "estimated_rest",
    "expected",
    "fullest",
    "hand_over_accounts",
    "is_reserved",
    "make_accounts",
    "period_name",
    "period_span",
    "policy_problems",
    "reserve",
    "settling",
    "standings",
    "sweep_reservations",
    "undecided_budgets",
    "unbounded",
]
