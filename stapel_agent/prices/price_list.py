"""The vendors' price lists from genai-prices, adjusted for the terms of a call that change its price."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from importlib import import_module
from typing import Any

from stapel_agent.column_ranges import money

from .token_prices import KINDS, UnitPrices

LIBRARY = "genai_prices"
QUARTER = 900
"""How many seconds a listed price is cached. Vendors have cheaper hours, and change prices on a given date."""

GOOGLE_PREFIX = re.compile(r"^(?:.{0,200}publishers/google/models|google|models)/")
"""What Google's APIs have before a model's name: Vertex AI "google/", and resource names the rest."""

# https://platform.claude.com/docs/en/build-with-claude/prompt-caching: an hour costs twice the input, also at others.
ONE_HOUR, ONE_HOUR_FACTOR, ONE_HOUR_MODELS = "cache_write_1h", 2, "claude"

Conditions = tuple[tuple[str, str], ...]
"""The terms that an answer states, such as (("service_tier", "flex"),)."""


@dataclass(frozen=True)
class Multiplier:
    """A vendor's factor on all prices of a model, under a condition that the price list does not cover."""

    vendor: str
    condition: tuple[str, str]
    models: str
    factor: Decimal


# https://platform.claude.com/docs/en/about-claude/pricing: data residency, fast mode, batch processing.
# https://ai.google.dev/gemini-api/docs/optimization: flex costs half.
MULTIPLIERS = (
    Multiplier("anthropic", ("inference_geo", "us"), r"", Decimal("1.1")),
    Multiplier("anthropic", ("speed", "fast"), r"opus-4-[67]", Decimal(6)),
    Multiplier("anthropic", ("service_tier", "batch"), r"", Decimal("0.5")),
    Multiplier("google", ("service_tier", "flex"), r"", Decimal("0.5")),
    # Reserved capacity, which is billed separately. The listed price is the cost without it.
    Multiplier("anthropic", ("service_tier", "priority"), r"", Decimal(1)),
    Multiplier("openai", ("service_tier", "scale"), r"", Decimal(1)),
    Multiplier("groq", ("service_tier", "performance"), r"", Decimal(1)),
    # https://console.groq.com/docs/flex-processing: the price of the on-demand tier.
    Multiplier("groq", ("service_tier", "flex"), r"", Decimal(1)),
)


@dataclass(frozen=True)
class Listed:
    """Kind of token -> listed price, which may depend on the prompt's length. Each is multiplied by `factor`.

    The price of one-hour cache writes of Claude follows from that of the input if it is not listed.
    `web_search` is the price of a thousand web searches by the `vendor`, and `request` that of a thousand requests, if
    they are listed.
    """

    vendor: str
    model: str
    prices: Mapping[str, Any]
    factor: Decimal
    web_search: Decimal | None = None
    request: Decimal | None = None

    def at(self, prompt_tokens: int) -> UnitPrices | None:
        stated = {kind: _at(price, prompt_tokens) for kind, price in self.prices.items()}
        if ONE_HOUR_MODELS in self.model and "input" in stated:
            stated = {ONE_HOUR: stated["input"] * ONE_HOUR_FACTOR, **stated}
        prices = UnitPrices.of(stated)
        return prices and prices.times(self.factor)


def listed(vendor: str, model: str, conditions: Conditions = ()) -> Listed | None:
    """Return the current listed prices of a model on these terms, or None if the list does not cover them."""
    return _listed(vendor, model, conditions, int(time.time()) // QUARTER)


async def aload(vendor: str | None) -> None:
    """Import the price list in a thread, off the event loop, if a `vendor` needs it. Once per process."""
    if vendor and LIBRARY not in sys.modules:
        await asyncio.to_thread(import_module, LIBRARY)


@lru_cache(maxsize=256)
def _listed(vendor: str, model: str, conditions: Conditions, quarter: int) -> Listed | None:
    moment = datetime.fromtimestamp(quarter * QUARTER, UTC)
    found = _found(vendor, model, conditions, moment)
    if found is None:
        return None
    factors = [_factor(found, condition, moment) for condition in conditions]
    if None in factors:
        return None
    prices = {kind: getattr(found.model_price, f"{kind}_mtok") for kind in KINDS}
    product = Decimal(1)
    for factor in factors:
        product *= factor or 1
    fees = (
        money(_at(getattr(found.model_price, name, None), 0)) for name in ("web_searches_kcount", "requests_kcount")
    )
    stated = {kind: price for kind, price in prices.items() if price is not None}
    return Listed(found.provider.id, found.model.id, stated, product, *fees)


def _found(vendor: str, model: str, conditions: Conditions, moment: datetime) -> Any:
    """Return the entry of the list for a model, or None. `found.provider` is the vendor."""
    library = import_module(LIBRARY)
    where = {"provider_api_url": vendor} if "://" in vendor else {"provider_id": vendor}
    context = {_name(condition): condition[1] for condition in conditions} or None
    for name in dict.fromkeys((model, GOOGLE_PREFIX.sub("", model))):
        try:
            found = library.calc_price(
                library.Usage(), model_ref=name, genai_request_timestamp=moment, price_context=context, **where
            )
        except LookupError:
            continue
        if name == model or found.provider.id == "google":
            return found
    return None


def _name(condition: tuple[str, str]) -> str:
    """Return the price list's name for this kind of condition."""
    return "processing" if condition == ("service_tier", "batch") else condition[0]


def _factor(found: Any, condition: tuple[str, str], moment: datetime) -> Decimal | None:
    """Return the factor by which a condition changes the listed price, or None if the factor is unknown."""
    # The list has applied a variant, except to a model that it borrows from another vendor's list, as for Azure.
    variants = (found.model.price_variants or ()) if any(found.model is own for own in found.provider.models) else ()
    if any(_is_in_force(variant, condition, moment) for variant in variants):
        return Decimal(1)
    rules = (rule for rule in MULTIPLIERS if (rule.vendor, rule.condition) == (found.provider.id, condition))
    return next((rule.factor for rule in rules if re.search(rule.models, found.model.id)), None)


def _is_in_force(variant: Any, condition: tuple[str, str], moment: datetime) -> bool:
    is_of_condition = variant.when.get(_name(condition)) == condition[1]
    return is_of_condition and (variant.constraint is None or variant.constraint.active(moment))


def _at(price: Any, prompt_tokens: int) -> Any:
    """Return the price, or the price of the tier for a prompt of this many tokens."""
    reached = [tier.price for tier in getattr(price, "tiers", ()) if prompt_tokens > tier.start]
    return reached[-1] if reached else getattr(price, "base", price)


ISO_DATE = re.compile(r"20\d\d-\d\d-\d\d")


def list_date(today: date) -> date | None:
    """Return the latest date in the price list that is not after `today`. The list is at least as new as that."""
    providers = import_module(f"{LIBRARY}.data_snapshot").get_snapshot().providers
    return max((day for provider in providers for day in _days(provider) if day <= today), default=None)


def _days(provider: Any) -> Iterator[date]:
    for model in provider.models:
        conditional = model.prices if isinstance(model.prices, list) else ()
        for part in (*conditional, *(model.price_variants or ())):
            if day := getattr(part.constraint, "start_date", None):
                yield day
    for comment in (provider.price_comments, *(model.price_comments for model in provider.models)):
        for text in ISO_DATE.findall(comment or ""):
            try:
                yield date.fromisoformat(text)
            except ValueError:
                continue
