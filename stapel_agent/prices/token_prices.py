"""Prices per million tokens of each kind, and the cost of tokens at these prices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal, localcontext
from typing import Any

from stapel_agent.column_ranges import ARITHMETIC, SMALLEST_COST, money
from stapel_agent.types import Usage

MILLION = Decimal(1_000_000)
TIERS = "tiers"


@dataclass(frozen=True)
class UnitPrices:
    """US dollars per million tokens of each kind. Cached tokens without a price cost as much as input tokens."""

    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write: Decimal
    cache_write_1h: Decimal

    @classmethod
    def of(cls, prices: Mapping[str, Any]) -> UnitPrices | None:
        """Return the prices in an entry of PRICES. None if input or output is missing, or a value is not an amount."""
        stated = {kind: money(price) for kind, price in prices.items() if kind != TIERS}
        if None in stated.values() or not {"input", "output"} <= stated.keys() <= set(KINDS):
            return None
        write = stated.get("cache_write", stated["input"])
        return cls(**{"cache_read": stated["input"], "cache_write": write, "cache_write_1h": write, **stated})  # type: ignore[arg-type]

    @classmethod
    def of_tier(cls, entry: Mapping[str, Any], names: tuple[str, ...]) -> UnitPrices | None:
        """Return the prices of the first tier in `names` that the entry has, or else the prices of the entry."""
        tiers = entry.get(TIERS)
        if isinstance(tiers, Mapping):
            chosen = next((tiers[name] for name in names if name in tiers), entry)
            return cls.of(chosen) if isinstance(chosen, Mapping) else None
        return cls.of(entry)

    def times(self, factor: Decimal) -> UnitPrices:
        return UnitPrices(*(getattr(self, kind) * factor for kind in KINDS))

    def saved_by_cache(self, read_tokens: int, write_tokens: int) -> Decimal:
        """What cached input cost less than plain input would have; below zero if the writes were not worth it."""
        with localcontext(ARITHMETIC):
            saved = read_tokens * (self.input - self.cache_read) - write_tokens * (self.cache_write - self.input)
            return (saved / MILLION).quantize(SMALLEST_COST)

    def cost(self, usage: Usage) -> Decimal:
        """Return the cost of the tokens, each kind at its own price."""
        written_for_long = min(usage.cache_write_1h_tokens, usage.cache_write_tokens)
        with localcontext(ARITHMETIC):
            total = (
                usage.input_tokens * self.input
                + usage.output_tokens * self.output
                + usage.cache_read_tokens * self.cache_read
                + (usage.cache_write_tokens - written_for_long) * self.cache_write
                + written_for_long * self.cache_write_1h
            )
            return (total / MILLION).quantize(SMALLEST_COST)


KINDS = tuple(field.name for field in fields(UnitPrices))


def invalid_tiers(entry: Mapping[str, Any]) -> Iterator[str]:
    """Yield the tiers of an entry of PRICES that have no valid prices."""
    tiers = entry.get(TIERS, {})
    if not isinstance(tiers, Mapping):
        yield TIERS
        return
    for name, prices in tiers.items():
        if not isinstance(prices, Mapping) or TIERS in prices or UnitPrices.of(prices) is None:
            yield f"{TIERS}.{name}"
