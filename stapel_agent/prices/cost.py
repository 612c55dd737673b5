"""The cost of a call: as reported by the vendor, from the PRICES setting, or from the genai-prices price list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from stapel_agent.column_ranges import money, storable_cost
from stapel_agent.conf import agent_settings
from stapel_agent.types import Usage

from .price_list import Conditions, listed
from .token_prices import UnitPrices

PROVIDER, PRICE_LIST, UNPRICED = "provider", "price_list", "unpriced"
CONDITIONS = ("service_tier", "speed", "inference_geo")
CONDITION_LENGTH = 32


@dataclass(frozen=True)
class Cost:
    """The cost of a call in US dollars, or None if unknown; the source of the figure, and the prices used."""

    usd: Decimal | None = None
    basis: str = UNPRICED
    prices: UnitPrices | None = None

    @property
    def stated_prices(self) -> dict[str, str]:
        """The unit prices, as stored in the ledger's metadata."""
        return {kind: f"{price.normalize():f}" for kind, price in asdict(self.prices).items()} if self.prices else {}


NOTHING_SPENT = Cost(Decimal(0), PRICE_LIST)


def cost_of(usage: Usage, provider: str, model: str, vendor: str | None = None, terms: object = None) -> Cost:
    """Return the cost of `usage`: the vendor's own figure, or computed from unit prices. Unknown usage has no cost.

    `terms` is the metadata of a result. Its `service_tier`, `speed` and `inference_geo` can change the price.
    """
    if (stated := money(usage.cost_usd)) is not None:
        return Cost(stated, PROVIDER)
    prices = unit_prices(provider, model, vendor, usage.prompt_tokens, terms) if usage else None
    return Cost(storable_cost(prices.cost(usage)), PRICE_LIST, prices) if prices else Cost()


def unit_prices(
    provider: str, model: str, vendor: str | None = None, prompt_tokens: int = 0, terms: object = None
) -> UnitPrices | None:
    """Return the prices from PRICES, or from the `vendor`'s price list, or None if neither has any.

    `vendor` is an id of genai-prices or the URL of an API. A price list may charge more for a long prompt or for some
    `terms`. An entry of PRICES applies to all terms that are not among its `tiers`.
    """
    conditions = _conditions(terms)
    entry = own_entry(provider, model)
    if entry is not None:
        names = tuple(word for _, word in conditions)
        return UnitPrices.of_tier(entry, names) if isinstance(entry, Mapping) else None
    found = listed(vendor, model, conditions) if vendor else None
    return found.at(prompt_tokens) if found else None


def own_entry(provider: str, model: str) -> Any:
    """Return the entry of PRICES for a provider's model, or None."""
    own = agent_settings.PRICES
    return own.get(f"{provider}/{model}", own.get(model)) if isinstance(own, Mapping) else None


def _conditions(terms: object) -> Conditions:
    stated: Any = terms if isinstance(terms, Mapping) else {}
    words = ((name, stated.get(name)) for name in CONDITIONS)
    return tuple((name, word) for name, word in words if isinstance(word, str) and 0 < len(word) <= CONDITION_LENGTH)
