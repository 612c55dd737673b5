"""Copies a provider's result to plain types, so that a host's subclass of it or of `str` runs no code later."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from stapel_agent.parsing import json_map
from stapel_agent.providers import ProviderResult
from stapel_agent.redaction import without_keys
from stapel_agent.types import FIGURES

_figures: Callable[[ProviderResult], tuple[Any, ...]] = attrgetter(*FIGURES)

ORDINARY = frozenset({"", "stop", "length", "content_filter"})
EXAMINED_LENGTH, WORD_LENGTH = 4096, 100
"""Characters of a provider's finish reason: those that are searched for keys, and those that are kept."""


def plain_result(result: ProviderResult) -> ProviderResult:
    """Keep the token counts of a result whose text or finish reason is unusable."""
    text = str.__str__(result.text) if isinstance(result.text, str) else ""
    metadata = json_map(result.metadata)
    return ProviderResult(text, finish_reason=_word(result.finish_reason), metadata=metadata, **figures_of(result))


def figures_of(result: ProviderResult) -> dict[str, Any]:
    """What the provider states that the call spent, as the fields of a Usage."""
    return dict(zip(FIGURES, _figures(result), strict=True))


def _word(reason: object) -> str:
    try:
        word = "" if reason is None else str.__str__(str(reason))
    except Exception:
        return "unreadable"
    return word if word in ORDINARY else without_keys(word[:EXAMINED_LENGTH])[:WORD_LENGTH]
