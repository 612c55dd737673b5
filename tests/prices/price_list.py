"""Our own price list, so that no test depends on the current one of genai-prices.

SOURCES names the page on which each vendor publishes its prices, and the date when it was read. "page": we read it
ourselves; "quoted": we read a quotation. VENDORS maps the pattern of a vendor's URL to its models: US dollars per
million tokens of input, output, cache reads, cache writes and one-hour cache writes, and per thousand web searches and
requests, by the terms of a call or the hour. "1>200000:2" is 2 if the prompt has more tokens than that.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, time
from decimal import Decimal
from typing import Any

from genai_prices import types
from genai_prices.data_snapshot import DataSnapshot, set_custom_snapshot

from stapel_agent.prices import price_list

KINDS = (
    *("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "cache_write_1h_mtok"),
    *("web_searches_kcount", "requests_kcount"),
)
SOURCES: dict[str, tuple[str, str, str]] = {
    "anthropic": ("page", "2026-11-29", "https://platform.claude.com/docs/en/about-claude/pricing"),
    "azure": ("page", "2026-08-11", "https://prices.azure.com/api/retail/prices (global deployments)"),
    "deepseek": ("page", "2026-11-15", "https://api-docs.deepseek.com/quick_start/pricing"),
    "google": ("quoted", "2026-10-14", "https://ai.google.dev/gemini-api/docs/pricing"),
    "groq": ("quoted", "2026-10-14", "https://groq.com/pricing"),
    "minimax": ("quoted", "2026-12-01", "https://platform.minimax.io/docs/pricing/overview (quoted by genai-prices)"),
    "mistral": ("quoted", "2026-10-14", "https://mistral.ai/pricing/api"),
    "moonshotai": ("page", "2026-03-26", "https://platform.kimi.ai/docs/pricing/chat (later ones quoted, 2026-12-01)"),
    "openai": ("quoted", "2026-10-14", "https://developers.openai.com/api/docs/pricing"),
    "openai, priority": ("page", "2026-11-29", "https://openai.com/api-priority-processing/"),
    "openrouter": ("quoted", "2026-12-01", "https://openrouter.ai/anthropic/claude-opus-4.6 (quoted by genai-prices)"),
    "perplexity": ("quoted", "2026-11-30", "https://docs.perplexity.ai/docs/getting-started/pricing"),
    "together": ("quoted", "2026-12-01", "https://www.together.ai/pricing (quoted by genai-prices)"),
    "x-ai": ("page", "2026-11-29", "https://docs.x.ai/developers/pricing (grok-3-mini 2025-06-02)"),
    "zai": ("page", "2026-11-29", "https://docs.z.ai/guides/overview/pricing"),
}
VENDORS: dict[str, tuple[str, dict[str, dict[str, str]]]] = {
    "anthropic": (
        "https://api\\.anthropic\\.com",
        {
            "claude-haiku-4-5": {"base": "1 5 0.1 1.25 2 10", "processing=batch": "0.5 2.5 0.05 0.625 1"},
            "claude-opus-4-6": {"base": "5 25 0.5 6.25 10", "processing=batch": "2.5 12.5 0.25 3.125 5"},
            "claude-opus-4-8": {
                "base": "5 25 0.5 6.25 10",
                "processing=batch": "2.5 12.5 0.25 3.125 5",
                "speed=fast": "10 50 1 12.5 20",
            },
            "claude-sonnet-5": {"base": "2 10 0.2 2.5 4", "processing=batch": "1 5 0.1 1.25 2"},
        },
    ),
    "azure": (
        r"(https?://)?([^.]*\.)?(?:openai\.azure\.com|azure-api\.net|cognitiveservices\.azure\.com)",
        {
            "gpt-4o": {"base": "2.5 10 1.25"},
            "gpt-5-mini": {
                "base": "0.25 2 0.025",
                "service_tier=priority": "0.45 3.6 0.045",
                "processing=batch": "0.125 1 0.0125",
            },
            "gpt-5.4": {"base": "2.5>272000:5 15>272000:22.5 0.25>272000:0.5", "service_tier=priority": "5 30 0.5"},
        },
    ),
    "deepseek": (
        "https://api\\.deepseek\\.com",
        {
            "deepseek-chat": {"base": "0.135 0.55 0.035", "00:30-16:30": "0.27 1.1 0.07"},
            "deepseek-flash": {
                "base": "0.15 0.6 0.003",
                "01:00-04:00": "0.3 1.2 0.006",
                "06:00-10:00": "0.3 1.2 0.006",
            },
            "deepseek-v4-pro": {
                "base": "0.66 1.98 0.022",
                "01:00-04:00": "1.32 3.96 0.044",
                "06:00-10:00": "1.32 3.96 0.044",
            },
        },
    ),
    "google": (
        "https://(.*\\.)?googleapis\\.com",
        {
            "gemini-2.5-flash": {"base": "0.3 2.5 0.03", "processing=batch": "0.15 1.25"},
            "gemini-3.5-flash-lite": {"base": "0.3 2.5 0.03"},
            "gemini-2.5-pro": {
                "base": "1.25>200000:2.5 10>200000:15 0.125>200000:0.25",
                "processing=batch": "0.625>200000:1.25 5>200000:7.5",
            },
        },
    ),
    "groq": (
        "https://api\\.groq\\.com",
        {
            "openai/gpt-oss-120b": {"base": "0.15 0.6 0.075", "processing=batch": "0.075 0.3 0.075"},
            "openai/gpt-oss-20b": {"base": "0.075 0.3 0.0375"},
        },
    ),
    "mistral": (
        "https://api\\.mistral\\.ai",
        {
            "mistral-small-latest": {"base": "0.15 0.6 0.015"},
            "mistral-medium-latest": {"base": "1.5 7.5 0.15", "processing=batch": "0.75 3.75 0.075"},
        },
    ),
    "moonshotai": (
        "https://api\\.moonshot\\.",
        {
            "kimi-k2.5": {"base": "0.6 3 0.1"},
            "kimi-k2.6": {"base": "0.95 4 0.16"},
            "kimi-k3.1-pro": {"base": "2 10 0.2 2 4"},
            "kimi-k3": {"base": "3 15 0.3 3 6"},
        },
    ),
    "openai": (
        "https://api\\.openai\\.com",
        {
            "gpt-4.1": {
                "base": "2 8 0.5",
                "service_tier=default": "",
                "service_tier=priority": "3.5 14 0.875",
                "service_tier=fast": "3.5 14 0.875",
                "processing=batch": "1 4",
            },
            "gpt-4o": {
                "base": "2.5 10 1.25",
                "service_tier=default": "",
                "service_tier=priority": "4.25 17 2.125",
                "service_tier=fast": "4.25 17 2.125",
                "processing=batch": "1.25 5",
            },
            "gpt-5.4-mini": {"base": "0.75 4.5 0.075", "service_tier=priority": "1.5 9 0.15"},
            "gpt-5.4": {
                "base": "2.5>272000:5 15>272000:22.5 0.25>272000:0.5",
                "service_tier=default": "",
                "service_tier=flex": "1.25>272000:2.5 7.5>272000:11.25 0.13>272000:0.25",
                "service_tier=priority": "5 30 0.5",
                "processing=batch": "1.25>272000:2.5 7.5>272000:11.25 0.13>272000:0.25",
            },
            "gpt-5": {
                "base": "1.25 10 0.125",
                "service_tier=default": "",
                "service_tier=flex": "0.625 5 0.0625",
                "service_tier=priority": "2.5 20 0.25",
                "service_tier=fast": "2.5 20 0.25",
                "processing=batch": "0.625 5 0.0625",
            },
        },
    ),
    "openrouter": (
        "https://openrouter\\.ai",
        {"anthropic/claude-opus-4.6": {"base": "5 25 0.5 6.25"}, "openai/gpt-5.4": {"base": "2.5 15 0.25"}},
    ),
    "minimax": (
        "https://api\\.minimaxi?\\.(?:com|io)",
        {"MiniMax-M2.7": {"base": "0.3 1.2 0.06 0.375"}, "MiniMax-M3.1-Flash": {"base": "0.15 0.6 0.015"}},
    ),
    "perplexity": (
        "https://api\\.perplexity\\.ai",
        {
            "sonar-deep-research": {"base": "2 8 - - - 5"},
            "sonar": {"base": "1 1 - - - - 12"},
        },
    ),
    "together": ("https://api\\.together\\.xyz", {"Qwen/Qwen3.5-9B": {"base": "0.17 0.25"}}),
    "x-ai": (
        "https://api\\.x\\.ai",
        {
            "grok-3-mini": {"base": "0.3 0.5 0.075"},
            "grok-4.3": {
                "base": "1.25>199999:2.5 2.5>199999:5 0.2>199999:0.4",
                "processing=batch": "1>199999:2 2>199999:4 0.16>199999:0.32",
            },
            "grok-4.5": {"base": "2>199999:4 6>199999:12 0.3>199999:0.6"},
        },
    ),
    "zai": (
        "https://api\\.z\\.ai",
        {
            "GLM-4.7": {"base": "0.6 2.2 0.11"},
            "GLM-5": {"base": "1 3.2 0.2"},
        },
    ),
}
BORROWED = {"azure": ["openai"]}
"""Vendors whose models cost the same as those of the same name at others, on standard terms."""


@contextmanager
def listed() -> Iterator[None]:
    """Use these prices instead of those of genai-prices in this block."""
    price_list._listed.cache_clear()
    set_custom_snapshot(_snapshot())
    try:
        yield
    finally:
        set_custom_snapshot(None)
        price_list._listed.cache_clear()


def _snapshot() -> DataSnapshot:
    providers = [
        types.Provider(
            id=vendor,
            name=vendor,
            api_pattern=pattern,
            models=[_model(*item) for item in models.items()],
            fallback_model_providers=BORROWED.get(vendor),
        )
        for vendor, (pattern, models) in VENDORS.items()
    ]
    return DataSnapshot(providers=providers, from_auto_update=False)


def _model(name: str, terms: dict[str, str]) -> types.ModelInfo:
    prices: Any = _prices(terms["base"])
    variants = []
    for term, listed in terms.items():
        key, _, value = term.partition("=")
        if value:
            variants.append(types.PriceVariant(when={key: value}, prices=_prices(listed)))
        elif term != "base":
            hours = types.TimeOfDateConstraint(
                *(time.fromisoformat(hour).replace(tzinfo=UTC) for hour in term.split("-"))
            )
            before = prices if isinstance(prices, list) else [types.ConditionalPrice(prices=prices)]
            prices = [*before, types.ConditionalPrice(hours, prices=_prices(listed))]
    match = types.ClauseStartsWith(name.lower())
    return types.ModelInfo(id=name, match=match, prices=prices, price_variants=variants or None)


def _prices(listed: str) -> types.ModelPrice:
    figures = zip(KINDS, listed.split(), strict=False)
    return types.ModelPrice(**{kind: _price(figure) for kind, figure in figures if figure != "-"})


def _price(figure: str) -> Any:
    base, _, tier = figure.partition(">")
    start, _, price = tier.partition(":")
    return types.TieredPrices(Decimal(base), [types.Tier(int(start), Decimal(price))]) if tier else Decimal(base)
