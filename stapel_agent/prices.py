"""What a model's tokens cost, by the price list in PRICES."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal

from .conf import agent_settings
from .types import Usage

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class UnitPrices:
    """US dollars for a million tokens."""

    input: Decimal = Decimal()
    output: Decimal = Decimal()
    cache_read: Decimal = Decimal()
    cache_write: Decimal = Decimal()
    cache_write_1h: Decimal = Decimal()

    def cost(self, usage: Usage) -> Decimal:
        return (
            usage.input_tokens * self.input
            + usage.output_tokens * self.output
            + usage.cache_read_tokens * self.cache_read
            + usage.cache_write_tokens * self.cache_write
        ) / MILLION


def unit_prices(provider: str, model: str) -> UnitPrices | None:
    """The prices of a provider's model, or None if it has none."""
    prices = agent_settings.PRICES or {}
    found = prices.get(f"{provider}/{model}") or prices.get(model)
    if found is None:
        return None
    names = [field.name for field in fields(UnitPrices)]
    return UnitPrices(**{name: Decimal(str(found[name])) for name in names if name in found})
