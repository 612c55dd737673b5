"""The tokens that a call spent, and its cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce
from operator import attrgetter
from typing import Any

from .column_ranges import ARITHMETIC, MAX_TOKEN_COUNT, bounded_count, money


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens spent. Input, output, cache reads and cache writes are disjoint: `input_tokens` excludes the cached ones.

    `thinking_tokens` is the part of `output_tokens` spent on thinking. `cache_write_1h_tokens` is the part of
    `cache_write_tokens` that the vendor keeps for an hour. `cost_usd` is the total cost, if known. `unsplit_tokens`
    is the sum of input and output, if only that is known. An invalid figure counts as 0, and `unknown` names it.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    thinking_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    cost_usd: Decimal | None = None
    unsplit_tokens: int = 0
    unknown: frozenset[str] = field(default=frozenset(), compare=False, repr=False)

    def __post_init__(self) -> None:
        for name, figure in zip(TOKEN_FIGURES, _tokens(self), strict=True):
            if type(figure) is not int or not 0 <= figure <= MAX_TOKEN_COUNT:
                count = bounded_count(figure)
                object.__setattr__(self, name, count or 0)
                if count is None:
                    object.__setattr__(self, "unknown", self.unknown | {name})
        if self.cost_usd is not None:
            object.__setattr__(self, "cost_usd", money(self.cost_usd))

    @property
    def figures(self) -> dict[str, Any]:
        """The figures as the fields of a ProviderResult. If others are known, an unknown one is None."""
        return {name: None if self and name in self.unknown else getattr(self, name) for name in FIGURES}

    @property
    def prompt_tokens(self) -> int:
        """All tokens of the prompt, including the cached ones."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens

    def __add__(self, other: Usage) -> Usage:
        tokens = {name: getattr(self, name) + getattr(other, name) for name in TOKEN_FIGURES}
        return Usage(**tokens, cost_usd=_total(self, other), unknown=self.unknown | other.unknown)

    def __bool__(self) -> bool:
        return any(_tokens(self))


TOKEN_FIGURES = tuple(name for name in Usage.__slots__ if name.endswith("_tokens"))
FIGURES = (*TOKEN_FIGURES, "cost_usd")
_tokens = attrgetter(*TOKEN_FIGURES)


def _total(*usages: Usage) -> Decimal | None:
    """The total cost, if the whole cost of every usage that spent anything is known."""
    if any("cost_usd" in usage.unknown for usage in usages):
        return None
    spent = [usage for usage in usages if usage or usage.cost_usd is not None]
    known = [usage.cost_usd for usage in spent if usage.cost_usd is not None]
    return reduce(ARITHMETIC.add, known, Decimal(0)) if spent and len(known) == len(spent) else None
