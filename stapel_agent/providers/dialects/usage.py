"""Reads the figures of an answer by the fields of its dialect."""

from __future__ import annotations

from decimal import Decimal
from functools import reduce
from typing import Any

from stapel_agent.figures import money, token_count
from stapel_agent.providers.wire.vendor_json import mapping
from stapel_agent.types import Usage

from .dialect import Dialect


def read_usage(reported: object, dialect: Dialect) -> Usage:
    """The tokens and the cost that the answer's `usage` states."""
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
    """All tokens of the answer, and those of them that were thinking.

    Some vendors leave thinking out of the completion. The total shows it: it is more than prompt and completion.
    """
    fields = dialect.usage
    completion, thinking = _tokens(reported, fields.completion), _tokens(reported, fields.thinking)
    beyond = max(0, _tokens(reported, fields.total) - prompt - completion)
    if beyond and not thinking and beyond not in _cached(reported, dialect):
        thinking = beyond
    output = completion + min(beyond, thinking)
    return output, min(thinking, output)


def _cached(reported: object, dialect: Dialect) -> tuple[int, ...]:
    """What a total may hold beside prompt and completion, where a gateway counts the cached part on its own."""
    read, written = _tokens(reported, dialect.usage.cache_read), _tokens(reported, dialect.usage.cache_write)
    return (read, written, read + written)


def _cost(reported: object, dialect: Dialect) -> Decimal | None:
    """The vendor's own figure. With the host's own key at the vendor behind a router, it is the router's fee alone."""
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
    """What stands at the dotted `path` of a JSON value; None where nothing does."""
    return reduce(lambda part, name: mapping(part).get(name), path.split("."), document)


def _tokens(reported: object, paths: tuple[str, ...]) -> int:
    return next((count for path in paths if (count := token_count(value_at(reported, path)))), 0)
