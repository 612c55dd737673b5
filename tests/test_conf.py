"""Settings: their defaults, and where they may come from."""

import pytest

from stapel_agent.conf import DEFAULTS, ENVIRONMENT_KEYS, agent_settings


@pytest.fixture(autouse=True)
def reread():
    """Forget cached settings before and after a test that changes the environment."""
    agent_settings.reload()
    yield
    agent_settings.reload()


def test_settings__defaults_of_the_contract(settings):
    """The settings of a host that sets nothing."""
    settings.STAPEL_AGENT = {}
    contract = {
        "MODELS": {"small": "claude-haiku-4-5-20251001", "medium": "claude-sonnet-5", "large": "claude-opus-4-8"},
        "PROVIDERS": {},
        "DEFAULT_PROVIDER": "anthropic",
        "ANTHROPIC_API_KEY": "",
        "OPENAI_COMPAT_BASE_URL": "",
        "OPENAI_COMPAT_API_KEY": "",
        "OPENAI_COMPAT_MODELS": {},
        "CLI_BINARY": "claude",
        "CLI_TIMEOUT": 120,
        "MAX_TOKENS": 4096,
        "CACHE_LOOKUP": {"llm_facade": False, "translate": True},
        "CACHE_TTL": 604800,
    }
    assert {key: getattr(agent_settings, key) for key in contract} == contract
    assert agent_settings.CACHE_POLICY.__name__ == "PromptLogCachePolicy"


@pytest.mark.parametrize("key", sorted(DEFAULTS))
def test_settings__environment(key, monkeypatch, settings):
    """Only the two keys may come from the environment. No variable chooses code, a binary or an address."""
    settings.STAPEL_AGENT = {}
    before = getattr(agent_settings, key)
    agent_settings.reload()
    monkeypatch.setenv(key, "stapel_agent.cache.NoCachePolicy")
    expected = "stapel_agent.cache.NoCachePolicy" if key in ENVIRONMENT_KEYS else before
    assert getattr(agent_settings, key) == expected


def test_settings__read_at_call_time(agent):
    """A change of settings takes effect at once."""
    agent(MAX_TOKENS=1)
    assert agent_settings.MAX_TOKENS == 1
    agent(MAX_TOKENS=2)
    assert agent_settings.MAX_TOKENS == 2
