"""Money, vendor by vendor: the figures of an answer by that vendor's dialect and published prices, to the last digit.

The prices are those of the vendors' own pages, in US dollars per million tokens, as they stand beside each case.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from stapel_agent.models import PromptLog
from stapel_agent.prices import cost_of, list_date
from stapel_agent.providers.base import ProviderResult
from stapel_agent.providers.dialects import DIALECTS, read_answer
from stapel_agent.types import Usage

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def details(**fields: int) -> dict[str, Any]:
    return {"prompt_tokens_details": fields}


def thinking(tokens: int) -> dict[str, Any]:
    return {"completion_tokens_details": {"reasoning_tokens": tokens}}


CASES: dict[str, tuple[str, str, dict[str, Any], dict[str, Any], str]] = {
    # OpenAI, gpt-4o: 2.50, cached 1.25, output 10.
    "openai": (
        "openai",
        "gpt-4o",
        {"prompt_tokens": 2006, "completion_tokens": 300, "total_tokens": 2306, **details(cached_tokens=1920)},
        {},
        "0.005615",  # 86 x 2.50 + 1920 x 1.25 + 300 x 10
    ),
    # OpenAI, gpt-5: 1.25, cached 0.125, output 10; thinking is a part of the completion.
    "openai, thinking": (
        "openai",
        "gpt-5",
        {"prompt_tokens": 75, "completion_tokens": 1186, "total_tokens": 1261, **thinking(1024)},
        {},
        "0.01195375",
    ),
    # gpt-5 on flex: half.
    "openai, flex": (
        "openai",
        "gpt-5",
        {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
        {"service_tier": "flex"},
        "0.001125",
    ),
    # gpt-5 with priority: 2.50 and 20.
    "openai, priority": (
        "openai",
        "gpt-5",
        {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
        {"service_tier": "priority"},
        "0.0045",
    ),
    "openai, the tier that is the default": (
        "openai",
        "gpt-5",
        {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
        {"service_tier": "default"},
        "0.00225",
    ),
    # Azure: as OpenAI.
    "azure": (
        "azure",
        "gpt-4o",
        {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500},
        {},
        "0.0075",
    ),
    # DeepSeek V4 Pro: 0.66, cache hit 0.022, output 1.98.
    "deepseek": (
        "deepseek",
        "deepseek-v4-pro",
        {
            "prompt_tokens": 1000,
            "completion_tokens": 100,
            "total_tokens": 1100,
            "prompt_cache_hit_tokens": 600,
            "prompt_cache_miss_tokens": 400,
            **thinking(80),
        },
        {},
        "0.0004752",  # 400 x 0.66 + 600 x 0.022 + 100 x 1.98
    ),
    # GLM 4.7: 0.60, cached 0.11, output 2.20.
    "zai": (
        "zai",
        "glm-4.7",
        {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100, **details(cached_tokens=500)},
        {},
        "0.000575",
    ),
    # Kimi K2.5: 0.60, cache hit 0.10, output 3.
    "moonshot": (
        "moonshot",
        "kimi-k2.5",
        {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100, "cached_tokens": 400},
        {},
        "0.0007",
    ),
    # Gemini 2.5 Flash: 0.30, cached 0.03, output 2.50 with thinking, which the completion leaves out.
    "google": (
        "google",
        "gemini-2.5-flash",
        {"prompt_tokens": 8, "completion_tokens": 9, "total_tokens": 417},
        {},
        "0.0010249",  # 8 x 0.30 + (9 + 400) x 2.50
    ),
    "google, cached": (
        "google",
        "gemini-2.5-flash",
        {"prompt_tokens": 3000, "completion_tokens": 10, "total_tokens": 3010, **details(cached_tokens=2000)},
        {},
        "0.000385",
    ),
    # Mistral Medium: 1.50, output 7.50.
    "mistral": (
        "mistral",
        "mistral-medium-latest",
        {"prompt_tokens": 16, "completion_tokens": 34, "total_tokens": 50},
        {},
        "0.000279",
    ),
    # Groq, gpt-oss-120b: 0.15, cached 0.075, output 0.60.
    "groq": (
        "groq",
        "openai/gpt-oss-120b",
        {
            "prompt_tokens": 4641,
            "completion_tokens": 1817,
            "total_tokens": 6458,
            **details(cached_tokens=4608),
            **thinking(900),
        },
        {"service_tier": "on_demand"},
        "0.00144075",  # 33 x 0.15 + 4608 x 0.075 + 1817 x 0.60
    ),
    # OpenRouter states what it charges.
    "openrouter": (
        "openrouter",
        "anthropic/claude-sonnet-4.5",
        {"prompt_tokens": 194, "completion_tokens": 2, "total_tokens": 196, "cost": 0.00014, "is_byok": False},
        {},
        "0.00014",
    ),
    # With one's own key, `cost` is the fee, and the vendor's bill stands beside it.
    "openrouter, own key": (
        "openrouter",
        "anthropic/claude-sonnet-4.5",
        {
            "prompt_tokens": 9171,
            "completion_tokens": 113,
            "total_tokens": 9284,
            "cost": 0.0018,
            "is_byok": True,
            "cost_details": {"upstream_inference_cost": 0.036},
        },
        {},
        "0.0378",
    ),
    "openrouter, own key without a fee": (
        "openrouter",
        "anthropic/claude-sonnet-4.5",
        {
            "prompt_tokens": 9171,
            "completion_tokens": 113,
            "cost": 0,
            "is_byok": True,
            "cost_details": {"upstream_inference_cost": 0.036},
        },
        {},
        "0.036",
    ),
    "openrouter, the fee of the documented example": (
        "openrouter",
        "any",
        {"prompt_tokens": 194, "completion_tokens": 2, "cost": 0.95, "cost_details": {"upstream_inference_cost": 19}},
        {},
        "19.95",
    ),
    "openrouter, own key at no known price": (
        "openrouter",
        "any",
        {"cost": 0.0018, "is_byok": True, "cost_details": {"upstream_inference_cost": None}},
        {},
        "0.0018",
    ),
    # Grok 3 mini: 0.30, cached 0.075, output 0.50; thinking is billed as output and stands beside the completion.
    "xai": (
        "xai",
        "grok-3-mini",
        {
            "prompt_tokens": 32,
            "completion_tokens": 9,
            "total_tokens": 135,
            **details(cached_tokens=6),
            **thinking(94),
        },
        {},
        "0.00005975",  # 26 x 0.30 + 6 x 0.075 + 103 x 0.50
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_money__as_published(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call costs what the vendor's page says for these figures, to the last digit."""
    name, model, usage, terms, usd = CASES[case]
    monkeypatch.setattr("time.time", lambda: NOON.timestamp())
    assert _cost(name, model, usage, terms) == Decimal(usd)


def _cost(name: str, model: str, usage: dict[str, Any], terms: dict[str, Any]) -> Decimal | None:
    choice = {"message": {"content": "{}"}, "finish_reason": "stop"}
    body = json.dumps({"choices": [choice], "usage": usage, **terms}).encode()
    result = read_answer(body, DIALECTS[name])
    figures = {field: getattr(result, field) for field in ("input_tokens", "output_tokens", "thinking_tokens")}
    cached = {field: getattr(result, field) for field in ("cache_read_tokens", "cache_write_tokens")}
    return cost_of(
        Usage(**figures, **cached, cost_usd=result.cost_usd), "any", model, DIALECTS[name].vendor, result.metadata
    ).usd


@pytest.mark.parametrize("name", ["xiaomi", "vllm", "ollama", "lmstudio", "llamacpp"])
def test_money__of_the_host(name: str, agent: Any) -> None:
    """What no price list knows is unpriced until PRICES has it, such as MiMo V2 Flash: 0.10, cached 0.01, and 0.30."""
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
    """Opus 4.6 costs 5 and 25, and in fast mode six times that, which the list does not have."""
    assert cost_of(Usage(1000, 100), "any", "claude-opus-4-6", "anthropic", {"speed": "fast"}).usd == Decimal("0.045")


@pytest.mark.parametrize(
    ("vendor", "model", "terms"),
    [
        ("openai", "gpt-4.1", {"service_tier": "flex"}),
        ("anthropic", "claude-haiku-4-5", {"speed": "fast"}),
    ],
)
def test_money__no_price_on_these_terms(vendor: str, model: str, terms: dict[str, str]) -> None:
    """Where a vendor prices a tier for other models alone, the cost is unknown, and not the ordinary one."""
    assert cost_of(Usage(1000, 100), "any", model, vendor, terms).usd is None


@pytest.mark.parametrize("terms", [None, {}, [], {"service_tier": 7}, {"service_tier": "x" * 1000}, {"speed": ""}])
def test_money__odd_terms(terms: Any) -> None:
    """Metadata that say nothing of terms change no price."""
    assert cost_of(Usage(1000, 100), "any", "gpt-5", "openai", terms).usd == Decimal("0.00225")


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
    """PRICES may price a tier; on other terms its price is the one that it states, and no multiplier touches it."""
    agent(PRICES={"claude-opus-4-8": OWN})
    assert cost_of(Usage(1000, 100), "any", "claude-opus-4-8", "anthropic", terms).usd == Decimal(usd)


def test_tiers__that_price_nothing(agent: Any) -> None:
    """A wrong tier makes its calls unpriced, and no others."""
    agent(PRICES={"m": {"input": "1", "output": "2", "tiers": {"flex": {"input": "0.5"}}}})
    assert cost_of(Usage(1000), "any", "m", None, {"service_tier": "flex"}).usd is None
    assert cost_of(Usage(1000), "any", "m").usd == Decimal("0.001")


@pytest.mark.django_db
def test_row__has_the_terms(facade: Any, scripted_model: Any, agent: Any) -> None:
    """The row of a call has its terms and the prices on these."""
    agent(PRICES={"claude-haiku-4-5-20251001": OWN})
    scripted_model.script(ProviderResult("fine", 1000, 100, metadata={"service_tier": "flex"}))
    assert facade.complete("say", "small")["usage"]["cost_usd"] == "0.0006"
    metadata = PromptLog.objects.get().metadata
    assert (metadata["service_tier"], metadata["prices"]["input"]) == ("flex", "0.5")


# --- how old the list is


def test_list_date__newest_day_of_the_past() -> None:
    """The list is as new as the last day up to now that it speaks of."""
    today = date(2026, 11, 29)
    newest = list_date(today)
    assert newest is not None
    assert date(2026, 9, 1) < newest <= today
    assert list_date(date(2000, 1, 1)) is None
