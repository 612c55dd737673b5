"""What a call costs: as its vendor reports it, by the host's PRICES, or by the price list of genai-prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from stapel_agent.conf import agent_settings
from stapel_agent.figures import money
from stapel_agent.types import Usage

from .price_list import Conditions, listed
from .rates import UnitPrices

PROVIDER, PRICE_LIST, UNPRICED = "provider", "price_list", "unpriced"
CONDITIONS = ("service_tier", "speed", "inference_geo")
CONDITION_LENGTH = 32


@dataclass(frozen=True)
class Cost:
    """What a call cost in US dollars, if that is known; who says so, and by which prices."""

    usd: Decimal | None = None
    basis: str = UNPRICED
    prices: UnitPrices | None = None

    @property
    def stated_prices(self) -> dict[str, str]:
        """The unit prices, for the ledger's metadata."""
        return {kind: f"{price.normalize():f}" for kind, price in asdict(self.prices).items()} if self.prices else {}


NOTHING_SPENT = Cost(Decimal(0), PRICE_LIST)


def cost_of(usage: Usage, provider: str, model: str, vendor: str | None = None, terms: object = None) -> Cost:
    """The cost of `usage`: the vendor's own figure, or by unit prices. Of tokens that are unknown it is unknown.

    `terms` are the metadata of a result, out of which `service_tier`, `speed` and `inference_geo` change a price.
    """
    if (stated := money(usage.cost_usd)) is not None:
        return Cost(stated, PROVIDER)
    prices = unit_prices(provider, model, vendor, _prompt_tokens(usage), terms) if usage else None
    usd = money(prices.cost(usage)) if prices else None
    return Cost() if usd is None else Cost(usd, PRICE_LIST, prices)


def unit_prices(
    provider: str, model: str, vendor: str | None = None, prompt_tokens: int = 0, terms: object = None
) -> UnitPrices | None:
    """Those of PRICES, else of the `vendor`'s price list; None where neither has any.

    `vendor` is an id of genai-prices or the URL of an API. A price list may charge more for a long prompt, and for
    some `terms`; an entry of PRICES has the prices of its `tiers`, and is else the price on any terms.
    """
    conditions = _conditions(terms)
    own = agent_settings.PRICES
    entry = own.get(f"{provider}/{model}", own.get(model)) if isinstance(own, Mapping) else None
    if entry is not None:
        names = tuple(word for _, word in conditions)
        return UnitPrices.of_tier(entry, names) if isinstance(entry, Mapping) else None
    found = listed(vendor, model, conditions) if vendor else None
    return found.at(prompt_tokens) if found else None


def _conditions(terms: object) -> Conditions:
    stated: Any = terms if isinstance(terms, Mapping) else {}
    words = ((name, stated.get(name)) for name in CONDITIONS)
    return tuple((name, word) for name, word in words if isinstance(word, str) and 0 < len(word) <= CONDITION_LENGTH)


def _prompt_tokens(usage: Usage) -> int:
    return usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
