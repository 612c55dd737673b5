"""Budgets: how much each spender may spend, and how much is spent and reserved."""

from stapel_agent.types import Standing

from .balances import SPENDER, TOKENS, AccountsMissing, aware, fullest
from .balances import make as make_accounts
from .estimates import Estimate, estimated, unbounded
from .policies import PERIODS, SCOPES, Budget, BudgetPolicy, ListedBudgets, Spend, Spender, policy_faults
from .policies import faults as budget_faults
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
    "aware",
    "budget_faults",
    "budgets_of",
    "charge_lost",
    "charging",
    "estimated",
    "fullest",
    "hand_over_accounts",
    "is_reserved",
    "make_accounts",
    "policy_faults",
    "reserve",
    "settling",
    "standings",
    "sweep_reservations",
    "undecided_budgets",
    "unbounded",
]
