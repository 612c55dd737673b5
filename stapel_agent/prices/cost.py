"""The cost of a call: as reported by the vendor, from the PRICES setting, or from the genai-prices price list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal, localcontext
from typing import Any

from stapel_agent.column_ranges import ARITHMETIC, money, storable_cost, token_count
from stapel_agent.conf import agent_settings
from stapel_agent.types import Usage

from .price_list import Listed, listed
from .token_prices import UnitPrices

Terms = Mapping[str, Any] | None
"""The metadata of a result, or the options of a request."""

PROVIDER, PRICE_LIST, ESTIMATED, UNPRICED = "provider", "price_list", "estimated", "unpriced"
CONDITIONS = ("service_tier", "speed", "inference_geo")
LONGEST = 32
ORDINARY = frozenset(
    {
        *("", "standard", "default", "auto", "normal", "regular", "on_demand", "on-demand", "standard_only"),
        *("none", "null", "unspecified", "not_available", "global"),
    }
)
"""The values of CONDITIONS for which the listed price applies."""
WEB_SEARCHES, OTHER_TOOL_USES = "web_searches", "other_tool_uses"
TOOL_USES = (WEB_SEARCHES, OTHER_TOOL_USES)
"""Uses of the vendor's own tools that it bills in addition to the tokens: their numbers in a result's metadata."""
VENDOR_TOOLS = frozenset({"tools", "plugins", "web_search_options", "search_parameters", "enable_search"})
"""Options that let a vendor search or run code, which it bills in addition to the tokens that are sent."""
OTHER_MODELS = "models"
"""The option with the models that a vendor such as OpenRouter may use instead, at their own prices."""
STATING_VENDORS = frozenset({"anthropic", "perplexity", "x-ai"})
"""Vendors whose answers state each such use, so that there was none if none is stated."""


@dataclass(frozen=True)
class Cost:
    """The cost of a call in US dollars, or None if unknown; the source of the figure, and the prices used.

    The basis ESTIMATED means that the vendor also bills something whose price or number is unknown. `web_search` is
    the price of a thousand searches, if there were any, and `request` that of a thousand requests, if it has one.
    """

    usd: Decimal | None = None
    basis: str = UNPRICED
    prices: UnitPrices | None = None
    web_search: Decimal | None = None
    request: Decimal | None = None

    @property
    def stated_prices(self) -> dict[str, str]:
        """The unit prices, as stored in the ledger's metadata."""
        prices = {
            **(asdict(self.prices) if self.prices else {}),
            "web_search": self.web_search,
            "request": self.request,
        }
        return {kind: f"{price.normalize():f}" for kind, price in prices.items() if price is not None}


NOTHING_SPENT = Cost(Decimal(0), PRICE_LIST)


def cost_of(
    usage: Usage, provider: str, model: str, vendor: str | None = None, terms: Terms = None, options: Terms = None
) -> Cost:
    """Return the cost of `usage`: the vendor's own figure, or computed from unit prices. Unknown usage has no cost.

    `terms` is the metadata of a result. Its `service_tier`, `speed` and `inference_geo` can change the price, and its
    TOOL_USES are billed in addition to the tokens. `options` are those of the request.
    """
    if (stated := money(usage.cost_usd)) is not None:
        return Cost(stated, PROVIDER)
    prices = unit_prices(provider, model, vendor, usage.prompt_tokens, terms) if usage else None
    if prices is None:
        return Cost()
    uses, may_use_tools, is_own = tool_uses(terms), _may_use_tools(options), own_entry(provider, model) is not None
    found = listed(vendor, model) if vendor and (uses or may_use_tools or not is_own) else None
    request = None if is_own or found is None else found.request
    search = _search_price(found, uses)
    with localcontext(ARITHMETIC):
        fees = (request or 0) + (search or 0) * uses.get(WEB_SEARCHES, 0)
        usd = prices.cost(usage) + fees / Decimal(1000)
    is_stated = bool(uses) or not may_use_tools or (found.vendor if found else vendor) in STATING_VENDORS
    basis = PRICE_LIST if is_stated and (search is not None or not uses) else ESTIMATED
    return Cost(storable_cost(usd), basis, prices, search, request)


def request_fee(provider: str, model: str, vendor: str | None) -> Decimal:
    """Return what the vendor bills for a request in addition to its tokens, in US dollars, by its price list."""
    found = listed(vendor, model) if vendor and own_entry(provider, model) is None else None
    return ARITHMETIC.divide(found.request, Decimal(1000)) if found and found.request else Decimal(0)


def _search_price(found: Listed | None, uses: Mapping[str, int]) -> Decimal | None:
    """Return the price of a thousand searches, if these are all that `uses` has, and their price is known."""
    return found.web_search if found and uses.keys() == {WEB_SEARCHES} else None


def _may_use_tools(options: Terms) -> bool:
    return any(options.get(name) not in (None, False, [], ()) for name in VENDOR_TOOLS) if options else False


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
    conditions = tuple(conditions_of(terms).items())
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


def conditions_of(terms: Terms) -> dict[str, str]:
    """Return the terms that may change the price, such as {"service_tier": "flex"}: not those with ORDINARY values."""
    stated = {name: terms.get(name) for name in CONDITIONS} if terms else {}
    words = {name: word.lower() for name, word in stated.items() if isinstance(word, str) and len(word) <= LONGEST}
    return {name: word for name, word in words.items() if word not in ORDINARY}
