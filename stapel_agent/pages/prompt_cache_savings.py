"""The dollars that vendors' prompt caches saved, at today's prices."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from stapel_agent.accounting import CachedInput
from stapel_agent.prices import UnitPrices, unit_prices
from stapel_agent.providers import provider_registry

from .number_formatting import count, money


def saved_note(cached: Sequence[CachedInput]) -> str:
    """What reads of the caches saved, less what writes cost above plain input; empty if no cache was used."""
    if not cached:
        return ""
    vendors = {name: _vendor(name) for name in {one.provider for one in cached}}
    prices = [_prices(one, vendors[one.provider]) for one in cached]
    amounts = [
        found.saved_by_cache(one.read_tokens, one.write_tokens)
        for one, found in zip(cached, prices, strict=True)
        if found
    ]
    without = len(cached) - len(amounts)
    left_out = f"{count(without)} {'model' if without == 1 else 'models'} without a price"
    if not amounts:
        return f"what vendors' caches saved is unknown: {left_out}"
    return f"{_amount(sum(amounts, Decimal(0)))}, at today's prices" + (f"; {left_out} left out" if without else "")


def _amount(saved: Decimal) -> str:
    if saved < 0:
        return f"vendors' caches cost {money(-saved)} more than they saved"
    return f"vendors' caches saved {money(saved)}"


def _vendor(provider: str | None) -> str | None:
    """Return the vendor whose price list applies. A recorded call may name one that is not a provider here."""
    try:
        return provider_registry.load(provider)().vendor if provider in provider_registry.entries() else provider
    except Exception:  # system checks report a provider that cannot be loaded
        return None


def _prices(cached: CachedInput, vendor: str | None) -> UnitPrices | None:
    try:
        return unit_prices(cached.provider or "", cached.model or "", vendor)
    except Exception:  # a name in a row must not break the page
        return None
