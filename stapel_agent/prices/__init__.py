"""Computes the cost of a call."""

from .cost import (
    CONDITIONS,
    ESTIMATED,
    NOTHING_SPENT,
    OTHER_MODELS,
    OTHER_TOOL_USES,
    PROVIDER,
    TOOL_USES,
    VENDOR_TOOLS,
    WEB_SEARCHES,
    Cost,
    conditions_of,
    cost_of,
    own_entry,
    request_fee,
    tool_uses,
    unit_prices,
)
from .price_list import aload, list_date
from .token_prices import UnitPrices, invalid_tiers

__all__ = [
    "CONDITIONS",
    "ESTIMATED",
    "NOTHING_SPENT",
    "OTHER_TOOL_USES",
    "PROVIDER",
    "TOOL_USES",
    "WEB_SEARCHES",
    "Cost",
    "OTHER_MODELS",
    "VENDOR_TOOLS",
    "UnitPrices",
    "aload",
    "conditions_of",
    "cost_of",
    "list_date",
    "invalid_tiers",
    "own_entry",
    "request_fee",
    "tool_uses",
    "unit_prices",
]
