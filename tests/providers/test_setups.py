"""Each set-up of docs/models.md, from `services.complete()` to a server that answers in its vendor's format."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from stapel_agent.asking import immediate_retries
from stapel_agent.models import PromptLog
from stapel_agent.providers.dialects import DIALECTS
from tests.documents import setups
from tests.prices.price_list import listed
from tests.scripted_server import Reply, ScriptedServer

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

BODIES = Path(__file__).parent / "dialects"
BERN = "Bern is the capital of Switzerland."

Figures = tuple[int, int, int, int, int, str | None]
"""Tokens of input, output, thinking, cache reads and cache writes, and the cost in dollars, if it is known."""

ANSWERS: dict[str, tuple[str, str, Figures, str]] = {
    # 1117 x 0.75 + 46 x 4.50
    "openai": ("openai", "The image shows", (1117, 46, 0, 0, 0, "0.00104475"), "price_list"),
    # 20 x 0.25 + 1280 x 0.025 + 84 x 2
    "azure": ("azure", BERN, (20, 84, 64, 1280, 0, "0.000205"), "price_list"),
    # 2 x 0.15 + 8 x 0.003 + 48 x 0.60
    "deepseek": ("deepseek", "Hello!", (2, 48, 38, 8, 0, "0.000029124"), "price_list"),
    # 31 x 0.60 + 217 x 2.20
    "zai": ("glm", "以AI绘蓝图", (31, 217, 0, 0, 0, "0.000496"), "price_list"),
    # 9 x 2 + 10 x 0.20 + 21 x 10
    "moonshot": ("kimi", "Hello, Li Lei!", (9, 21, 0, 10, 0, "0.00023"), "price_list"),
    "xiaomi": ("mimo", "Hello! I'm MiMo", (57, 72, 0, 0, 0, None), "unpriced"),
    # 200 x 0.30 + 2000 x 0.03 + 220 x 2.50
    "google": ("gemini", BERN, (200, 220, 212, 2000, 0, "0.00067"), "price_list"),
    # 100 x 0.15 + 400 x 0.015 + 120 x 0.60
    "mistral": ("mistral", BERN, (100, 120, 0, 400, 0, "0.000093"), "price_list"),
    # 144 x 0.075 + 256 x 0.0375 + 52 x 0.30
    "groq": ("groq", BERN, (144, 52, 40, 256, 0, "0.000036"), "price_list"),
    "openrouter": ("openrouter", BERN, (200, 60, 45, 600, 100, "0.0001302"), "provider"),
    "xai": ("xai", BERN, (27, 103, 94, 98, 0, "0.0007014"), "provider"),
    "dashscope": ("dashscope", BERN, (144, 52, 40, 256, 0, None), "unpriced"),
    "siliconflow": ("siliconflow", BERN, (144, 52, 40, 256, 0, None), "unpriced"),
    "volcengine": ("volcengine", BERN, (144, 52, 40, 256, 0, None), "unpriced"),
    # 144 x 0.15 + 256 x 0.015 + 52 x 0.60
    "minimax": ("minimax", BERN, (144, 52, 40, 256, 0, "0.00005664"), "price_list"),
    # 71 x 0.17 + 31 x 0.25
    "together": ("together", BERN, (71, 31, 0, 0, 0, "0.00001982"), "price_list"),
    "hosted": ("hosted", BERN, (71, 31, 0, 0, 0, "0.0000268"), "provider"),
    "vllm": ("vllm", "The Henry Jackson Society", (14, 84, 0, 64, 0, None), "unpriced"),
    "ollama": ("ollama", "- Title:", (6863, 1676, 0, 0, 0, None), "unpriced"),
    "lmstudio": ("lmstudio", BERN, (71, 31, 18, 0, 0, None), "unpriced"),
    "llamacpp": ("vllm", "The Henry Jackson Society", (14, 84, 0, 64, 0, None), "unpriced"),
}
"""Dialect -> the recorded answer, the beginning of its text, its figures, and the basis of the cost."""

FAILURES: dict[str, tuple[str, int, str, str]] = {
    "openai_error": ("openai", 429, "out_of_credit", "You exceeded your current quota"),
    "azure_error": ("azure", 400, "refused", "The response was filtered due to the prompt"),
    "azure_filtered": ("azure", 200, "refused", "refused to answer (violence)"),
    "azure_limit_error": ("azure", 429, "rate_limited", "exceeded the token rate limit"),
    "deepseek_error": ("deepseek", 402, "out_of_credit", "Insufficient Balance"),
    "glm_error": ("zai", 429, "out_of_credit", "Insufficient balance"),
    "glm_sensitive": ("zai", 200, "refused", "refused to answer"),
    "kimi_error": ("moonshot", 400, "refused", "considered high risk"),
    "mimo_error": ("xiaomi", 401, "auth", "Invalid API Key"),
    "gemini_error": ("google", 429, "rate_limited", "You exceeded your current quota"),
    "gemini_filtered": ("google", 200, "refused", "refused to answer"),
    "gemini_key_error": ("google", 400, "auth", "API key not valid"),
    "mistral_error": ("mistral", 429, "overloaded", "Service tier capacity exceeded"),
    "mistral_key_error": ("mistral", 401, "auth", "Unauthorized"),
    "mistral_length": ("mistral", 200, "truncated", "truncated at 768 tokens"),
    "groq_error": ("groq", 429, "rate_limited", "Please try again in 7.66s"),
    "groq_json_error": ("groq", 400, "invalid_answer", "Failed to validate JSON"),
    "openrouter_error": ("openrouter", 429, "rate_limited", "is temporarily rate-limited upstream"),
    "openrouter_choice_error": ("openrouter", 200, "overloaded", "Upstream error from DeepInfra"),
    "xai_error": ("xai", 403, "refused", "Content violates usage guidelines"),
    "xai_credit_error": ("xai", 429, "out_of_credit", "used all available credits"),
    "dashscope_error": ("dashscope", 400, "out_of_credit", "your account is in good standing"),
    "siliconflow_error": ("siliconflow", 403, "out_of_credit", "your account balance is insufficient"),
    "volcengine_error": ("volcengine", 429, "overloaded", "due to server overload"),
    "minimax_error": ("minimax", 200, "out_of_credit", "insufficient balance"),
    "together_error": ("together", 402, "out_of_credit", "Credit limit exceeded"),
    "hosted_error": ("hosted", 429, "overloaded", "Model busy, retry later"),
    "vllm_error": ("vllm", 404, "rejected", "The model `x` does not exist"),
    "ollama_error": ("ollama", 404, "rejected", "not found, try pulling it first"),
    "lmstudio_error": ("lmstudio", 404, "rejected", "No models loaded"),
    "lmstudio_context_error": ("lmstudio", 200, "rejected", "greater than the context length"),
    "lmstudio_address_error": ("lmstudio", 200, "rejected", "set PROVIDERS['mine']['base_url'] to the part"),
    "llamacpp": ("llamacpp", 200, "truncated", "truncated at 12 tokens"),
    "llamacpp_error": ("llamacpp", 401, "auth", "Invalid API Key"),
}
"""Recorded body -> the dialect, the status, the failure of the call, and words of its reason."""

SETUPS = setups()


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Our own prices, and no delays between attempts."""
    with listed(), immediate_retries():
        yield


def ask(facade: Any, agent: Any, monkeypatch: Any, name: str, reply: Reply) -> tuple[dict[str, Any], ScriptedServer]:
    """The answer of the set-up `name`, which is the documented one except for the address, and the server."""
    entry = SETUPS[name]
    if variable := (entry.get("api_key") or {}).get("env"):
        monkeypatch.setenv(variable, "key-of-the-vendor")
    with ScriptedServer(reply) as server:
        agent(PROVIDERS={"mine": {**entry, "base_url": f"{server.url}/v1", "dialect": name}}, RETRIES=0)
        return facade.complete("The capital of Switzerland?", "small", provider="mine", effort="low"), server


@pytest.mark.parametrize("name", ANSWERS)
def test_setup__answer(facade: Any, agent: Any, monkeypatch: Any, name: str) -> None:
    """The answer and the row have the text, the tokens of each kind and the cost."""
    body, text, (given, output, thinking, read_, written, usd), basis = ANSWERS[name]
    monkeypatch.setattr("time.time", lambda: 1795910400.0)  # noon UTC: DeepSeek's peak hours are over
    answer, _ = ask(facade, agent, monkeypatch, name, Reply((BODIES / f"{body}.json").read_bytes()))
    assert (answer["status"], answer["result"].startswith(text)) == ("ok", True)
    usage = {"input_tokens": given, "output_tokens": output, "thinking_tokens": thinking or None, "cost_usd": usd}
    assert answer["usage"] == {kind: figure for kind, figure in usage.items() if figure is not None}
    row = PromptLog.objects.get()
    assert (row.input_tokens, row.output_tokens, row.thinking_tokens) == (given, output, thinking)
    assert (row.cache_read_tokens, row.cache_write_tokens, row.cost_basis) == (read_, written, basis)
    assert row.cost_usd == (None if usd is None else Decimal(usd))


@pytest.mark.parametrize("body", FAILURES)
def test_setup__failure(facade: Any, agent: Any, monkeypatch: Any, body: str) -> None:
    """A documented error, refusal or truncation is reported as such, with the vendor's words and without the key."""
    name, status, failure, words = FAILURES[body]
    reply = Reply((BODIES / f"{body}.json").read_bytes(), status=status)
    answer, server = ask(facade, agent, monkeypatch, name, reply)
    assert (answer["status"], answer["failure"]) == ("failure", failure)
    assert words in answer["reason"]
    assert len(server.requests) == 1
    row = PromptLog.objects.get()
    assert row.metadata["failure"] == failure
    assert "key-of-the-vendor" not in f"{answer} {row.error_message} {row.metadata}"


def test_setups__each_dialect_answers_and_fails() -> None:
    """Every documented set-up has a recorded answer and a recorded failure."""
    assert list(SETUPS) == list(DIALECTS) == list(ANSWERS)
    assert {name for name, *_ in FAILURES.values()} == set(DIALECTS)
