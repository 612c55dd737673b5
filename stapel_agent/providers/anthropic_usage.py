"""Reads the token counts in the stream events of the Messages API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stapel_agent.column_ranges import bounded_count, token_count
from stapel_agent.prices import OTHER_TOOL_USES, WEB_SEARCHES

from .wire.cache_writes import cache_writes
from .wire.vendor_json import mapping

CACHED = ("cache_read_tokens", "cache_write_tokens")
PROMPT = ("input_tokens", *CACHED)
FREE_TOOLS = ("web_fetch_requests",)
"""https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-fetch-tool: it costs only its tokens."""
PROMPT_FIGURES = (*PROMPT, "cache_write_1h_tokens")


def stated_figures(usage: Any) -> dict[str, int]:
    """Return the valid token counts that the `usage` of one event states."""
    split = _fields(getattr(usage, "cache_creation", None))
    for_minutes, for_an_hour = (split.get(f"ephemeral_{time}_input_tokens") for time in ("5m", "1h"))
    written = cache_writes(getattr(usage, "cache_creation_input_tokens", None), for_minutes, for_an_hour)
    figures = {
        "input_tokens": getattr(usage, "input_tokens", None),
        "output_tokens": getattr(usage, "output_tokens", None),
        "thinking_tokens": _fields(getattr(usage, "output_tokens_details", None)).get("thinking_tokens"),
        "cache_read_tokens": getattr(usage, "cache_read_input_tokens", None),
        "cache_write_tokens": written,
        "cache_write_1h_tokens": for_an_hour,
    }
    counts = {name: bounded_count(figure) for name, figure in figures.items()}
    return {name: count for name, count in counts.items() if count is not None}


def stated_tool_uses(usage: Any) -> dict[str, int]:
    """Return the uses of Anthropic's own tools that it bills in addition to the tokens, for a result's metadata."""
    stated = _fields(getattr(usage, "server_tool_use", None))
    uses = {name: token_count(count) for name, count in stated.items() if name not in FREE_TOOLS}
    searches = uses.pop("web_search_requests", 0)
    found = {WEB_SEARCHES: searches, OTHER_TOOL_USES: sum(uses.values())}
    return {name: count for name, count in found.items() if count}


def _fields(part: Any) -> Mapping[str, Any]:
    """Return the fields of a part of a usage: an object of the SDK, or a dict where the SDK knows no such part."""
    return part.model_dump(warnings=False) if hasattr(part, "model_dump") else mapping(part)


def totals(earlier: Mapping[str, int], stated: Mapping[str, int]) -> dict[str, int]:
    """Return the token counts of a stream after another event. Each event states totals, not increments.

    For the answer, the larger count is the later one. For the prompt, the last statement counts, because some gateways
    first count the cached part as input too. If a gateway counts it as input at the end, that count is ignored, and so
    is a statement that shrinks the prompt by more than the cached part.
    """
    merged = {name: max(earlier.get(name, 0), stated.get(name, 0)) for name in {**earlier, **stated}}
    read, before = stated.get("input_tokens", 0), earlier.get("input_tokens", 0)
    prompt = sum(earlier.get(name, 0) for name in PROMPT)
    if not read:
        return merged
    if read == prompt > before:
        return {**merged, "input_tokens": before}
    later = {**merged, **{name: stated[name] for name in PROMPT_FIGURES if name in stated}}
    cached = sum(later.get(name, 0) for name in CACHED)
    return later if read + 2 * cached >= prompt else merged
