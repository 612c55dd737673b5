"""The terms stated in an answer that change its price."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stapel_agent.prices import CONDITIONS, ORDINARY

WORD_LENGTH = 32


def price_conditions(stated: Mapping[str, Any]) -> dict[str, str]:
    """Return the conditions that are not the default, for a result's metadata, such as {"service_tier": "flex"}."""
    words = {name: stated.get(name) for name in CONDITIONS}
    return {
        name: word.lower()
        for name, word in words.items()
        if isinstance(word, str) and len(word) <= WORD_LENGTH and word.lower() not in ORDINARY
    }
