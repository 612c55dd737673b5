"""The most that a call may cost, estimated from what is sent and from the cap on its answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from stapel_agent.conf import agent_settings
from stapel_agent.figures import ARITHMETIC
from stapel_agent.prices import UnitPrices, unit_prices
from stapel_agent.providers import LlmProvider
from stapel_agent.tokens import byte_length
from stapel_agent.types import CompletionRequest, Usage

from .policies import NANOS, Spend, nanos

FRAME_TOKENS = 50
"""What a vendor puts around the texts of a request."""

# The most that one image takes, by each vendor's guide to images: the dearest model, and the size it scales down to.
IMAGE_TOKENS = {
    # 2576 pixels on the long edge, and a token for each 750 pixels.
    "anthropic": 5_000,
    "api.anthropic.com": 5_000,
    # gpt-4o-mini: 2833, and 5667 for each of at most eight tiles.
    "openai": 48_169,
    "api.openai.com": 48_169,
    # Seven tiles of 256.
    "x-ai": 1_792,
    "api.x.ai": 1_792,
}
UNKNOWN_IMAGE_TOKENS = max(IMAGE_TOKENS.values())
"""An estimate for other vendors, and no bound."""


@dataclass(frozen=True, slots=True)
class Estimate(Spend):
    """What a call may cost. A call that no list prices has `nanos` of 0 and is not `is_priced`."""

    is_priced: bool = True

    @property
    def usd(self) -> Decimal | None:
        return ARITHMETIC.divide(Decimal(self.nanos), Decimal(NANOS)) if self.is_priced else None


def estimated(request: CompletionRequest, vendor: str | None) -> Estimate:
    """The most that a call may cost: all that is sent, and an answer as long as its cap. Without a price, no money.

    It is a bound where the provider takes a cap (`supports_max_tokens`) and the vendor's images are known.
    """
    schema = json.dumps(request.schema) if request.schema else ""
    texts = (request.message, request.system_prompt or "", schema)
    # Prose has four bytes a token, but numbers, hexadecimal digits and rare letters have one.
    images = (image_tokens(vendor) or UNKNOWN_IMAGE_TOKENS) * len(request.images)
    sent = sum(map(byte_length, texts)) + images + FRAME_TOKENS
    answered = Usage(output_tokens=request.max_tokens)
    prices = [
        found
        for terms in _terms(request)
        if (found := unit_prices(request.provider, request.model, vendor, sent, terms)) is not None
    ]
    if not prices:
        return Estimate(0, sent + request.max_tokens, is_priced=False)
    usd = max(_dearest_input(found, sent) + found.cost(answered) for found in prices)
    return Estimate(nanos(usd), sent + request.max_tokens)


def unbounded(provider: LlmProvider) -> Iterator[str]:
    """What a call of this provider may take without a known bound."""
    if not provider.supports_max_tokens:
        yield "answers, as it takes no max_tokens"
    if provider.supports_images and image_tokens(provider.vendor) is None:
        yield "images, whose tokens at its vendor are unknown"


def image_tokens(vendor: str | None) -> int | None:
    """The most tokens that an image takes at a vendor, an id of genai-prices or the URL of an API; None if unknown."""
    if not vendor:
        return None
    return IMAGE_TOKENS.get((urlsplit(vendor).hostname or "") if "://" in vendor else vendor)


def _terms(request: CompletionRequest) -> list[Mapping[str, Any]]:
    """On which terms a vendor may take the call: the ordinary ones, those asked for, and each tier of PRICES."""
    own = agent_settings.PRICES
    entry = own.get(f"{request.provider}/{request.model}", own.get(request.model)) if isinstance(own, Mapping) else None
    tiers = entry.get("tiers") if isinstance(entry, Mapping) else None
    named = [{"service_tier": name} for name in tiers] if isinstance(tiers, Mapping) else []
    return [{}, request.options, *named]


def _dearest_input(prices: UnitPrices, tokens: int) -> Decimal:
    """What is sent, as the dearest of what a vendor may take it for: a cache write of an hour costs twice the input."""
    kinds = (
        Usage(input_tokens=tokens),
        Usage(cache_read_tokens=tokens),
        Usage(cache_write_tokens=tokens),
        Usage(cache_write_tokens=tokens, cache_write_1h_tokens=tokens),
    )
    return max(map(prices.cost, kinds))
