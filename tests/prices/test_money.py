"""The cost of a call at each vendor, from the figures of its dialect and its published prices, to the last digit.

Prices are in US dollars per million tokens, from the vendors' pages that `price_list` names. Each case shows its
calculation.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from genai_prices import types
from genai_prices.data_snapshot import DataSnapshot, set_custom_snapshot

from stapel_agent.prices import cost_of, list_date
from stapel_agent.providers.dialects import DIALECTS, read_answer
from stapel_agent.types import Usage
from tests.prices.price_list import SOURCES, VENDORS

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def details(**fields: int) -> dict[str, Any]:
    return {"prompt_tokens_details": fields}


def thinking(tokens: int) -> dict[str, Any]:
    return {"completion_tokens_details": {"reasoning_tokens": tokens}}


Case = tuple[str, str, dict[str, Any], dict[str, Any], str]
"""The dialect, the model, the answer's usage and terms, and what the call costs."""


def counted(prompt: int, completion: int, **more: Any) -> dict[str, Any]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion, **more}


FLEX, PRIORITY, BATCH = ({"service_tier": tier} for tier in ("flex", "priority", "batch"))
CASES: dict[str, Case] = {
    # 86 x 2.50 + 1920 x 1.25 + 300 x 10
    "openai, cached": ("openai", "gpt-4o", counted(2006, 300, **details(cached_tokens=1920)), {}, "0.005615"),
    # Thinking is part of the completion: 75 x 1.25 + 1186 x 10
    "openai, thinking": ("openai", "gpt-5", counted(75, 1186, **thinking(1024)), {}, "0.01195375"),
    # 1000 x 1.25 + 100 x 10
    "openai, default tier": ("openai", "gpt-5", counted(1000, 100), {"service_tier": "default"}, "0.00225"),
    # 1000 x 0.625 + 100 x 5
    "openai, flex": ("openai", "gpt-5", counted(1000, 100), FLEX, "0.001125"),
    # 1000 x 0.625 + 100 x 5
    "openai, batch": ("openai", "gpt-5", counted(1000, 100), BATCH, "0.001125"),
    # 1000 x 2.50 + 100 x 20
    "openai, priority": ("openai", "gpt-5", counted(1000, 100), PRIORITY, "0.0045"),
    # 200 x 1.25 + 800 x 0.13 + 100 x 7.50
    "openai, flex and cached": (
        "openai",
        "gpt-5.4",
        counted(1000, 100, **details(cached_tokens=800)),
        FLEX,
        "0.001104",
    ),
    # 200 x 5 + 800 x 0.50 + 100 x 30
    "openai, priority and cached": (
        "openai",
        "gpt-5.4",
        counted(1000, 100, **details(cached_tokens=800)),
        PRIORITY,
        "0.0044",
    ),
    # Exactly 272,000 tokens are not long yet: 272,000 x 2.50 + 1000 x 15
    "openai, almost long": ("openai", "gpt-5.4", counted(272_000, 1000), {}, "0.695"),
    # The whole call at the long prices: 200,001 x 5 + 72,000 x 0.50 + 1000 x 22.50
    "openai, long": ("openai", "gpt-5.4", counted(272_001, 1000, **details(cached_tokens=72_000)), {}, "1.058505"),
    # 200 x 0.25 + 800 x 0.025 + 500 x 2
    "azure, cached": ("azure", "gpt-5-mini", counted(1000, 500, **details(cached_tokens=800)), {}, "0.00107"),
    # 1000 x 0.45 + 500 x 3.60
    "azure, priority": ("azure", "gpt-5-mini", counted(1000, 500, **thinking(64)), PRIORITY, "0.00225"),
    # 300,000 x 5 + 1000 x 22.50
    "azure, long": ("azure", "gpt-5.4", counted(300_000, 1000), {}, "1.5225"),
    # 400 x 0.66 + 600 x 0.022 + 100 x 1.98
    "deepseek": (
        "deepseek",
        "deepseek-v4-pro",
        counted(1000, 100, prompt_cache_hit_tokens=600, prompt_cache_miss_tokens=400, **thinking(80)),
        {},
        "0.0004752",
    ),
    # 1000 x 0.15 + 100 x 0.60
    "deepseek, flash": ("deepseek", "deepseek-flash", counted(1000, 100, prompt_cache_hit_tokens=0), {}, "0.00021"),
    # 500 x 0.60 + 500 x 0.11 + 100 x 2.20
    "zai, cached": ("zai", "glm-4.7", counted(1000, 100, **details(cached_tokens=500)), {}, "0.000575"),
    # 1000 x 1 + 100 x 3.20
    "zai, thinking": ("zai", "glm-5", counted(1000, 100, **thinking(90)), {}, "0.00132"),
    # 600 x 0.60 + 400 x 0.10 + 100 x 3
    "moonshot, cached": ("moonshot", "kimi-k2.5", counted(1000, 100, cached_tokens=400), {}, "0.0007"),
    # 100 x 3 + 400 x 0.30 + 500 x 3 + 100 x 15
    "moonshot, cache write": (
        "moonshot",
        "kimi-k3",
        counted(1000, 100, **details(cached_tokens=400, cache_write_tokens=500)),
        {},
        "0.00342",
    ),
    # Thinking is only in the total: 8 x 0.30 + (9 + 400) x 2.50
    "google, thinking": (
        "google",
        "gemini-2.5-flash",
        {"prompt_tokens": 8, "completion_tokens": 9, "total_tokens": 417},
        {},
        "0.0010249",
    ),
    # 1000 x 0.30 + 2000 x 0.03 + 10 x 2.50
    "google, cached": ("google", "gemini-2.5-flash", counted(3000, 10, **details(cached_tokens=2000)), {}, "0.000385"),
    # Half of 1000 x 0.30 + 100 x 2.50
    "google, flex": ("google", "gemini-2.5-flash", counted(1000, 100), FLEX, "0.000275"),
    # 1000 x 0.15 + 100 x 1.25
    "google, batch": ("google", "gemini-2.5-flash", counted(1000, 100), BATCH, "0.000275"),
    # Exactly 200,000 tokens are not long yet: 200,000 x 1.25 + 1000 x 10
    "google, almost long": ("google", "gemini-2.5-pro", counted(200_000, 1000), {}, "0.26"),
    # 100,000 x 2.50 + 100,001 x 0.25 + 1000 x 15
    "google, long": (
        "google",
        "gemini-2.5-pro",
        counted(200_001, 1000, **details(cached_tokens=100_001)),
        {},
        "0.29000025",
    ),
    # 16 x 1.50 + 34 x 7.50
    "mistral": ("mistral", "mistral-medium-latest", counted(16, 34), {}, "0.000279"),
    # 500 x 1.50 + 500 x 0.15 + 34 x 7.50
    "mistral, cached": (
        "mistral",
        "mistral-medium-latest",
        counted(1000, 34, **details(cached_tokens=500)),
        {},
        "0.00108",
    ),
    # 33 x 0.15 + 4608 x 0.075 + 1817 x 0.60
    "groq, cached": (
        "groq",
        "openai/gpt-oss-120b",
        counted(4641, 1817, **details(cached_tokens=4608), **thinking(900)),
        {"service_tier": "on_demand"},
        "0.00144075",
    ),
    # OpenRouter states what it charges.
    "openrouter": (
        "openrouter",
        "anthropic/claude-sonnet-4.5",
        counted(194, 2, cost=0.00014, is_byok=False, cost_details={"upstream_inference_cost": 0.00014}),
        {},
        "0.00014",
    ),
    # With your own key, `cost` is the fee, and the vendor's bill is a separate field.
    "openrouter, own key": (
        "openrouter",
        "anthropic/claude-sonnet-4.5",
        counted(9171, 113, cost=0.0018, is_byok=True, cost_details={"upstream_inference_cost": 0.036}),
        {},
        "0.0378",
    ),
    "openrouter, own key without a fee": (
        "openrouter",
        "anthropic/claude-sonnet-4.5",
        counted(9171, 113, cost=0, is_byok=True, cost_details={"upstream_inference_cost": 0.036}),
        {},
        "0.036",
    ),
    # The example of https://openrouter.ai/docs/use-cases/usage-accounting.
    "openrouter, documented example": (
        "openrouter",
        "any",
        counted(194, 2, cost=0.95, cost_details={"upstream_inference_cost": 19}),
        {},
        "19.95",
    ),
    # The fee is not the cost: the vendor's bill is missing.
    "openrouter, own key at an unknown price": (
        "openrouter",
        "any",
        counted(9171, 113, cost=0.0018, is_byok=True, cost_details={"upstream_inference_cost": None}),
        {},
        None,
    ),
    # Without a fee, the vendor is still not free.
    "openrouter, own key without a figure": (
        "openrouter",
        "any",
        counted(9171, 113, cost=0, is_byok=True, cost_details={"upstream_inference_cost": None}),
        {},
        None,
    ),
    # Thinking is not part of the completion: 26 x 0.30 + 6 x 0.075 + (9 + 94) x 0.50
    "xai, thinking": (
        "xai",
        "grok-3-mini",
        {**counted(32, 9, **details(cached_tokens=6), **thinking(94)), "total_tokens": 135},
        {},
        "0.00005975",
    ),
    # 27 x 2 + 98 x 0.30 + 48 x 6, with the usage of https://docs.x.ai/developers/advanced-api-usage/prompt-caching.
    "xai, cached": ("xai", "grok-4.5", counted(125, 48, **details(cached_tokens=98)), {}, "0.0003714"),
    # 199,999 x 2 + 1000 x 6
    "xai, almost long": ("xai", "grok-4.5", counted(199_999, 1000), {}, "0.405998"),
    # 144 x 0.30 + 256 x 0.06 + 52 x 1.20
    "minimax, cached": ("minimax", "MiniMax-M2.7", counted(400, 52, **details(cached_tokens=256)), {}, "0.00012096"),
    # 71 x 0.17 + 31 x 0.25
    "together": ("together", "Qwen/Qwen3.5-9B", counted(71, 31), {}, "0.00001982"),
    # xAI's long prompts begin with 200,000 tokens: 100,000 x 4 + 100,000 x 0.60 + 1000 x 12
    "xai, long": ("xai", "grok-4.5", counted(200_000, 1000, **details(cached_tokens=100_000)), {}, "0.472"),
}


@pytest.mark.parametrize("case", CASES)
def test_money__as_published(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call costs what the vendor's page says for these figures, to the last digit."""
    name, model, usage, terms, usd = CASES[case]
    monkeypatch.setattr("time.time", lambda: NOON.timestamp())
    assert _cost(name, model, usage, terms) == (usd and Decimal(usd))


def _cost(name: str, model: str, usage: dict[str, Any], terms: dict[str, Any]) -> Decimal | None:
    choice = {"message": {"content": "{}"}, "finish_reason": "stop"}
    body = json.dumps({"choices": [choice], "usage": usage, **terms}).encode()
    result = read_answer(body, DIALECTS[name])
    figures = {field: getattr(result, field) for field in ("input_tokens", "output_tokens", "thinking_tokens")}
    cached = {field: getattr(result, field) for field in ("cache_read_tokens", "cache_write_tokens")}
    return cost_of(
        Usage(**figures, **cached, cost_usd=result.cost_usd), "any", model, DIALECTS[name].vendor, result.metadata
    ).usd


UNLISTED = (*("xiaomi", "dashscope", "siliconflow", "volcengine", "hosted", "vllm", "ollama", "lmstudio", "llamacpp"),)


@pytest.mark.parametrize("name", UNLISTED)
def test_money__of_the_host(name: str, agent: Any) -> None:
    """A model that no price list has is unpriced until PRICES has it, such as MiMo V2 Flash: 0.10, cached 0.01, 0.30.

    Xiaomi's page is https://platform.xiaomimimo.com/docs/en-US/pricing.
    """
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100, **details(cached_tokens=500)}
    assert _cost(name, "mimo-v2-flash", usage, {}) is None
    agent(PRICES={"mimo-v2-flash": {"input": "0.10", "cache_read": "0.01", "output": "0.30"}})
    assert _cost(name, "mimo-v2-flash", usage, {}) == Decimal("0.000085")


# Anthropic: Opus 4.8 5, cache read 0.50, write 6.25 (an hour 10), output 25.
ANTHROPIC: dict[str, tuple[dict[str, str], str]] = {
    "standard": ({}, "0.0329375"),
    "batch": ({"service_tier": "batch"}, "0.01646875"),
    "priority": ({"service_tier": "priority"}, "0.0329375"),
    "fast": ({"speed": "fast"}, "0.065875"),
    "us": ({"inference_geo": "us"}, "0.03623125"),
    "fast in the us": ({"speed": "fast", "inference_geo": "us"}, "0.0724625"),
    "batch in the us": ({"service_tier": "batch", "inference_geo": "us"}, "0.018115625"),
}


@pytest.mark.parametrize("case", ANTHROPIC)
def test_money__anthropic(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tier, speed and place of inference multiply the price of every kind of token."""
    terms, usd = ANTHROPIC[case]
    monkeypatch.setattr("time.time", lambda: NOON.timestamp())
    usage = Usage(250, 1000, cache_read_tokens=1000, cache_write_tokens=900, cache_write_1h_tokens=150)
    assert cost_of(usage, "any", "claude-opus-4-8", "anthropic", terms).usd == Decimal(usd)


def test_money__fast_at_six_times() -> None:
    """Opus 4.6 costs 5 and 25, and six times that in fast mode, which the list does not have."""
    assert cost_of(Usage(1000, 100), "any", "claude-opus-4-6", "anthropic", {"speed": "fast"}).usd == Decimal("0.045")


@pytest.mark.parametrize(
    ("vendor", "model", "terms"),
    [
        ("openai", "gpt-4.1", {"service_tier": "flex"}),
        ("anthropic", "claude-haiku-4-5", {"speed": "fast"}),
        ("google", "gemini-2.5-flash", {"service_tier": "priority"}),
        ("azure", "gpt-4o", {"service_tier": "priority"}),
        *[("azure", "gpt-5", {"service_tier": tier}) for tier in ("priority", "flex", "batch")],
        ("azure", "gpt-5-mini", {"service_tier": "flex"}),
        ("deepseek", "deepseek-chat", {"service_tier": "priority"}),
        ("mistral", "mistral-small-latest", {"service_tier": "Flex"}),
        ("groq", "openai/gpt-oss-20b", {"service_tier": "priority"}),
        ("groq", "openai/gpt-oss-20b", {"service_tier": "batch"}),
        ("moonshotai", "kimi-k3", {"speed": "fast"}),
        ("anthropic", "claude-haiku-4-5", {"inference_geo": "a new place"}),
    ],
)
def test_money__no_price_on_these_terms(vendor: str, model: str, terms: dict[str, str]) -> None:
    """If a vendor publishes no price of a tier for the model, the cost is unknown, and not the standard one."""
    assert cost_of(Usage(1000, 100), "any", model, vendor, terms).usd is None


@pytest.mark.parametrize(
    "terms",
    [
        *(None, {}, [], {"service_tier": 7}, {"service_tier": "x" * 1000}, {"speed": ""}),
        *({"service_tier": "auto"}, {"service_tier": "DEFAULT"}, {"service_tier": "standard"}),
        *({"service_tier": "scale"}, {"speed": "standard"}, {"inference_geo": "global"}),
        *({"service_tier": tier} for tier in ("normal", "regular", "on-demand", "standard_only", "unspecified")),
        *({"inference_geo": geo} for geo in ("not_available", "none", "null")),
    ],
)
def test_money__odd_terms(terms: Any) -> None:
    """Metadata without terms do not change the price, and neither do those of the standard price."""
    assert cost_of(Usage(1000, 100), "any", "gpt-5", "openai", terms).usd == Decimal("0.00225")


@pytest.mark.parametrize(
    ("vendor", "model", "tier", "usd"),
    [
        ("groq", "openai/gpt-oss-20b", "flex", "0.000105"),
        ("groq", "openai/gpt-oss-20b", "performance", "0.000105"),
        ("groq", "openai/gpt-oss-20b", "on_demand", "0.000105"),
        ("openai", "gpt-5.4-mini", "default", "0.0012"),
        ("azure", "gpt-4o", "default", "0.0035"),
        ("azure", "gpt-5", "default", "0.00225"),
    ],
)
def test_money__tier_at_the_standard_price(vendor: str, model: str, tier: str, usd: str) -> None:
    """The standard tier, and one that costs the same, have the listed price without being listed."""
    assert cost_of(Usage(1000, 100), "any", model, vendor, {"service_tier": tier}).usd == Decimal(usd)


# --- the host's own prices

OWN = {
    "input": "1",
    "output": "2",
    "tiers": {"flex": {"input": "0.5", "output": "1"}, "fast": {"input": 3, "output": 6}},
}


@pytest.mark.parametrize(
    ("terms", "usd"),
    [
        ({}, "0.0012"),
        ({"service_tier": "flex"}, "0.0006"),
        ({"speed": "fast"}, "0.0036"),
        ({"service_tier": "batch"}, "0.0012"),
        ({"inference_geo": "us"}, "0.0012"),
        ({"service_tier": "priority"}, "0.0012"),
    ],
)
def test_tiers__of_the_host(agent: Any, terms: dict[str, str], usd: str) -> None:
    """PRICES may price a tier. On other terms the stated price applies, without a multiplier."""
    agent(PRICES={"claude-opus-4-8": OWN})
    assert cost_of(Usage(1000, 100), "any", "claude-opus-4-8", "anthropic", terms).usd == Decimal(usd)


def test_tiers__that_price_nothing(agent: Any) -> None:
    """An invalid tier only makes its own calls unpriced."""
    agent(PRICES={"m": {"input": "1", "output": "2", "tiers": {"flex": {"input": "0.5"}}}})
    assert cost_of(Usage(1000), "any", "m", None, {"service_tier": "flex"}).usd is None
    assert cost_of(Usage(1000), "any", "m").usd == Decimal("0.001")


# --- the age of the list


def test_list_date__newest_day_of_the_past() -> None:
    """The age of the list is that of the latest past date in it, in a price's start or in a comment."""
    start = types.ConditionalPrice(types.StartDateConstraint(date(2026, 8, 17)), prices=types.ModelPrice())
    models = [
        types.ModelInfo(id="priced", match=types.ClauseEquals("priced"), prices=[start]),
        types.ModelInfo(
            id="checked",
            match=types.ClauseEquals("checked"),
            prices=types.ModelPrice(),
            price_comments="Verified on 2026-10-14, not on 2026-13-40; changes on 2027-01-01.",
        ),
    ]
    vendor = types.Provider(id="v", name="v", api_pattern="https://v", models=models)
    set_custom_snapshot(DataSnapshot([vendor], from_auto_update=False))
    days = [date(2026, 8, 16), date(2026, 8, 17), date(2026, 11, 29), date(2027, 1, 1)]
    assert [list_date(day) for day in days] == [None, date(2026, 8, 17), date(2026, 10, 14), date(2027, 1, 1)]


def test_list_date__of_the_installed_list() -> None:
    """The installed list states how old it is."""
    set_custom_snapshot(None)
    assert list_date(date.max) is not None
    assert list_date(date(2000, 1, 1)) is None


@pytest.mark.parametrize("hour", [2, 7])
def test_money__peak_hours(hour: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At peak hours, DeepSeek charges twice as much: 400 x 1.32 + 600 x 0.044 + 100 x 3.96."""
    name, model, usage, terms, _ = CASES["deepseek"]
    monkeypatch.setattr("time.time", lambda: NOON.replace(hour=hour).timestamp())
    assert _cost(name, model, usage, terms) == Decimal("0.0009504")


def test_price_list__has_a_source_for_each_vendor() -> None:
    """Each expected price comes from a vendor's page that the list names."""
    assert VENDORS.keys() <= SOURCES.keys()
    assert {case[0] for case in CASES.values()} == DIALECTS.keys() - set(UNLISTED)
