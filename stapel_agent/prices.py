"""What a call costs: as its vendor reports it, by the host's PRICES, or by the price list of genai-prices."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from functools import lru_cache
from importlib import import_module
from typing import Any

from .conf import agent_settings
from .figures import ARITHMETIC, SMALLEST_COST, money
from .types import Usage

LIBRARY = "genai_prices"
QUARTER = 900
"""Seconds for which a price of the list is kept: vendors have cheaper hours, and lower prices from a day on."""
MILLION = Decimal(1_000_000)

PROVIDER, PRICE_LIST, UNPRICED = "provider", "price_list", "unpriced"


@dataclass(frozen=True)
class UnitPrices:
    """US dollars per million tokens of each kind. Cached ones without a price of their own cost what input costs."""

    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write: Decimal
    cache_write_1h: Decimal

    @classmethod
    def of(cls, prices: Mapping[str, Any]) -> UnitPrices | None:
        """Of an entry of PRICES; None where it does not price both input and output, or with what is no amount."""
        stated = {kind: money(price) for kind, price in prices.items()}
        if None in stated.values() or not {"input", "output"} <= stated.keys() <= cls.__dataclass_fields__.keys():
            return None
        write = stated.get("cache_write", stated["input"])
        return cls(**{"cache_read": stated["input"], "cache_write": write, "cache_write_1h": write, **stated})  # type: ignore[arg-type]

    def cost(self, usage: Usage) -> Decimal:
        """Of the tokens, each kind at its own price."""
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


def cost_of(usage: Usage, provider: str, model: str, vendor: str | None = None) -> Cost:
    """The cost of `usage`: the vendor's own figure, or by unit prices. Of tokens that are unknown it is unknown."""
    if (stated := money(usage.cost_usd)) is not None:
        return Cost(stated, PROVIDER)
    prices = unit_prices(provider, model, vendor, _prompt_tokens(usage)) if usage else None
    usd = money(prices.cost(usage)) if prices else None
    return Cost() if usd is None else Cost(usd, PRICE_LIST, prices)


def unit_prices(provider: str, model: str, vendor: str | None = None, prompt_tokens: int = 0) -> UnitPrices | None:
    """Those of PRICES, else of the `vendor`'s price list; None where neither has any.

    `vendor` is an id of genai-prices or the URL of an API. A price list may charge more for a long prompt.
    """
    own = agent_settings.PRICES
    entry = own.get(f"{provider}/{model}", own.get(model)) if isinstance(own, Mapping) else None
    if entry is not None:
        return UnitPrices.of(entry) if isinstance(entry, Mapping) else None
    listed = (vendor and _listed(vendor, model, int(time.time()) // QUARTER)) or {}
    return UnitPrices.of({kind: _at(price, prompt_tokens) for kind, price in listed.items()})


async def aload(vendor: str | None) -> None:
    """Import the price list off the event loop, once per process, if it is to be asked."""
    if vendor and LIBRARY not in sys.modules:
        await asyncio.to_thread(import_module, LIBRARY)


def _prompt_tokens(usage: Usage) -> int:
    return usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens


@lru_cache(maxsize=256)
def _listed(vendor: str, model: str, quarter: int) -> dict[str, Any] | None:
    """Kind of token -> what the price list has for it in that quarter of an hour since 1970, which may be tiers."""
    library = import_module(LIBRARY)
    where = {"provider_api_url": vendor} if "://" in vendor else {"provider_id": vendor}
    try:
        moment = datetime.fromtimestamp(quarter * QUARTER, UTC)
        found = library.calc_price(library.Usage(), model_ref=model, genai_request_timestamp=moment, **where)
    except LookupError:
        return None
    listed = {kind: getattr(found.model_price, f"{kind}_mtok") for kind in UnitPrices.__dataclass_fields__}
    return {kind: price for kind, price in listed.items() if price is not None}


def _at(price: Any, prompt_tokens: int) -> Any:
    """A price, or of its tiers the one that a prompt of so many tokens is in."""
    reached = [tier.price for tier in getattr(price, "tiers", ()) if prompt_tokens > tier.start]
    return reached[-1] if reached else getattr(price, "base", price)
