"""Estimates the maximum cost of a call from the text it sends and the cap on its answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from operator import attrgetter
from typing import Any
from urllib.parse import urlsplit

from stapel_agent.asking import INPUT, OUTPUT, Attempt
from stapel_agent.column_ranges import ARITHMETIC
from stapel_agent.prices import UnitPrices, own_entry, request_fee, unit_prices
from stapel_agent.providers import LlmProvider
from stapel_agent.token_estimation import byte_length, token_estimate
from stapel_agent.types import CompletionRequest, Usage

from .policies import NANOS, Spend, nanos

FRAME_TOKENS = 50
"""Tokens that a vendor adds around the texts of a request."""

# The most tokens of one image, from each vendor's image guide: its most expensive model at the largest size.
IMAGE_TOKENS = {
    # 2576 pixels on the long edge, one token per 750 pixels.
    "anthropic": 5_000,
    "api.anthropic.com": 5_000,
    # gpt-4o-mini: 2833 tokens, plus 5667 for each of up to eight tiles.
    "openai": 48_169,
    "api.openai.com": 48_169,
    # Seven tiles of 256 tokens.
    "x-ai": 1_792,
    "api.x.ai": 1_792,
}
UNKNOWN_IMAGE_TOKENS = max(IMAGE_TOKENS.values())
"""An estimate for other vendors, not an upper bound."""


@dataclass(frozen=True, slots=True)
class Estimate(Spend):
    """The most that a call may cost. If no price is known, `nanos` is 0 and `is_priced` is False."""

    is_priced: bool = True

    @property
    def usd(self) -> Decimal | None:
        return ARITHMETIC.divide(Decimal(self.nanos), Decimal(NANOS)) if self.is_priced else None


def estimated(request: CompletionRequest, vendor: str | None) -> Estimate:
    """Estimate the most that a call may cost: everything it sends, plus an answer as long as its cap.

    Without a known price, the estimate has tokens only. It is an upper bound if the provider supports a cap
    (`supports_max_tokens`) and the vendor's image tokens are known.
    """
    return _with_fee(_priced(request, vendor, _sent_tokens(request, vendor), request.max_tokens), request, vendor)


def expected(request: CompletionRequest, vendor: str | None, answered: int) -> Estimate:
    """Estimate what a call costs whose answer has `answered` tokens, at the usual size of a token: no upper bound."""
    texts = (request.message, request.system_prompt or "")
    sent = sum(map(token_estimate, texts)) + FRAME_TOKENS
    return _with_fee(_priced(request, vendor, sent, min(answered, request.max_tokens)), request, vendor)


def estimated_rest(attempt: Attempt, unstated: Collection[str]) -> Estimate:
    """Estimate the most that the `unstated` halves of a finished attempt's usage may cost.

    The text of the answer bounds its tokens if the provider takes no cap.
    """
    usage, priced = attempt.usage, _pricing(attempt)
    if total := usage.unsplit_tokens:
        return max(priced(total, 0), priced(0, total), key=attrgetter("nanos"))
    answered = max(attempt.request.max_tokens, byte_length(attempt.text or ""))
    return priced(
        max(0, _sent_tokens(attempt.request, attempt.vendor) - usage.prompt_tokens) if INPUT in unstated else 0,
        max(0, answered - usage.output_tokens) if OUTPUT in unstated else 0,
    )


def estimated_beyond(attempt: Attempt) -> Estimate:
    """Estimate the most that an attempt with an unknown outcome may cost beyond its known usage.

    Each half has its own rest: a vendor that adds a prompt of its own states more input than was sent.
    """
    usage, priced = attempt.usage, _pricing(attempt)
    sent = max(0, _sent_tokens(attempt.request, attempt.vendor) - usage.prompt_tokens)
    answered = max(0, attempt.request.max_tokens - usage.output_tokens)
    total = usage.unsplit_tokens
    return max(priced(sent, answered), priced(total, 0), priced(0, total), key=attrgetter("nanos", "tokens"))


def _pricing(attempt: Attempt) -> Callable[[int, int], Estimate]:
    """Return the function that prices a number of sent and of answered tokens at the prices of this attempt.

    If no usage is known, the cost so far has no fee for the request, so the estimate has it.
    """
    request, vendor, result = attempt.request, attempt.vendor, attempt.result
    terms = [result.metadata] if result else []
    prompt_tokens = max(_sent_tokens(request, vendor), attempt.usage.prompt_tokens)
    priced = partial(_priced, request, vendor, prompt_tokens=prompt_tokens, terms=terms)
    return priced if attempt.usage else lambda *tokens: _with_fee(priced(*tokens), request, vendor)


def _with_fee(estimate: Estimate, request: CompletionRequest, vendor: str | None) -> Estimate:
    if not estimate.is_priced:
        return estimate
    return replace(estimate, nanos=estimate.nanos + nanos(request_fee(request.provider, request.model, vendor)))


def _sent_tokens(request: CompletionRequest, vendor: str | None) -> int:
    schema = json.dumps(request.schema) if request.schema else ""
    texts = (request.message, request.system_prompt or "", schema)
    # Prose has four bytes per token, but numbers, hexadecimal digits and rare letters have one.
    images = (image_tokens(vendor) or UNKNOWN_IMAGE_TOKENS) * len(request.images)
    return sum(map(byte_length, texts)) + images + FRAME_TOKENS


def _priced(
    request: CompletionRequest,
    vendor: str | None,
    sent: int,
    answered: int,
    *,
    prompt_tokens: int = 0,
    terms: Sequence[Mapping[str, Any]] = (),
) -> Estimate:
    """Price tokens on the most expensive terms that may apply to the call, whose prompt has `prompt_tokens`."""
    prices = [
        found
        for some in (*_terms(request), *terms)
        if (found := unit_prices(request.provider, request.model, vendor, prompt_tokens or sent, some)) is not None
    ]
    if not prices:
        return Estimate(0, sent + answered, is_priced=False)
    usd = max(_dearest_input(found, sent) + found.cost(Usage(output_tokens=answered)) for found in prices)
    return Estimate(nanos(usd), sent + answered)


def unbounded(provider: LlmProvider) -> Iterator[str]:
    """Yield the parts of a call to this provider that have no known upper bound."""
    if not provider.supports_max_tokens:
        yield "answers, because the provider does not support max_tokens"
    if provider.supports_images and image_tokens(provider.vendor) is None:
        yield "images, if they have any, because the vendor's image tokens are unknown"


def image_tokens(vendor: str | None) -> int | None:
    """Return the most tokens of one image at a vendor (a genai-prices id or the URL of an API); None if unknown."""
    if not vendor:
        return None
    return IMAGE_TOKENS.get((urlsplit(vendor).hostname or "") if "://" in vendor else vendor)


def _terms(request: CompletionRequest) -> list[Mapping[str, Any]]:
    """The terms under which a vendor may bill the call: the standard and requested ones, and each tier of PRICES."""
    entry = own_entry(request.provider, request.model)
    tiers = entry.get("tiers") if entry and isinstance(entry, Mapping) else None
    named = [{"service_tier": name} for name in tiers] if tiers and isinstance(tiers, Mapping) else []
    return [{}, *([request.options] if request.options else ()), *named]


def _dearest_input(prices: UnitPrices, tokens: int) -> Decimal:
    """The highest price a vendor may bill for the input: a one-hour cache write costs twice as much as plain input."""
    kinds = (
        Usage(input_tokens=tokens),
        Usage(cache_read_tokens=tokens),
        Usage(cache_write_tokens=tokens),
        Usage(cache_write_tokens=tokens, cache_write_1h_tokens=tokens),
    )
    return max(map(prices.cost, kinds))
