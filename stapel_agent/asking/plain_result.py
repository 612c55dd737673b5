"""Copies a provider's result to plain types, so that a host's subclass of it or of `str` runs no code later."""

from __future__ import annotations

from stapel_agent.providers import ProviderResult
from stapel_agent.redaction import without_keys

ORDINARY = frozenset({"", "stop", "length", "content_filter"})
EXAMINED_LENGTH, WORD_LENGTH = 4096, 100
"""Characters of a provider's finish reason: those that are searched for keys, and those that are kept."""


def plain_result(result: ProviderResult) -> ProviderResult:
    """Keeps the token counts of a result whose text or finish reason is unusable."""
    return ProviderResult(
        str.__str__(result.text) if isinstance(result.text, str) else "",
        result.input_tokens,
        result.output_tokens,
        result.thinking_tokens,
        result.cache_read_tokens,
        result.cache_write_tokens,
        _word(result.finish_reason),
        result.metadata,
        result.cache_write_1h_tokens,
        result.cost_usd,
        result.unsplit_tokens,
    )


def _word(reason: object) -> str:
    try:
        word = "" if reason is None else str.__str__(str(reason))
    except Exception:
        return "unreadable"
    return word if word in ORDINARY else without_keys(word[:EXAMINED_LENGTH])[:WORD_LENGTH]
