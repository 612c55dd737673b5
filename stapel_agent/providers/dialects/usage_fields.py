"""The fields of a vendor's `usage`, and the token counts and cost read from them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from typing import Any

from stapel_agent.column_ranges import bounded_count, money
from stapel_agent.prices import WEB_SEARCHES
from stapel_agent.providers.wire.cache_writes import cache_writes
from stapel_agent.providers.wire.vendor_json import mapping
from stapel_agent.types import Usage

TICK_PLACES = 10
MOST_TICKS = 10**16
MOST_OVERESTIMATED = 1.5
DETAILS = ("prompt_tokens_details", "input_tokens_details", "prompt_token_details", "input_token_details")
"""Objects in which OpenAI, and vendors and gateways that follow it, state the cached tokens in the prompt."""
WRITES = ("cache_write_tokens", "cache_creation_input_tokens", "cache_creation_tokens", "cached_creation_tokens")

LIFETIMES = ("cache_creation_token_details", "cache_creation")


@dataclass(frozen=True)
class UsageFields:
    """Dotted paths below `usage` to the figures of an answer. The first path with a value other than zero counts.

    `prompt` is a total that includes the cached tokens, except those at a path in `beside_prompt`; docs/dialects.md
    lists the sources. `citations` are input beside `prompt`. `thinking` is part of `completion`, or separate: then
    `total` is more than `prompt` plus `completion`, or `thinking` more than `completion` and not in its details.
    `upstream_cost_usd` is added to `cost_usd` if `own_key` says that the endpoint used your own key at a vendor behind
    it. `cost_ticks` is the cost in units of 10^-10 dollars. `cache_write_5m` and `cache_write_1h` are the parts of
    `cache_write`, by lifetime. `web_searches` are billed beside the tokens.
    """

    prompt: tuple[str, ...] = ("prompt_tokens", "input_tokens")
    citations: tuple[str, ...] = ("citation_tokens",)
    completion: tuple[str, ...] = ("completion_tokens", "output_tokens")
    thinking: tuple[str, ...] = (
        "completion_tokens_details.reasoning_tokens",
        "output_tokens_details.reasoning_tokens",
        "reasoning_tokens",
    )
    cache_read: tuple[str, ...] = (
        *(f"{details}.cached_tokens" for details in DETAILS),
        *("prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens", "cache_read_input_tokens"),
    )
    cache_write: tuple[str, ...] = (
        *(f"{details}.{name}" for name in WRITES for details in DETAILS),
        "cache_creation_input_tokens",
    )
    cache_write_5m: tuple[str, ...] = (
        *(f"{details}.{name}.ephemeral_5m_input_tokens" for name in LIFETIMES for details in DETAILS),
        "cache_creation.ephemeral_5m_input_tokens",
        "claude_cache_creation_5_m_tokens",
    )
    cache_write_1h: tuple[str, ...] = (
        *(f"{details}.{name}.ephemeral_1h_input_tokens" for name in LIFETIMES for details in DETAILS),
        "cache_creation.ephemeral_1h_input_tokens",
        "claude_cache_creation_1_h_tokens",
    )
    beside_prompt: tuple[str, ...] = (
        *("cache_read_input_tokens", "cache_creation_input_tokens"),
        *("cache_creation.ephemeral_5m_input_tokens", "cache_creation.ephemeral_1h_input_tokens"),
    )
    total: tuple[str, ...] = ("total_tokens",)
    web_searches: tuple[str, ...] = (
        *("server_tool_use.web_search_requests", "num_sources_used", "num_search_queries"),
        "plugins.search.count",
    )
    cost_usd: tuple[str, ...] = ("cost.total_cost", "cost", "estimated_cost", "cost_usd_total")
    cost_ticks: tuple[str, ...] = ("cost_in_usd_ticks",)
    upstream_cost_usd: tuple[str, ...] = ("cost_details.upstream_inference_cost",)
    own_key: tuple[str, ...] = ("is_byok",)


def read_usage(reported: object, fields: UsageFields) -> Usage:
    """Return the tokens and the cost in the `usage` of an answer. Missing figures are unknown, not zero."""
    stated = _Stated.of(reported, fields)
    read, written = stated.read, stated.written
    return Usage(
        **stated.input,
        **stated.output,
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=min(written, _tokens(reported, fields.cache_write_1h)),
        unsplit_tokens=stated.unsplit,
        cost_usd=_cost(reported, fields),
    )


def read_web_searches(reported: object, fields: UsageFields) -> dict[str, int]:
    """Return the number of the vendor's web searches, for a result's metadata, if there were any."""
    searches = _tokens(reported, fields.web_searches)
    return {WEB_SEARCHES: searches} if searches else {}


@dataclass(frozen=True)
class _Stated:
    """The token counts of a `usage`. Prompt, completion and total are None if missing or invalid."""

    prompt: int | None
    completion: int | None
    total: int | None
    thinking: int
    is_breakdown: bool
    read: int
    written: int
    is_read_beside: bool
    is_written_beside: bool

    @classmethod
    def of(cls, reported: object, fields: UsageFields) -> _Stated:
        prompt, completion, total = (
            _count(reported, paths) for paths in (fields.prompt, fields.completion, fields.total)
        )
        if not prompt and total is not None and completion is not None:
            prompt = total - completion
        has_details = any(mapping(value_at(reported, name)) for name in DETAILS)
        beside = () if has_details else fields.beside_prompt
        lifetimes = fields.cache_write_5m, fields.cache_write_1h
        return cls(
            # No prompt has 0 tokens.
            prompt + _tokens(reported, fields.citations) if prompt and prompt > 0 else None,
            completion,
            total,
            thinking=_tokens(reported, fields.thinking),
            is_breakdown="." in (_path(reported, fields.thinking) or ""),
            read=_tokens(reported, fields.cache_read),
            written=cache_writes(
                _tokens(reported, fields.cache_write), *(_tokens(reported, paths) for paths in lifetimes)
            ),
            is_read_beside=_path(reported, fields.cache_read) in beside,
            is_written_beside=_path(reported, sum(lifetimes, fields.cache_write)) in beside,
        )

    @property
    def beside(self) -> tuple[int, int]:
        """The cached tokens, read and written, that the prompt does not include."""
        read, written = self.read, self.written
        if self.prompt is not None and read + written > self.prompt:
            return read, written
        if self._cached_beyond is not None:
            return self._cached_beyond
        return read if self.is_read_beside else 0, written if self.is_written_beside else 0

    @property
    def input(self) -> dict[str, Any]:
        """The uncached tokens of the prompt."""
        inside = self.read + self.written - sum(self.beside)
        return {"input_tokens": None if self.prompt is None else self.prompt - inside}

    @property
    def output(self) -> dict[str, Any]:
        """All tokens of the answer, and the thinking tokens among them.

        Some vendors do not count thinking in the completion. Then the total is more than prompt plus completion, or the
        thinking is more than the completion. All other tokens of a total, except cached ones, count as output too,
        which has the higher price.
        """
        completion, thinking = self.completion, self.thinking
        if completion is None:
            rest = -1 if self.total is None or self.prompt is None else self.total - self.prompt - sum(self.beside)
            return {"output_tokens": rest if rest >= 0 else None, "thinking_tokens": max(0, min(thinking, rest))}
        beyond = 0 if self._cached_beyond else self._beyond
        thinking = thinking or beyond
        separate = thinking if thinking > completion and not self._is_thinking_estimated else min(beyond, thinking)
        output = completion + max(separate, beyond - sum(self.beside))
        return {"output_tokens": output, "thinking_tokens": min(thinking, output)}

    @property
    def unsplit(self) -> int:
        """The total, without cached tokens, if neither half of it is known."""
        if self.total is None or self.prompt is not None or self.completion is not None:
            return 0
        return max(0, self.total - self.read - self.written)

    @property
    def _beyond(self) -> int:
        """The part of the total that is neither prompt nor completion."""
        if self.prompt is None or self.completion is None or self.total is None:
            return 0
        return max(0, self.total - self.prompt - self.completion)

    @property
    def _is_thinking_estimated(self) -> bool:
        """Whether the thinking is a part of the completion, even if it is more: the total says so.

        LiteLLM estimates the thinking of Claude in the completion's details. Its estimate may be a bit too high.
        """
        is_total = self.total is not None and self.prompt is not None and self._beyond <= sum(self.beside)
        return self.is_breakdown and is_total and self.thinking <= (self.completion or 0) * MOST_OVERESTIMATED

    @property
    def _cached_beyond(self) -> tuple[int, int] | None:
        """The cached tokens that make up `_beyond`, if any do: a gateway counts them beside the prompt."""
        if not self._beyond or self._beyond == self.thinking:
            return None
        parts = ((self.read, self.written), (self.read, 0), (0, self.written))
        return next((part for part in parts if sum(part) == self._beyond), None)


def _cost(reported: object, fields: UsageFields) -> Decimal | None:
    """Return the cost that the vendor reports. If a router uses your own key, its figure is only the router's fee.

    The fee alone is not the cost: without the vendor's bill, the cost is unknown.
    """
    cost = money(_first(reported, fields.cost_usd))
    if cost is None:
        cost = _dollars(_first(reported, fields.cost_ticks))
    upstream, own_key = money(_first(reported, fields.upstream_cost_usd)), _first(reported, fields.own_key)
    if cost is None or upstream is None:
        return None if own_key is True else cost
    is_fee = own_key is True or (own_key is None and upstream > cost)
    return cost + upstream if is_fee else cost


def _dollars(ticks: object) -> Decimal | None:
    if not isinstance(ticks, int) or isinstance(ticks, bool) or not 0 <= ticks < MOST_TICKS:
        return None
    return money(Decimal(ticks).scaleb(-TICK_PLACES))


def _first(reported: object, paths: tuple[str, ...]) -> Any:
    return next((found for path in paths if (found := value_at(reported, path)) is not None), None)


def value_at(document: object, path: str) -> Any:
    """Return the value at the dotted `path` of a JSON value, or None if nothing is there."""
    return reduce(lambda part, name: mapping(part).get(name), path.split("."), document)


def _tokens(reported: object, paths: tuple[str, ...]) -> int:
    return _count(reported, paths) or 0


def _count(reported: object, paths: tuple[str, ...]) -> int | None:
    """Return the first count other than zero; None if no path has a valid count."""
    counts = [count for path in paths if (count := bounded_count(value_at(reported, path))) is not None]
    return next(filter(None, counts), 0) if counts else None


def _path(reported: object, paths: tuple[str, ...]) -> str | None:
    """Return the path of the first count other than zero."""
    return next((path for path in paths if bounded_count(value_at(reported, path))), None)
