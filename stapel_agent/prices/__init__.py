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
    "OTHER_MODELS",
    "OTHER_TOOL_USES",
    "PROVIDER",
    "TOOL_USES",
    "VENDOR_TOOLS",
    "WEB_SEARCHES",
    "Cost",
    "UnitPrices",
    "aload",
    "conditions_of",
    "cost_of",
    "invalid_tiers",
    "list_date",
    "own_entry",
    "request_fee",
    "tool_uses",
    "unit_prices",
]
