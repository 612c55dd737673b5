"""Credentials are taken out of every text that leaves."""

import pytest

from stapel_agent import LlmProvider, ProviderResult, record_call, services
from stapel_agent.models import PromptLog
from stapel_agent.redaction import redact

SHAPES = ["sk-", "://", "Bearer ", "password=", 'token": "', "a:", "api_key api_key=", "https://", "https://?"]


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("nothing to hide, 4096 tokens: max_tokens: 4096", "nothing to hide, 4096 tokens: max_tokens: 4096"),
        ("invalid key sk-ant-api03-AbC_d-1", "invalid key [redacted]"),
        ("Authorization: Bearer abc.def-123", "[redacted]"),
        ("sent Bearer abcdef123, refused", "sent [redacted], refused"),
        ('{"api_key": "abcd1234", "n": 1}', '{"[redacted]", "n": 1}'),
        ("postgres://user:hunter22@db/x", "postgres://[redacted]@db/x"),
        ("password=hunter22&x=1", "[redacted]&x=1"),
        ("see 'HTTPS://a.b/c?X-Sig=c0ffee#d' and http://a.b/c", "see 'HTTPS://a.b/c?[redacted]' and http://a.b/c"),
        ("the configured one: plain-key", "the configured one: [redacted]"),
    ],
)
def test_redact__credentials(agent, text, redacted):
    """The configured keys and whatever is shaped like a credential are replaced; the rest stays."""
    agent(ANTHROPIC_API_KEY="plain-key")
    assert redact(text) == redacted


ENTRIES = {
    "one": {"type": "openai-compat", "api_key": "alpha"},
    "many": {"api_key": ["beta-1", "beta-12", {"env": "GAMMA_KEY"}], "model": "gpt", "max_tokens_param": "max_tokens"},
    "nested": {"options": {"headers": {"X-Api-Key": "delta"}}, "api_keys": ("epsilon",)},
    "class": "host.llm.MyProvider",
    "gone": None,
}


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("alpha, beta-1; GAMMA", "[redacted], [redacted]; GAMMA"),
        ("a beta-12 key", "a [redacted] key"),
        ("betabeta-123", "beta[redacted]3"),
        ("omega mega", "[redacted] [redacted]"),
        ("the plain-keys and plain-key2", "the [redacted]s and [redacted]"),
        ("plain-keyring", "[redacted]"),
        ("gamma delta epsilon", "[redacted] [redacted] [redacted]"),
        ("gpt max_tokens openai-compat host.llm.MyProvider", "gpt max_tokens openai-compat host.llm.MyProvider"),
    ],
)
def test_redact__every_key(agent, monkeypatch, text, redacted):
    """Keys in lists, in entries of PROVIDERS and in the environment go whole, also where one is part of another."""
    monkeypatch.setenv("GAMMA_KEY", "gamma")
    keys = ["plain-key", "plain-key2", "omega", "mega"]
    agent(ANTHROPIC_API_KEY=keys, OPENAI_COMPAT_API_KEY="keyring", PROVIDERS=ENTRIES)
    assert redact(text) == redacted


@pytest.mark.parametrize("shape", SHAPES)
def test_redact__linear(shape):
    """A megabyte of anything costs linear time."""
    assert isinstance(redact(shape * (1_000_000 // len(shape))), str)


KEY = "gw-7f3a9c1d2e5b"


@pytest.mark.django_db
def test_redact__metadata_of_a_provider(agent):
    """A key that a vendor sends back in any field of its metadata is not stored."""

    class Echo(LlmProvider):
        def complete(self, *, prompt, model, system_prompt=None):
            return ProviderResult(
                "fine", 1, 1, metadata={"tier": "gw-7f3a9c1d2e5b", "list": [{"a": "x gw-7f3a9c1d2e5b"}]}
            )

    agent(PROVIDERS={"echo": Echo}, OPENAI_COMPAT_API_KEY=KEY)
    assert services.complete("say", "small", provider="echo")["status"] == "ok"
    record_call(source="mine", provider="echo", model="m", prompt="", model_size="", metadata={"e": f"key {KEY}"})
    assert KEY not in str([row.metadata for row in PromptLog.objects.all()])
