"""The fields of a vendor's `usage`, and the token counts and cost read from them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from typing import Any

from stapel_agent.column_ranges import money, token_count
from stapel_agent.providers.wire.vendor_json import mapping
from stapel_agent.types import Usage

TICK_PLACES = 10
MOST_TICKS = 10**16


@dataclass(frozen=True)
class UsageFields:
    """Dotted paths below `usage` to the figures of an answer. The first path with a value other than zero counts.

    `prompt` is a total that includes the cached tokens. `thinking` is part of `completion`, or separate: then `total`
    is more than `prompt` plus `completion`. `upstream_cost_usd` is added to `cost_usd` if `own_key` says that the
    endpoint used your own key at a vendor behind it. `cost_ticks` is the cost in units of 10^-10 dollars.
    """

    prompt: tuple[str, ...] = ("prompt_tokens", "input_tokens")
    completion: tuple[str, ...] = ("completion_tokens", "output_tokens")
    thinking: tuple[str, ...] = (
        "completion_tokens_details.reasoning_tokens",
        "output_tokens_details.reasoning_tokens",
        "reasoning_tokens",
    )
    cache_read: tuple[str, ...] = (
        "prompt_tokens_details.cached_tokens",
        "input_tokens_details.cached_tokens",
        "prompt_cache_hit_tokens",
        "cached_tokens",
        "cache_read_input_tokens",
    )
    cache_write: tuple[str, ...] = (
        "prompt_tokens_details.cache_write_tokens",
        "prompt_tokens_details.cache_creation_input_tokens",
        "cache_creation_input_tokens",
    )
    total: tuple[str, ...] = ("total_tokens",)
    cost_usd: tuple[str, ...] = ("cost",)
    cost_ticks: tuple[str, ...] = ("cost_in_usd_ticks",)
    upstream_cost_usd: tuple[str, ...] = ("cost_details.upstream_inference_cost",)
    own_key: tuple[str, ...] = ("is_byok",)


def read_usage(reported: object, fields: UsageFields) -> Usage:
    """Return the tokens and the cost in the `usage` of an answer."""
    prompt = _tokens(reported, fields.prompt)
    output, thinking = _output(reported, fields, prompt)
    cached = min(_tokens(reported, fields.cache_read), prompt)
    written = min(_tokens(reported, fields.cache_write), prompt - cached)
    return Usage(
        prompt - cached - written,
        output,
        thinking,
        cache_read_tokens=cached,
        cache_write_tokens=written,
        cost_usd=_cost(reported, fields),
    )


def _output(reported: object, fields: UsageFields, prompt: int) -> tuple[int, int]:
    """Return all tokens of the answer, and the thinking tokens among them.

    Some vendors do not count thinking in the completion. Then the total is more than prompt plus completion.
    """
    completion, thinking = _tokens(reported, fields.completion), _tokens(reported, fields.thinking)
    beyond = max(0, _tokens(reported, fields.total) - prompt - completion)
    if beyond and not thinking and beyond not in _cached(reported, fields):
        thinking = beyond
    output = completion + min(beyond, thinking)
    return output, min(thinking, output)


def _cached(reported: object, fields: UsageFields) -> tuple[int, ...]:
    """Return what a total may contain besides prompt and completion, if a gateway counts cached tokens separately."""
    read, written = _tokens(reported, fields.cache_read), _tokens(reported, fields.cache_write)
    return (read, written, read + written)


def _cost(reported: object, fields: UsageFields) -> Decimal | None:
    """Return the cost that the vendor reports. If a router uses your own key, its figure is only the router's fee."""
    cost = money(_first(reported, fields.cost_usd))
    if cost is None:
        cost = _dollars(_first(reported, fields.cost_ticks))
    upstream = money(_first(reported, fields.upstream_cost_usd))
    if cost is None or upstream is None:
        return cost
    own_key = _first(reported, fields.own_key)
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
    return next((count for path in paths if (count := token_count(value_at(reported, path)))), 0)
