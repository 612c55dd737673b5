"""A result of the Claude Code CLI, and what it is read as."""

from decimal import Decimal
from typing import Any

from stapel_agent.providers.base import ProviderResult
from stapel_agent.types import Usage

RESULT = {
    "type": "result",
    "subtype": "success",
    "is_error": False,
    "api_error_status": None,
    "num_turns": 1,
    "result": "Hello.",
    "stop_reason": "end_turn",
    "total_cost_usd": 0.0125,
    "usage": {
        "input_tokens": 11,
        "output_tokens": 7,
        "cache_read_input_tokens": 3,
        "cache_creation_input_tokens": 5,
        "service_tier": "standard",
    },
}
SPENT = Usage(11, 7, cache_read_tokens=3, cache_write_tokens=5, cost_usd=Decimal("0.0125"))


def answered(text: str = "Hello.", **changes: Any) -> ProviderResult:
    """The expected result for RESULT."""
    usage = {"input_tokens": 11, "output_tokens": 7, "cache_read_tokens": 3, "cache_write_tokens": 5}
    return ProviderResult(text, **{**usage, "cost_usd": Decimal("0.0125"), **changes})
