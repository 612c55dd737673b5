"""The tokens written to a vendor's prompt cache."""

from __future__ import annotations

from typing import Any

from stapel_agent.column_ranges import token_count


def cache_writes(stated: Any, *by_lifetime: Any) -> Any:
    """Return the stated sum, or the sum of its parts: some answers state only how many tokens are kept for how long."""
    parts = sum(map(token_count, by_lifetime))
    return parts if parts > token_count(stated) else stated
