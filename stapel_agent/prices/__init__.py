"""Computes the cost of a call."""

from .cost import CONDITIONS, NOTHING_SPENT, PROVIDER, Cost, cost_of, own_entry, unit_prices
from .price_list import aload, list_date
from .token_prices import UnitPrices, invalid_tiers

__all__ = [
    "CONDITIONS",
    "NOTHING_SPENT",
    "PROVIDER",
    "Cost",
    "UnitPrices",
    "aload",
    "cost_of",
    "list_date",
    "invalid_tiers",
    "own_entry",
    "unit_prices",
]
