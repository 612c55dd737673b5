"""The table of dialects: which endpoint speaks which."""

import pytest

from stapel_agent.providers.dialects import DIALECTS, Dialect, dialect_for

NAMES = (
    *("openai", "azure", "deepseek", "zai", "moonshot", "xiaomi", "google", "mistral", "groq", "openrouter", "xai"),
    *("vllm", "ollama", "lmstudio", "llamacpp"),
)
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
}


def test_dialects__names() -> None:
    """Every dialect that an endpoint may name is in the table."""
    assert tuple(DIALECTS) == NAMES
    assert all(dialect.name == name for name, dialect in DIALECTS.items())


@pytest.mark.parametrize("host", HOSTS)
def test_dialect_for__host(host: str) -> None:
    """The host of the base URL says which dialect is spoken there."""
    assert dialect_for(host).name == HOSTS[host]


@pytest.mark.parametrize("host", ["127.0.0.1", "api.openai.com.evil.example", "evilapi.x.ai", "", "xiaomimimo.com"])
def test_dialect_for__unknown_host(host: str) -> None:
    """Any other host is spoken to in plain `openai`, without effort."""
    dialect = dialect_for(host)
    assert (dialect.name, dialect.efforts, dialect.cap_field) == ("openai", (), "max_tokens")


@pytest.mark.parametrize("name", NAMES)
def test_dialect_for__named(name: str) -> None:
    """An endpoint may name its dialect, whatever its host is."""
    assert dialect_for("127.0.0.1", name) is DIALECTS[name]
    assert isinstance(DIALECTS[name], Dialect)
