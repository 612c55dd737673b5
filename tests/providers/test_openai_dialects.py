"""Each dialect, with a successful answer and an error body from its public reference."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from stapel_agent.exceptions import AccessDenied, AnswerRefused, OutOfCredit, ProviderError, RequestRejected
from stapel_agent.providers.base import ProviderResult
from stapel_agent.providers.openai_compat import OpenAICompatProvider
from tests.providers import test_setups
from tests.scripted_server import Reply, ScriptedServer

BODIES = Path(__file__).parent / "dialects"
DOCUMENT = Path(__file__).parents[2] / "docs" / "dialects.md"

ANSWERS = {
    "openai": ProviderResult(
        "The image shows a wooden boardwalk path running through a lush green field or meadow. The sky is bright blue "
        "with some scattered clouds, giving the scene a serene and peaceful atmosphere. Trees and shrubs are visible "
        "in the background.",
        input_tokens=1117,
        output_tokens=46,
    ),
    "openai_reasoning": ProviderResult(
        "",
        input_tokens=86,
        output_tokens=300,
        thinking_tokens=300,
        cache_read_tokens=1920,
        finish_reason="length",
    ),
    "deepseek": ProviderResult(
        "Hello! How can I help you today?",
        input_tokens=2,
        output_tokens=48,
        thinking_tokens=38,
        cache_read_tokens=8,
    ),
    "mimo": ProviderResult(
        "Hello! I'm MiMo, Xiaomi's AI assistant created by the Xiaomi LLM-Core team. I'm here to chat, help answer "
        "questions, and assist with various tasks—whether it's providing information, brainstorming ideas, or just "
        "having a friendly conversation. Feel free to ask me anything, and I'll do my best to help! 😊",
        input_tokens=57,
        output_tokens=72,
    ),
    "glm": ProviderResult("以AI绘蓝图 — 智谱AI，让创新的每一刻成为可能。", input_tokens=31, output_tokens=217),
    "glm_sensitive": ProviderResult(
        "", input_tokens=400, output_tokens=3, cache_read_tokens=800, finish_reason="content_filter"
    ),
    "kimi": ProviderResult(
        "Hello, Li Lei! 1+1 equals 2. If you have any other questions, feel free to ask!",
        input_tokens=9,
        output_tokens=21,
        cache_read_tokens=10,
    ),
    "vllm": ProviderResult(
        "The Henry Jackson Society is a London-based foreign-policy think-tank founded in 2005.",
        input_tokens=14,
        output_tokens=84,
        cache_read_tokens=64,
    ),
    "ollama": ProviderResult("- Title: Telegram chat screenshot.", input_tokens=6863, output_tokens=1676),
    "llamacpp": ProviderResult(
        "L'Étoile, la Marseillaise,",
        input_tokens=1,
        output_tokens=12,
        cache_read_tokens=36,
        finish_reason="length",
    ),
}

MODEL_FIX = "set OPENAI_COMPAT_MODELS to models of this endpoint"
FAULTS: dict[str, tuple[int, type[ProviderError], str]] = {
    "openai_error": (
        429,
        OutOfCredit,
        "HTTP 429: You exceeded your current quota, please check your plan and billing details. For more information "
        "on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
    ),
    "deepseek_error": (402, OutOfCredit, "HTTP 402: Insufficient Balance"),
    "deepseek_schema_error": (400, RequestRejected, "HTTP 400: This response_format type is unavailable now"),
    "mimo_error": (401, AccessDenied, "HTTP 401: Invalid API Key"),
    "glm_error": (429, OutOfCredit, "HTTP 429: Insufficient balance or no resource package. Please recharge."),
    "kimi_error": (
        400,
        AnswerRefused,
        "HTTP 400: The request was rejected because it was considered high risk",
    ),
    "kimi_quota_error": (
        429,
        OutOfCredit,
        "HTTP 429: Your account org-0 <ak-0> is suspended due to insufficient balance, please recharge your account "
        "or check your plan and billing details",
    ),
    "vllm_error": (404, RequestRejected, f"HTTP 404: The model `x` does not exist; {MODEL_FIX}"),
    "ollama_error": (
        404,
        RequestRejected,
        f'HTTP 404: model "gemma3:12b" not found, try pulling it first; {MODEL_FIX}',
    ),
    "llamacpp_error": (401, AccessDenied, "HTTP 401: Invalid API Key"),
}

Ask = Callable[..., ProviderResult]


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """The provider, called synchronously and on an event loop."""
    provider = OpenAICompatProvider()
    return provider.complete if request.param == "sync" else async_to_sync(provider.acomplete)


@pytest.mark.parametrize("name", ANSWERS)
def test_complete__answer_of_a_dialect(ask: Ask, agent: Any, name: str) -> None:
    """The text, the finish reason, and disjoint token counts."""
    with ScriptedServer(Reply((BODIES / f"{name}.json").read_bytes())) as server:
        agent(OPENAI_COMPAT_BASE_URL=server.url)
        assert ask(prompt="hello", model="m") == ANSWERS[name]


@pytest.mark.parametrize("name", FAULTS)
def test_complete__error_of_a_dialect(ask: Ask, agent: Any, name: str) -> None:
    """The exception's type decides what happens next. Its message has the vendor's."""
    status, kind, text = FAULTS[name]
    with ScriptedServer(Reply((BODIES / f"{name}.json").read_bytes(), status=status)) as server:
        agent(OPENAI_COMPAT_BASE_URL=server.url, OPENAI_COMPAT_API_KEY="key-of-a-test")
        with pytest.raises(ProviderError) as caught:
            ask(prompt="hello", model="m")
    assert (type(caught.value), str(caught.value)) == (kind, text)


def test_bodies__all_are_tested_and_documented() -> None:
    """Every recorded body is used, and the document has a table for each dialect."""
    names = {path.stem for path in BODIES.glob("*.json")}
    of_setups = {body for body, *_ in test_setups.ANSWERS.values()} | test_setups.FAILURES.keys()
    assert names == ANSWERS.keys() | FAULTS.keys() | of_setups
    document = DOCUMENT.read_text()
    assert [name for name in sorted(names) if f"`{name}.json`" not in document] == []
    assert all(isinstance(json.loads((BODIES / f"{name}.json").read_text()), dict | list) for name in names)
