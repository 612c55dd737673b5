"""The table of dialects: which endpoint has which, and what all of them can read."""

import json
from decimal import Decimal
from typing import Any

import pytest

from stapel_agent.providers.base import ProviderResult
from stapel_agent.providers.dialects import DIALECTS, dialect_for, effort_fields, read_answer
from stapel_agent.providers.wire.finish_reasons import finish_reason

HOSTS = {
    "api.openai.com": "openai",
    "eu.api.openai.com": "openai",
    "mine.openai.azure.com": "azure",
    "mine.services.ai.azure.com": "azure",
    "api.deepseek.com": "deepseek",
    "API.DeepSeek.com.": "deepseek",
    "api.z.ai": "zai",
    "open.bigmodel.cn": "zai",
    "api.moonshot.ai": "moonshot",
    "api.moonshot.cn": "moonshot",
    "api.xiaomimimo.com": "xiaomi",
    "token-plan-cn.xiaomimimo.com": "xiaomi",
    "generativelanguage.googleapis.com": "google",
    "api.mistral.ai": "mistral",
    "api.groq.com": "groq",
    "openrouter.ai": "openrouter",
    "api.x.ai": "xai",
    "ai-gateway.vercel.sh": "openrouter",
    "dashscope-intl.aliyuncs.com": "dashscope",
    "cn-hongkong.dashscope.aliyuncs.com": "dashscope",
    "token-plan.ap-southeast-1.maas.aliyuncs.com": "dashscope",
    "api.siliconflow.cn": "siliconflow",
    "ark.cn-beijing.volces.com": "volcengine",
    "ark.ap-southeast.bytepluses.com": "volcengine",
    "api.minimax.io": "minimax",
    "api.minimax.cn": "minimax",
    "api.minimaxi.com": "minimax",
    "api.together.xyz": "together",
    "api.deepinfra.com": "hosted",
    "api.perplexity.ai": "hosted",
    "router.huggingface.co": "hosted",
    "api.cloudflare.com": "hosted",
    "bedrock-mantle.us-east-1.api.aws": "hosted",
    "integrate.api.nvidia.com": "vllm",
}


@pytest.mark.parametrize("host", HOSTS)
def test_dialect_for__host(host: str) -> None:
    """The host of the base URL selects the dialect."""
    assert dialect_for(host).name == HOSTS[host]


@pytest.mark.parametrize("host", ["127.0.0.1", "api.openai.com.evil.example", "evilapi.x.ai", "", "xiaomimimo.com"])
def test_dialect_for__unknown_host(host: str) -> None:
    """Any other host gets plain `openai`, without effort."""
    dialect = dialect_for(host)
    assert (dialect.name, dialect.efforts, dialect.max_tokens_param) == ("openai", (), "max_tokens")


@pytest.mark.parametrize("name", DIALECTS)
def test_dialect_for__named(name: str) -> None:
    """An endpoint may name its dialect, whatever its host is."""
    assert dialect_for("127.0.0.1", name) is DIALECTS[name]
    assert DIALECTS[name].name == name


# The words for the efforts none, low, medium and max; "-" if nothing is sent.
WORDS_BY_MODEL = {
    "openai gpt-4.1": "- - - -",
    "openai gpt-5-chat-latest": "- - - -",
    "openai o3": "low low medium high",
    "openai gpt-5-mini": "minimal low medium high",
    "openai gpt-5.1": "none low medium high",
    "azure gpt-5.4": "none low medium xhigh",
    "openai gpt-5.6": "none low medium max",
    "openai gpt-6-sol": "none low medium max",
    "openai gpt-6-astra": "low low medium max",
    "openai gpt-6.2-astra": "low low medium max",
    "openai gpt-6.1-sol": "low low medium max",
    "openai gpt-6.1-terra": "none low medium max",
    "google gemini-2.0-flash": "- - - -",
    "google gemini-2.5-flash": "none low medium high",
    "google gemini-2.5-pro": "low low medium high",
    "google gemini-3.5-flash-lite": "- low medium high",
    "google gemini-3-pro-preview": "low low high high",
    "google gemini-3.5-flash": "low low medium high",
    "mistral mistral-medium-3-5": "none - high high",
    "mistral mistral-large-4": "low low medium high",
    "mistral codestral-latest": "- - - -",
    "groq openai/gpt-oss-120b": "low low medium high",
    "groq llama-3.3-70b-versatile": "- - - -",
    "xai grok-4-0709": "- - - -",
    "xai grok-3-mini": "low low high high",
    "xai grok-4.3": "none low medium high",
    "xai grok-4.5": "low low medium high",
    "xai grok-4.20-0309-reasoning": "- - - -",
    "xai grok-4.20-multi-agent-0309": "low low medium xhigh",
    "xai grok-5": "low low medium xhigh",
    "moonshot kimi-k3": "low low high max",
    "moonshot kimi-k3.1-pro": "low low high max",
    "zai glm-6": "low low high max",
    "dashscope qwen3.8-max": "none low medium xhigh",
    "dashscope qwen3.8-2.4t-a95b": "low low medium high",
    "dashscope deepseek-v4-pro-0813": "none low high max",
    "dashscope kimi-k3": "none low high max",
    "dashscope glm-5.3": "low low high max",
    "dashscope qwen3-235b-a22b-thinking-2507": "- - - -",
    "dashscope qwen-max": "- - - -",
    "dashscope qwen3-coder-plus": "- - - -",
    "volcengine gpt-oss-120b-250805": "low low medium high",
    "volcengine doubao-1-5-pro-32k-250115": "- - - -",
    "together openai/gpt-oss-20b": "low low medium high",
    "together zai-org/GLM-5.3-Flash": "low low medium max",
    "together deepseek-ai/DeepSeek-R1": "- - - -",
    "hosted accounts/fireworks/models/glm-5p2": "none low medium high",
    "hosted openai/gpt-oss-120b:cerebras": "low low medium high",
    "hosted deepseek-ai/DeepSeek-R1-Distill-Llama-70B": "low low medium high",
    "hosted meta-llama/Llama-3.3-70B-Instruct": "- - - -",
    "hosted openai.gpt-oss-120b": "low low medium high",
    "hosted mercury-2": "instant low medium high",
    "hosted command-a-reasoning-08-2025": "none high high high",
    "hosted command-a-03-2025": "- - - -",
    "hosted step-3.7-flash": "low low medium high",
    "hosted sonar-deep-research": "low low medium high",
    "hosted sonar-pro": "- - - -",
    "ollama gpt-oss:20b": "low low medium high",
    "lmstudio qwen3-8b": "none low medium high",
}


@pytest.mark.parametrize("name", WORDS_BY_MODEL)
def test_effort_fields__words(name: str) -> None:
    """Each model gets an effort that its vendor's documentation lists for it."""
    dialect, model = name.split()
    fields = [effort_fields(DIALECTS[dialect].efforts, model, effort) for effort in ("none", "low", "medium", "max")]
    assert fields == [{} if word == "-" else {"reasoning_effort": word} for word in WORDS_BY_MODEL[name].split()]


# Vendors with a switch for thinking: the fields for the efforts none, low and max.
ENABLED, DISABLED = {"thinking": {"type": "enabled"}}, {"thinking": {"type": "disabled"}}
PARSED = {"reasoning_format": "parsed"}
THINKING, NOT_THINKING = {"enable_thinking": True}, {"enable_thinking": False}
REASONING, NOT_REASONING = {"reasoning": {"enabled": True}}, {"reasoning": {"enabled": False}}
SWITCHES = {
    "deepseek deepseek-v4-pro": (
        DISABLED,
        ENABLED | {"reasoning_effort": "low"},
        ENABLED | {"reasoning_effort": "max"},
    ),
    "zai glm-4.6": (DISABLED, ENABLED, ENABLED),
    "zai glm-5.2": (DISABLED, ENABLED | {"reasoning_effort": "high"}, ENABLED | {"reasoning_effort": "max"}),
    "zai glm-4-flash": ({}, {}, {}),
    "moonshot kimi-k2.6": (DISABLED, ENABLED, ENABLED),
    "moonshot moonshot-v1-8k": ({}, {}, {}),
    "xiaomi mimo-v2-flash": (DISABLED, {}, ENABLED),
    "xiaomi mimo-v2.5-pro": (DISABLED, ENABLED, ENABLED),
    "xiaomi mimo-v2.6-flash": (DISABLED, ENABLED, ENABLED),
    "groq qwen/qwen3-32b": (
        PARSED | {"reasoning_effort": "none"},
        PARSED | {"reasoning_effort": "default"},
        PARSED | {"reasoning_effort": "default"},
    ),
    "dashscope qwen3.7-plus": (NOT_THINKING, THINKING, THINKING),
    "dashscope qwen-plus": (NOT_THINKING, {}, THINKING),
    "dashscope qwen3-vl-plus": (NOT_THINKING, {}, THINKING),
    "dashscope qwen3-32b": (NOT_THINKING, NOT_THINKING, NOT_THINKING),
    "siliconflow Pro/zai-org/GLM-4.7": (
        NOT_THINKING,
        {**THINKING, "thinking_budget": 1024},
        {**THINKING, "thinking_budget": 32768},
    ),
    "siliconflow tencent/Hunyuan-A13B-Instruct": (
        NOT_THINKING,
        {**THINKING, "thinking_budget": 1024},
        {**THINKING, "thinking_budget": 32768},
    ),
    "siliconflow deepseek-ai/DeepSeek-R1": (
        {"thinking_budget": 1024},
        {"thinking_budget": 1024},
        {"thinking_budget": 32768},
    ),
    "siliconflow Qwen/Qwen3-30B-A3B-Instruct-2507": ({}, {}, {}),
    "volcengine doubao-seed-2-0-pro-260215": (
        DISABLED,
        ENABLED | {"reasoning_effort": "low"},
        ENABLED | {"reasoning_effort": "high"},
    ),
    "volcengine deepseek-v4-pro-ga-260813": (
        DISABLED,
        ENABLED | {"reasoning_effort": "low"},
        ENABLED | {"reasoning_effort": "max"},
    ),
    "volcengine doubao-seed-character-260628": (DISABLED, {}, ENABLED | {"reasoning_effort": "high"}),
    "volcengine glm-4-7-251222": (DISABLED, ENABLED, ENABLED),
    "volcengine deepseek-v3-2-251201": (DISABLED, {}, ENABLED),
    "together zai-org/GLM-5.1": (NOT_REASONING, REASONING, REASONING),
    "minimax MiniMax-M3.1-Flash": (
        {"reasoning_effort": "low", "reasoning_split": True},
        {"reasoning_effort": "low", "reasoning_split": True},
        {"reasoning_effort": "max", "reasoning_split": True},
    ),
    "minimax MiniMax-M3": (
        DISABLED | {"reasoning_split": True},
        {"thinking": {"type": "adaptive"}, "reasoning_split": True},
        {"thinking": {"type": "adaptive"}, "reasoning_split": True},
    ),
    "together deepseek-ai/DeepSeek-V3.1": (NOT_REASONING, {}, REASONING),
    "together zai-org/GLM-5.2": (
        NOT_REASONING,
        REASONING | {"reasoning_effort": "high"},
        REASONING | {"reasoning_effort": "max"},
    ),
}


@pytest.mark.parametrize("name", SWITCHES)
def test_effort_fields__switch(name: str) -> None:
    """If thinking is a switch, efforts set it, with a word beside it if the vendor has one."""
    dialect, model = name.split()
    fields = [effort_fields(DIALECTS[dialect].efforts, model, effort) for effort in ("none", "low", "max")]
    assert fields == list(SWITCHES[name])


WITHOUT_EFFORT = {
    "dashscope qwen3-32b": NOT_THINKING,
    "dashscope qwen3-235b-a22b": NOT_THINKING,
    "dashscope qwen3.7-plus": {},
    "dashscope qwen3-30b-a3b-thinking-2507": {},
    "minimax MiniMax-M3": {"reasoning_split": True},
    "groq qwen/qwen3-32b": PARSED,
    "groq openai/gpt-oss-20b": {},
    "deepseek deepseek-v4-pro": {},
}


@pytest.mark.parametrize("name", WITHOUT_EFFORT)
def test_effort_fields__without_effort(name: str) -> None:
    """A call without an effort gets a field only if the model would fail, or mix its thoughts with its answer."""
    dialect, model = name.split()
    assert effort_fields(DIALECTS[dialect].efforts, model, None) == WITHOUT_EFFORT[name]


MEANINGS = {
    "stop": [
        *("stop", "STOP", "end_turn", "EndTurn", "Stop-Sequence", "FINISH_REASON_STOP", "COMPLETE", "eos_token"),
        *("", None),
    ],
    "length": [
        *("MAX_TOKENS", "max-tokens", "Max Tokens", "maxTokens", "FinishReason.MAX_TOKENS", "model_length"),
        *("ERROR_LIMIT", "modelContextWindowExceeded", "repetition", "repetition_truncation"),
    ],
    "content_filter": [
        *(
            "content-filter",
            "ContentFilter",
            "SAFETY",
            "FinishReason.SAFETY",
            "PROHIBITED_CONTENT",
            "content_filter: PROHIBITED_CONTENT",
        ),
        *("IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "RECITATION", "sensitive", "guardrail_intervened", "refusal"),
    ],
    "interrupted": [
        "error",
        "ABORT",
        "cancelled",
        "engine_overloaded",
        "insufficient_system_resource",
        "network_error",
    ],
}


@pytest.mark.parametrize("meaning", MEANINGS)
def test_finish_reason__known_words(meaning: str) -> None:
    """A finish reason means the same in every spelling that vendors use."""
    assert {finish_reason(word) for word in MEANINGS[meaning]} == {meaning}


@pytest.mark.parametrize(
    "word", ["OTHER", "LANGUAGE", "MALFORMED_FUNCTION_CALL", "tool_calls", "pause_turn", "load", "stopped by: x", "7"]
)
def test_finish_reason__unknown_words(word: str) -> None:
    """An unknown finish reason is kept, and never counts as complete."""
    assert finish_reason(word) == word


@pytest.mark.parametrize("word", [7, True, ["stop"], {"stop": 1}, "x" * 10**6, "\0", " - " * 10**5])
def test_finish_reason__hostile(word: Any) -> None:
    """An invalid finish reason becomes a short text, and never counts as complete."""
    found = finish_reason(word)
    assert len(found) <= 40
    assert found != "stop"


FIGURES: dict[str, tuple[dict[str, Any], ProviderResult]] = {
    "names of the Responses API": (
        {
            "input_tokens": 10,
            "output_tokens": 5,
            "total_tokens": 15,
            "input_tokens_details": {"cached_tokens": 4},
            "output_tokens_details": {"reasoning_tokens": 3},
        },
        ProviderResult("{}", 6, 5, 3, 4),
    ),
    "cache writes of DashScope": (
        {
            "prompt_tokens": 2000,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 0, "cache_creation_input_tokens": 1605},
        },
        ProviderResult("{}", 395, 5, 0, 0, 1605),
    ),
    # https://docs.litellm.ai/docs/completion/prompt_caching
    "Anthropic's figures behind LiteLLM, in the prompt": (
        {
            "prompt_tokens": 3000,
            "completion_tokens": 100,
            "total_tokens": 3100,
            "prompt_tokens_details": {
                "cached_tokens": 2000,
                "cache_creation_token_details": {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 100},
            },
            "cache_creation_input_tokens": 400,
            "cache_read_input_tokens": 2000,
        },
        ProviderResult("{}", 600, 100, 0, 2000, 400, cache_write_1h_tokens=100),
    ),
    # https://github.com/BerriAI/litellm/issues/15270
    "Bedrock's cache writes behind LiteLLM, beside the prompt": (
        {
            "prompt_tokens": 2600,
            "completion_tokens": 100,
            "total_tokens": 3100,
            "prompt_tokens_details": {"cached_tokens": 2000},
            "cache_creation_input_tokens": 400,
        },
        ProviderResult("{}", 600, 100, 0, 2000, 400),
    ),
    # https://github.com/Portkey-AI/gateway/pull/1211
    "Bedrock's figures behind Portkey, beside the prompt": (
        {
            "prompt_tokens": 368,
            "completion_tokens": 19,
            "total_tokens": 10923,
            "cache_read_input_tokens": 10536,
            "cache_creation_input_tokens": 0,
        },
        ProviderResult("{}", 368, 19, 0, 10536),
    ),
    "Anthropic's names without OpenAI's details: beside the prompt": (
        {
            "prompt_tokens": 3000,
            "completion_tokens": 100,
            "total_tokens": 3100,
            "cache_creation_input_tokens": 400,
            "cache_read_input_tokens": 2000,
        },
        ProviderResult("{}", 3000, 100, 0, 2000, 400),
    ),
    "Anthropic's own usage": (
        {
            "input_tokens": 100,
            "output_tokens": 7,
            "cache_read_input_tokens": 900,
            "cache_creation_input_tokens": 50,
            "cache_creation": {"ephemeral_1h_input_tokens": 50},
        },
        ProviderResult("{}", 100, 7, 0, 900, 50, cache_write_1h_tokens=50),
    ),
    "Anthropic's cache writes by their lifetime alone": (
        {
            "input_tokens": 1000,
            "output_tokens": 7,
            "cache_creation_input_tokens": None,
            "cache_creation": {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 100},
        },
        ProviderResult("{}", 1000, 7, 0, 0, 400, cache_write_1h_tokens=100),
    ),
    "LiteLLM's cache writes by their lifetime alone, in the prompt": (
        {
            "prompt_tokens": 1000,
            "completion_tokens": 7,
            "prompt_tokens_details": {"cache_creation_token_details": {"ephemeral_1h_input_tokens": 100}},
        },
        ProviderResult("{}", 900, 7, 0, 0, 100, cache_write_1h_tokens=100),
    ),
    "more cache writes by their lifetime than in their sum": (
        {
            "input_tokens": 1000,
            "output_tokens": 7,
            "cache_creation_input_tokens": 100,
            "cache_creation": {"ephemeral_1h_input_tokens": 400},
        },
        ProviderResult("{}", 1000, 7, 0, 0, 400, cache_write_1h_tokens=400),
    ),
    # https://github.com/QuantumNous/new-api, dto/openai_response.go
    "Claude's cache writes behind new-api, in the prompt": (
        {
            "prompt_tokens": 1000,
            "completion_tokens": 7,
            "total_tokens": 1007,
            "prompt_tokens_details": {"cached_tokens": 50, "cached_creation_tokens": 900},
            "claude_cache_creation_5_m_tokens": 600,
            "claude_cache_creation_1_h_tokens": 300,
        },
        ProviderResult("{}", 50, 7, 0, 50, 900, cache_write_1h_tokens=300),
    ),
    # https://www.alibabacloud.com/help/en/model-studio/context-cache
    "DashScope's cache writes by their lifetime alone, in the prompt": (
        {
            "prompt_tokens": 1000,
            "completion_tokens": 7,
            "total_tokens": 1007,
            "prompt_tokens_details": {"cached_tokens": 500, "cache_creation": {"ephemeral_5m_input_tokens": 400}},
        },
        ProviderResult("{}", 100, 7, 0, 500, 400),
    ),
    "LiteLLM's cache writes in the details alone": (
        {
            "prompt_tokens": 1000,
            "completion_tokens": 7,
            "prompt_tokens_details": {"cached_tokens": 0, "cache_creation_tokens": 900},
        },
        ProviderResult("{}", 100, 7, 0, 0, 900),
    ),
    "cache writes under two names: counted once": (
        {
            "input_tokens": 1000,
            "output_tokens": 7,
            "input_tokens_details": {"cache_write_tokens": 900, "cached_creation_tokens": 120},
        },
        ProviderResult("{}", 100, 7, 0, 0, 900),
    ),
    "Mistral's cached tokens beside the prompt's": (
        {"prompt_tokens": 1000, "completion_tokens": 7, "total_tokens": 1007, "num_cached_tokens": 800},
        ProviderResult("{}", 200, 7, 0, 800),
    ),
    "Mistral's cached tokens under all of its names: counted once": (
        {
            "prompt_tokens": 1000,
            "completion_tokens": 7,
            "num_cached_tokens": 800,
            "prompt_token_details": {"cached_tokens": 800},
            "prompt_tokens_details": {"cached_tokens": 800},
        },
        ProviderResult("{}", 200, 7, 0, 800),
    ),
    "Mistral's details alone": (
        {"prompt_tokens": 1000, "completion_tokens": 7, "prompt_token_details": {"cached_tokens": 800}},
        ProviderResult("{}", 200, 7, 0, 800),
    ),
    "more cached tokens than the prompt has: beside it": (
        {"prompt_tokens": 100, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 900}},
        ProviderResult("{}", 100, 7, 0, 900),
    ),
    "all of the prompt cached": (
        {"prompt_tokens": 100, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 100}},
        ProviderResult("{}", 0, 7, 0, 100),
    ),
    "cached tokens in the total, beside the prompt": (
        {
            "prompt_tokens": 1000,
            "completion_tokens": 10,
            "total_tokens": 1910,
            "prompt_tokens_details": {"cached_tokens": 900},
        },
        ProviderResult("{}", 1000, 10, 0, 900),
    ),
    "only the prompt": ({"prompt_tokens": 12}, ProviderResult("{}", 12, None)),
    "only the completion": ({"completion_tokens": 3}, ProviderResult("{}", None, 3)),
    "only the total": ({"total_tokens": 500}, ProviderResult("{}", None, None, unsplit_tokens=500)),
    "prompt and total": ({"prompt_tokens": 12, "total_tokens": 15}, ProviderResult("{}", 12, 3)),
    "completion and total": ({"completion_tokens": 3, "total_tokens": 15}, ProviderResult("{}", 12, 3)),
    "a prompt of 0 and a total": (
        {"prompt_tokens": 0, "completion_tokens": 3, "total_tokens": 15},
        ProviderResult("{}", 12, 3),
    ),
    "a total below the prompt": ({"prompt_tokens": 12, "total_tokens": 5}, ProviderResult("{}", 12, None)),
    "thinking beside the details": (
        {"prompt_tokens": 10, "completion_tokens": 50, "total_tokens": 60, "reasoning_tokens": 40},
        ProviderResult("{}", 10, 50, 40),
    ),
    # https://docs.perplexity.ai/getting-started/models/models/sonar-deep-research
    "Perplexity's thinking and citations, beyond its total": (
        {
            "prompt_tokens": 33,
            "completion_tokens": 7163,
            "total_tokens": 7196,
            "citation_tokens": 20016,
            "num_search_queries": 30,
            "reasoning_tokens": 73997,
        },
        ProviderResult("{}", 20049, 81160, 73997, metadata={"web_searches": 30}),
    ),
    "citations in the total": (
        {"prompt_tokens": 10, "completion_tokens": 50, "total_tokens": 160, "citation_tokens": 100},
        ProviderResult("{}", 110, 50),
    ),
    "citations of an unknown prompt": (
        {"completion_tokens": 50, "citation_tokens": 100},
        ProviderResult("{}", None, 50),
    ),
    "as much thinking as completion: a part of it": (
        {"prompt_tokens": 10, "completion_tokens": 50, "total_tokens": 60, "reasoning_tokens": 50},
        ProviderResult("{}", 10, 50, 50),
    ),
    "more thinking than completion, in the total": (
        {"prompt_tokens": 10, "completion_tokens": 50, "total_tokens": 130, "reasoning_tokens": 70},
        ProviderResult("{}", 10, 120, 70),
    ),
    # https://github.com/langfuse/langfuse/issues/14987
    "more thinking than completion, estimated by LiteLLM": (
        {
            "prompt_tokens": 10,
            "completion_tokens": 102,
            "total_tokens": 112,
            "completion_tokens_details": {"reasoning_tokens": 109, "text_tokens": -7},
        },
        ProviderResult("{}", 10, 102, 102),
    ),
    "much more thinking than completion in its details, beyond its total": (
        {
            "prompt_tokens": 10,
            "completion_tokens": 50,
            "total_tokens": 60,
            "completion_tokens_details": {"reasoning_tokens": 700},
        },
        ProviderResult("{}", 10, 750, 700),
    ),
    "more thinking than completion in its details, in the total": (
        {
            "prompt_tokens": 10,
            "completion_tokens": 50,
            "total_tokens": 130,
            "completion_tokens_details": {"reasoning_tokens": 70},
        },
        ProviderResult("{}", 10, 120, 70),
    ),
    "more thinking than completion in its details, without a total": (
        {"prompt_tokens": 10, "completion_tokens": 50, "completion_tokens_details": {"reasoning_tokens": 70}},
        ProviderResult("{}", 10, 120, 70),
    ),
    "more thinking than completion, beside a total with cached tokens": (
        {
            "prompt_tokens": 10,
            "completion_tokens": 50,
            "total_tokens": 960,
            "reasoning_tokens": 70,
            "prompt_tokens_details": {"cached_tokens": 900},
        },
        ProviderResult("{}", 10, 120, 70, 900),
    ),
    # https://docs.perplexity.ai/api-reference/chat-completions-post
    "Perplexity's cost": (
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "num_search_queries": 2,
            "cost": {"input_tokens_cost": 0.00001, "request_cost": 0.005, "total_cost": 0.00502},
        },
        ProviderResult("{}", 10, 5, cost_usd=Decimal("0.00502"), metadata={"web_searches": 2}),
    ),
    "xAI's searches": (
        {"prompt_tokens": 10, "completion_tokens": 5, "num_sources_used": 3},
        ProviderResult("{}", 10, 5, metadata={"web_searches": 3}),
    ),
    "searches of nobody": (
        {"prompt_tokens": 10, "completion_tokens": 5, "num_sources_used": 0, "server_tool_use": "none"},
        ProviderResult("{}", 10, 5),
    ),
    "DeepInfra's cost": (
        {"prompt_tokens": 10, "completion_tokens": 5, "estimated_cost": 0.0000268},
        ProviderResult("{}", 10, 5, cost_usd=Decimal("0.0000268")),
    ),
    # https://docs.llmgateway.io/features/cost-breakdown
    "LLM Gateway's cost": (
        {"prompt_tokens": 10, "completion_tokens": 15, "cost_usd_total": 0.000125, "cost_usd_input": 0.000025},
        ProviderResult("{}", 10, 15, cost_usd=Decimal("0.000125")),
    ),
    # The example of https://docs.x.ai/developers/cost-tracking.
    "the cost in ticks": (
        {"prompt_tokens": 10, "completion_tokens": 5, "cost_in_usd_ticks": 37756000},
        ProviderResult("{}", 10, 5, cost_usd=Decimal("0.0037756")),
    ),
}


@pytest.mark.parametrize("case", FIGURES)
def test_usage__other_names(case: str) -> None:
    """Token counts are read under every name that vendors and gateways use."""
    usage, result = FIGURES[case]
    assert _read(usage) == result


@pytest.mark.parametrize("ticks", [-1, True, "37756000", 1.5, None, 10**16, 10**30, [], {}])
def test_usage__invalid_ticks(ticks: Any) -> None:
    """Any other value in their place is not a cost."""
    assert _read({"prompt_tokens": 1, "cost_in_usd_ticks": ticks}).cost_usd is None


def _read(usage: dict[str, Any]) -> ProviderResult:
    choice = {"finish_reason": "stop", "message": {"content": "{}"}}
    return read_answer(json.dumps({"choices": [choice], "usage": usage}).encode())
