"""The cost of a call: as reported by the vendor, from the PRICES setting, or from the genai-prices price list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from stapel_agent.column_ranges import ARITHMETIC, money, storable_cost, token_count
from stapel_agent.conf import agent_settings
from stapel_agent.types import Usage

from .price_list import Conditions, listed
from .token_prices import UnitPrices

Terms = Mapping[str, Any] | None
"""The metadata of a result, or the options of a request."""

PROVIDER, PRICE_LIST, ESTIMATED, UNPRICED = "provider", "price_list", "estimated", "unpriced"
CONDITIONS = ("service_tier", "speed", "inference_geo")
CONDITION_LENGTH = 32
ORDINARY = frozenset(
    {
        *("", "standard", "default", "auto", "normal", "regular", "on_demand", "on-demand", "standard_only"),
        *("none", "null", "unspecified", "not_available", "global"),
    }
)
"""The values of CONDITIONS at which the listed price applies."""
WEB_SEARCHES, OTHER_TOOL_USES = "web_searches", "other_tool_uses"
TOOL_USES = (WEB_SEARCHES, OTHER_TOOL_USES)
"""Uses of the vendor's own tools that it bills in addition to the tokens: their numbers in a result's metadata."""


@dataclass(frozen=True)
class Cost:
    """The cost of a call in US dollars, or None if unknown; the source of the figure, and the prices used.

    The basis ESTIMATED means that the vendor also bills something whose price is unknown. `web_search` is the price
    of a thousand searches, if there were any.
    """

    usd: Decimal | None = None
    basis: str = UNPRICED
    prices: UnitPrices | None = None
    web_search: Decimal | None = None

    @property
    def stated_prices(self) -> dict[str, str]:
        """The unit prices, as stored in the ledger's metadata."""
        prices = {**(asdict(self.prices) if self.prices else {}), "web_search": self.web_search}
        return {kind: f"{price.normalize():f}" for kind, price in prices.items() if price is not None}


NOTHING_SPENT = Cost(Decimal(0), PRICE_LIST)


def cost_of(usage: Usage, provider: str, model: str, vendor: str | None = None, terms: Terms = None) -> Cost:
    """Return the cost of `usage`: the vendor's own figure, or computed from unit prices. Unknown usage has no cost.

    `terms` is the metadata of a result. Its `service_tier`, `speed` and `inference_geo` can change the price, and its
    TOOL_USES are billed in addition to the tokens.
    """
    if (stated := money(usage.cost_usd)) is not None:
        return Cost(stated, PROVIDER)
    prices = unit_prices(provider, model, vendor, usage.prompt_tokens, terms) if usage else None
    if prices is None:
        return Cost()
    tokens, uses = prices.cost(usage), tool_uses(terms)
    if not uses:
        return Cost(storable_cost(tokens), PRICE_LIST, prices)
    found = listed(vendor, model) if vendor else None
    if found is None or found.web_search is None or OTHER_TOOL_USES in uses:
        return Cost(storable_cost(tokens), ESTIMATED, prices)
    fee = ARITHMETIC.multiply(found.web_search, uses[WEB_SEARCHES]).scaleb(-3, ARITHMETIC)
    return Cost(storable_cost(ARITHMETIC.add(tokens, fee)), PRICE_LIST, prices, found.web_search)


def tool_uses(terms: Terms) -> dict[str, int]:
    """Return the TOOL_USES in the metadata of a result that are more than 0."""
    return {name: count for name in TOOL_USES if terms and (count := token_count(terms.get(name)))}


def unit_prices(
    provider: str, model: str, vendor: str | None = None, prompt_tokens: int = 0, terms: Terms = None
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
    return own.get(f"{provider}/{model}", own.get(model)) if own and isinstance(own, Mapping) else None


def _conditions(terms: Terms) -> Conditions:
    if not terms:
        return ()
    stated = ((name, terms.get(name)) for name in CONDITIONS)
    words = ((name, word.lower()) for name, word in stated if isinstance(word, str) and len(word) <= CONDITION_LENGTH)
    return tuple((name, word) for name, word in words if word not in ORDINARY)
