"""Computes the cost of a call."""

from .cost import NOTHING_SPENT, Cost, cost_of, unit_prices
from .price_list import aload, list_date
from .token_prices import UnitPrices, tier_faults

__all__ = [
    "NOTHING_SPENT",
    "Cost",
    "UnitPrices",
    "aload",
    "cost_of",
    "list_date",
    "tier_faults",
    "unit_prices",
]
