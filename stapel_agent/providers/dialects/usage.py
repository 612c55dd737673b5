"""Reads the token counts and cost of an answer according to its dialect."""

from __future__ import annotations

from decimal import Decimal
from functools import reduce
from typing import Any

from stapel_agent.column_ranges import money, token_count
from stapel_agent.providers.wire.vendor_json import mapping
from stapel_agent.types import Usage

from .dialect import Dialect


def read_usage(reported: object, dialect: Dialect) -> Usage:
    """Return the tokens and the cost in the `usage` of an answer."""
    fields = dialect.usage
    prompt = _tokens(reported, fields.prompt)
    output, thinking = _output(reported, dialect, prompt)
    cached = min(_tokens(reported, fields.cache_read), prompt)
    written = min(_tokens(reported, fields.cache_write), prompt - cached)
    return Usage(
        prompt - cached - written,
        output,
        thinking,
        cache_read_tokens=cached,
        cache_write_tokens=written,
        cost_usd=_cost(reported, dialect),
    )


def _output(reported: object, dialect: Dialect, prompt: int) -> tuple[int, int]:
    """Return all tokens of the answer, and the thinking tokens among them.

    Some vendors do not count thinking in the completion. Then the total is more than prompt plus completion.
    """
    fields = dialect.usage
    completion, thinking = _tokens(reported, fields.completion), _tokens(reported, fields.thinking)
    beyond = max(0, _tokens(reported, fields.total) - prompt - completion)
    if beyond and not thinking and beyond not in _cached(reported, dialect):
        thinking = beyond
    output = completion + min(beyond, thinking)
    return output, min(thinking, output)


def _cached(reported: object, dialect: Dialect) -> tuple[int, ...]:
    """Return what a total may contain besides prompt and completion, if a gateway counts cached tokens separately."""
    read, written = _tokens(reported, dialect.usage.cache_read), _tokens(reported, dialect.usage.cache_write)
    return (read, written, read + written)


def _cost(reported: object, dialect: Dialect) -> Decimal | None:
    """Return the cost that the vendor reports. If a router uses your own key, its figure is only the router's fee."""
    fields = dialect.usage
    cost = money(_first(reported, fields.cost_usd))
    upstream = money(_first(reported, fields.upstream_cost_usd))
    if cost is None or upstream is None:
        return cost
    own_key = _first(reported, fields.own_key)
    is_fee = own_key is True or (own_key is None and upstream > cost)
    return cost + upstream if is_fee else cost


def _first(reported: object, paths: tuple[str, ...]) -> Any:
    return next((found for path in paths if (found := value_at(reported, path)) is not None), None)


def value_at(document: object, path: str) -> Any:
    """Return the value at the dotted `path` of a JSON value, or None if there is none."""
    return reduce(lambda part, name: mapping(part).get(name), path.split("."), document)


def _tokens(reported: object, paths: tuple[str, ...]) -> int:
    return next((count for path in paths if (count := token_count(value_at(reported, path)))), 0)
