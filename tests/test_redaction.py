"""Credentials are taken out of every text that leaves."""

import pytest

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


@pytest.mark.parametrize("shape", SHAPES)
def test_redact__linear(shape):
    """A megabyte of anything costs linear time."""
    assert isinstance(redact(shape * (1_000_000 // len(shape))), str)
