"""Credentials are removed from every text that is logged, stored or returned."""

import html
import json
from base64 import b64encode, urlsafe_b64encode
from quopri import encodestring
from textwrap import wrap
from urllib.parse import quote

import pytest

from stapel_agent import LlmProvider, ProviderResult, record_call, services
from stapel_agent.exceptions import ProviderUnavailable
from stapel_agent.models import PromptLog
from stapel_agent.redaction import describe, redact, redact_start, traceback_of

SHAPES = [
    *("sk-", "://", "Bearer ", "password=", 'token": "', "a:", "api_key api_key=", "https://", "https://?"),
    *(
        "%25",
        "\\",
        "\\u0061",
        "&amp;",
        "=\n",
        "a\u200b",
        "sk-aaaa",
        "=61",
        "=3D",
        "=  ",
        "a1",
        "1a1a1a1a",
        "\t",
        "\x1b[",
    ),
]


UPSTREAM = "abcdEFGH1234567890abcd"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("nothing to hide, 4096 tokens: max_tokens: 4096", "nothing to hide, 4096 tokens: max_tokens: 4096"),
        ("invalid key sk-ant-api03-AbC_d-1", "invalid key [redacted]"),
        (f"key {'0a1b2c3d' * 4}.AbCdEfGh12345678", "key [redacted]"),
        ("Authorization: Bearer abc.def-123", "[redacted]"),
        ("sent Bearer abcdef123, refused", "sent [redacted], refused"),
        ('{"api_key": "abcd1234", "n": 1}', '{"[redacted]", "n": 1}'),
        ("postgres://user:hunter22@db/x", "postgres://[redacted]@db/x"),
        ("password=hunter22&x=1", "[redacted]&x=1"),
        ("see 'HTTPS://a.b/c?X-Sig=c0ffee#d' and http://a.b/c", "see 'HTTPS://a.b/c?[redacted]' and http://a.b/c"),
        ("the configured one: plain-key", "the configured one: [redacted]"),
        (f"upstream: nvapi-{UPSTREAM}, csk-{UPSTREAM}", "upstream: [redacted], [redacted]"),
        (f"tgp_v1_{UPSTREAM} fw_{UPSTREAM} r8_{UPSTREAM}", "[redacted] [redacted] [redacted]"),
        (f"pplx-{UPSTREAM} is no pplx-embed-context-v1-4b", "[redacted] is no pplx-embed-context-v1-4b"),
        (f"ya29.a0_{UPSTREAM} for fw_version", "[redacted] for fw_version"),
        ("AccountName=a;AccountKey=q83vEjRWeJA=;x", "AccountName=a;[redacted];x"),
        (f"Authorization: Token {UPSTREAM}, xoxb-{UPSTREAM}", "[redacted], [redacted]"),
        (f"aws_secret_access_key=b'{UPSTREAM}' pwd={UPSTREAM};x", "aws_secret_[redacted]' [redacted];x"),
        (f"{{'Cookie': 'a={UPSTREAM}'}} Set-Cookie: session={UPSTREAM}; Path=/", "{'[redacted]'} [redacted]"),
        (f"-----BEGIN PRIVATE KEY-----\n{UPSTREAM}\n-----END PRIVATE KEY-----", "[redacted]-----END PRIVATE KEY-----"),
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
def test_redact__linear(agent, shape):
    """A long text of any shape takes linear time, even if it resembles a key at each of its characters."""
    agent(OPENAI_COMPAT_API_KEY=["sk-" + "a" * 90, "a1" * 40])
    assert isinstance(redact(shape * (200_000 // len(shape))), str)


ODD_KEY = "gw/7f+3a9c=1d'2e\\5b<K>&"
JSON_KEY = json.dumps(ODD_KEY)[1:-1]
BASE64_KEY = b64encode(ODD_KEY.encode()).decode()
MAIL_KEY = encodestring(JSON_KEY.encode()).decode()
CUT = len(ODD_KEY) // 2

WRITTEN = {
    "as it is": ODD_KEY,
    "in JSON": JSON_KEY,
    "in JSON that escapes slashes": JSON_KEY.replace("/", "\\/"),
    "in JSON of JSON": json.dumps(JSON_KEY)[1:-1],
    "in JSON, all escaped": "".join(f"\\u{ord(sign):04X}" for sign in ODD_KEY),
    "as a repr": repr(ODD_KEY)[1:-1],
    "as a repr of bytes": "".join(f"\\x{octet:02x}" for octet in ODD_KEY.encode()),
    "in a URL": quote(ODD_KEY, safe=""),
    "in a URL, in lower case": quote(ODD_KEY, safe="").lower(),
    "in a URL of a URL": quote(quote(ODD_KEY, safe="")),
    "in HTML": html.escape(ODD_KEY),
    "in HTML, by number": "".join(f"&#{ord(sign)};" for sign in ODD_KEY),
    "in HTML, by hex number": "".join(f"&#x{ord(sign):X};" for sign in ODD_KEY),
    "in HTML, by padded number": "".join(f"&#{ord(sign):010};" for sign in ODD_KEY),
    "in HTML, by number without semicolons": "".join(f"&#{ord(sign)}" for sign in ODD_KEY),
    "in octal": "".join(f"\\{ord(sign):03o}" for sign in ODD_KEY),
    "as JavaScript's escape() writes it": "".join(f"%u{ord(sign):04x}" for sign in ODD_KEY),
    "broken by carriage returns": "\r".join(ODD_KEY),
    "broken by line separators": "\u2028".join(ODD_KEY),
    "in HTML of JSON": html.escape(JSON_KEY),
    "in quoted-printable": encodestring(f"x={ODD_KEY}".encode()).decode().removeprefix("x=3D"),
    "in quoted-printable, all escaped": "".join(f"={ord(sign):02X}" for sign in ODD_KEY),
    "in quoted-printable of JSON": MAIL_KEY,
    "broken by a soft line break": f"{ODD_KEY[:CUT]}=\r\n{ODD_KEY[CUT:]}",
    "broken by a soft line break in JSON": f"{MAIL_KEY[:4]}=\\n{MAIL_KEY[4:]}",
    "in base64 in quoted-printable": encodestring(BASE64_KEY.encode()).decode(),
    "in capitals": ODD_KEY.upper(),
    "in hex": ODD_KEY.encode().hex(),
    "in capital hex": ODD_KEY.encode().hex().upper(),
    "in base64": BASE64_KEY,
    "in base64 of URLs": urlsafe_b64encode(ODD_KEY.encode()).decode(),
    "in base64 in JSON": BASE64_KEY.replace("/", "\\/"),
    "in base64 in lines": "\n".join(wrap(BASE64_KEY, 16)),
    "broken by a line": f"{ODD_KEY[:CUT]}\r\n  {ODD_KEY[CUT:]}",
    "broken by an escaped line": f"{ODD_KEY[:CUT]}\\n{ODD_KEY[CUT:]}",
    "broken by a soft hyphen": f"{ODD_KEY[:CUT]}\u00ad{ODD_KEY[CUT:]}",
    "broken by tabs": "\t".join(wrap(ODD_KEY, 7)),
    "in Markdown": "".join(sign if sign.isalnum() else f"\\{sign}" for sign in ODD_KEY),
    "in the colors of a terminal": f"{ODD_KEY[:CUT]}\x1b[1;31m{ODD_KEY[CUT:]}",
    "in the colors of a terminal, in JSON": f"{JSON_KEY[:4]}\\u001b[0m{JSON_KEY[4:]}",
    "between invisible characters": "\u200b".join(ODD_KEY),
    "between characters that cannot be shown": "\ufffd".join(ODD_KEY),
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_redact__encoded_key(agent, written):
    """A key is replaced in every usual escape and encoding, and the text around it stays."""
    agent(OPENAI_COMPAT_API_KEY=ODD_KEY)
    assert redact(f"the vendor said: {written} (refused)") == "the vendor said: [redacted] (refused)"


LONG_KEY = "Zk9qW3eR7tY1uI5oP2aS8dF4gH6jK0mN"
CUT_KEYS = [
    ("Invalid key Zk9qW3eR7tY1uI5oP2aS8dF4...", "Invalid key [redacted]..."),
    ("Invalid key ...uI5oP2aS8dF4gH6jK0mN", "Invalid key ...[redacted]"),
    ("Zk9qW3eR7tY1***dF4gH6jK0mN and zK9Qw3eR7Ty1", "[redacted]***[redacted] and [redacted]"),
    ("Zk9qW3eR\\u0037tY1uI5", "[redacted]"),
    ("Zk9qW3eR7tZk9qW3eR7tY1uI5", "[redacted]"),
    ("Zk9qW3eR... is long, Zk9qW3e... is short", "[redacted]... is long, Zk9qW3e... is short"),
    ("ghijK1lM... is none, mnopQ1rstuvwxy... may be a word", "[redacted]... is none, mnopQ1rstuvwxy... may be a word"),
    ("Zk9qW3... ends with K0mN", "Zk9qW3... ends with K0mN"),
    ("a key in gw-claude-opus-4-8-2025 or gw-claude-opus", "a key in gw-claude-opus-4-8-2025 or gw-claude-opus"),
    ("the secret of the host", "the secret of the host"),
    ("qwhzkvbnxjrtplmcfdgsqa...", "[redacted]..."),
]


@pytest.mark.parametrize(("text", "redacted"), CUT_KEYS)
def test_redact__cut_key(agent, text, redacted):
    """The start or the end of a key is replaced, in any case or escape, if it is too long for an ordinary word."""
    words = "gw-claude-opus-4-8-20251101-secret-of-the-host"
    others = ["qwhzkvbnxjrtplmcfdgsqazwsxedcrfv", "ghijK1lMnopqrstu", "mnopQ1rstuvwxyz"]
    agent(OPENAI_COMPAT_API_KEY=[LONG_KEY, words, *others])
    assert redact(text) == redacted


@pytest.mark.parametrize("user", ["", "a", "me", "you", "user"])
def test_redact__basic_authorization(agent, user):
    """A key is replaced in the base64 of a longer text, whatever stands before it."""
    agent(OPENAI_COMPAT_API_KEY=ODD_KEY)
    encoded = b64encode(f"{user}:{ODD_KEY}\n".encode()).decode()
    redacted = redact(f"Authorization sent: ({encoded})")
    assert "[redacted]" in redacted
    assert not any(encoded[place : place + 4] in redacted for place in range(8, len(encoded) - 4))


@pytest.mark.parametrize("text", ["path\\nd4-7f3a9c1d", "50%nd4-7f3a9c1d", "&nd4-7f3a9c1d;", "\\u00nd4-7f3a9c1d"])
def test_redact__start_of_an_escape(agent, text):
    """Characters before a key that resemble the start of an escape do not hide the key."""
    agent(OPENAI_COMPAT_API_KEY="nd4-7f3a9c1d")
    assert redact(text) == text.replace("nd4-7f3a9c1d", "[redacted]")


def test_redact__short_key(agent):
    """A short key is replaced only as it is written, because its encoded forms would match ordinary words."""
    agent(OPENAI_COMPAT_API_KEY="ollama")
    assert redact("ollama, Ollama, b2xsYW1h") == "[redacted], Ollama, b2xsYW1h"


def test_redact__key_of_the_environment(monkeypatch):
    """The credentials in the environment are keys, because the Claude Code CLI gets them."""
    monkeypatch.setenv("CLAUDE_CODE_OAUTH_TOKEN", "oat-of-the-host")
    monkeypatch.setenv("CLAUDE_CODE_THEME", "dark-as-night")
    assert redact("oat-of-the-host dark-as-night") == "[redacted] dark-as-night"


KEY_VARIABLES = (
    *("AWS_BEARER_TOKEN_BEDROCK", "CLAUDE_CODE_CLIENT_KEY_PASSPHRASE", "ANTHROPIC_AUTH_TOKEN", "API_KEY_2", "NPM_AUTH"),
    *("AWS_SECRET_ACCESS_KEY", "DB_PASS", "GOOGLE_CREDENTIALS_JSON", "SESSION_COOKIE", "anthropic_api_key_backup"),
)
OTHER_VARIABLES = (
    *("SSH_AUTH_SOCK", "API_KEY_FILE", "TOKEN_URL", "CLAUDE_CODE_MAX_OUTPUT_TOKENS", "KEYBOARD", "XAUTHORITY"),
    *("MONKEY", "COMPASS", "AUTH_METHOD", "KEY_VAULT_NAME", "AWS_ACCESS_KEY_ID", "HOME"),
)


def test_redact__variables(monkeypatch):
    """A word in the name of a variable says that it holds a credential. The words of its value are no keys."""
    for name in KEY_VARIABLES + OTHER_VARIABLES:
        monkeypatch.setenv(name, f"a value of {name}")
    text = "; ".join(f"a value of {name}" for name in KEY_VARIABLES)
    assert redact(text) == "; ".join(["[redacted]"] * len(KEY_VARIABLES))
    text = "; ".join(f"a value of {name}" for name in OTHER_VARIABLES)
    assert redact(text) == text


def test_redact__headers_in_variables(monkeypatch):
    """The values of headers in the environment are keys, without their names. Short ones are not."""
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Team: a b\nX-Gateway-Key:Zq81mmTT02xx\n")
    monkeypatch.setenv("OTEL_HEADERS", "x-team=a,authorization=Custom Zq82mmTT02xx")
    monkeypatch.setenv("A_HEADER", "X-Team: a, Authorization: Zq83mmTT02xx")
    assert redact("Zq81mmTT02xx, Zq82mmTT02xx, Zq83mmTT02xx") == "[redacted], [redacted], [redacted]"
    assert redact("a bad X-Gateway-Key of a team") == "a bad X-Gateway-Key of a team"


def test_redact__authorization_header(agent):
    """The credentials in a configured header are replaced with and without their scheme."""
    agent(PROVIDERS={"own": {"options": {"headers": {"Authorization": "Custom 7f3a9c1d2e5b"}}}})
    assert redact("Custom 7f3a9c1d2e5b; 7f3a9c1d2e5b") == "[redacted]; [redacted]"


def test_redact__key_with_blanks(agent):
    """A key that was read from a file with a line break is replaced without it as well."""
    agent(OPENAI_COMPAT_API_KEY=" gw-7f3a9c1d\n")
    assert redact("Illegal header value b'gw-7f3a9c1d\\n'") == "Illegal header value b'[redacted]\\n'"


@pytest.mark.parametrize("key", [" ", "\n\t"])
def test_redact__blank_key(agent, key):
    """A key of blanks is empty."""
    agent(PROVIDERS={"own": {"base_url": "https://api.invalid", "api_key": ["gw-7f3a9c1d", key]}})
    assert redact("gw-7f3a9c1d is\n\tno key") == "[redacted] is\n\tno key"


def test_redact_start__key_at_the_cut(agent):
    """A long text is cut after the redaction, and the part of a key at the end of the examined text is dropped."""
    agent(OPENAI_COMPAT_API_KEY=ODD_KEY)
    assert redact_start(f"a {ODD_KEY}", 5) == "a [re"
    links = "https://a?" + "x" * 64 + " "
    padding = links * ((64 * 1024 - CUT) // len(links))
    padding += " " * (64 * 1024 - CUT - len(padding))
    assert ODD_KEY[: CUT - 2] not in redact_start(f"{padding}{ODD_KEY}", 64 * 1024)


class Unreadable(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def test_describe__unreadable():
    """An exception whose text cannot be read is described by its type."""
    assert describe(Unreadable()) == "Unreadable: its message cannot be read"


def test_describe__key_over_two_lines(agent):
    """A key that contains a line break leaves no first half in the first line."""
    agent(OPENAI_COMPAT_API_KEY=ODD_KEY)
    assert describe(ValueError(f"no {ODD_KEY[:CUT]}\n{ODD_KEY[CUT:]}\nmore")) == "ValueError: no [redacted]"


def test_traceback_of__long(agent):
    """Of a long traceback, the end is logged, without a part of a key at the cut."""
    agent(OPENAI_COMPAT_API_KEY=ODD_KEY)
    text = traceback_of(ValueError(f"{ODD_KEY} " * 200_000))
    assert len(text) == 64 * 1024
    assert ODD_KEY[2:10] not in text


@pytest.mark.parametrize("has_cause", [True, False])
def test_traceback_of__chain(agent, has_cause):
    """Keys are removed from the messages and notes of all exceptions that led to the last one."""
    agent(OPENAI_COMPAT_API_KEY=ODD_KEY)
    first, second, third = ValueError(f"sent {ODD_KEY!r}"), KeyError(ODD_KEY), Unreadable()
    first.add_note(quote(ODD_KEY))
    second.__context__, third.__context__ = first, second
    if has_cause:
        third.__cause__ = second
    text = traceback_of(third)
    assert "KeyError" in text
    assert text.count("[redacted]") == 3
    assert ODD_KEY[:CUT] not in text


KEY = "gw-7f3a9c1d2e5b"


@pytest.mark.django_db
def test_redact__metadata_of_a_provider(agent):
    """A key that a vendor sends back in any field of its metadata is not stored."""

    class Echo(LlmProvider):
        def complete(self, *, prompt, model, system_prompt=None):
            return ProviderResult(
                "fine", 1, 1, metadata={"tier": KEY, "list": [{"a": f"x {KEY}"}], KEY: f"%67{KEY[1:]}"}
            )

    agent(PROVIDERS={"echo": Echo}, OPENAI_COMPAT_API_KEY=KEY)
    context = {"note": f"key {KEY}"}
    assert services.complete("say", "small", provider="echo", metadata={KEY: 1}, context=context)["status"] == "ok"
    record_call(source="mine", provider="echo", model="m", prompt="", model_size="", metadata={"e": f"key {KEY}"})
    assert KEY[1:] not in str([row.metadata for row in PromptLog.objects.all()])


@pytest.mark.any_database
@pytest.mark.django_db
@pytest.mark.parametrize("reason", [KEY, KEY.upper(), "x" * 30 + KEY, quote(KEY, safe="")])
def test_redact__finish_reason(agent, caplog, reason):
    """A key in a finish reason reaches neither the answer, the row nor the log, not even in part."""

    class Echo(LlmProvider):
        def complete(self, *, prompt, model, system_prompt=None):
            return ProviderResult("fine", 1, 1, finish_reason=reason)

    agent(PROVIDERS={"echo": Echo}, OPENAI_COMPAT_API_KEY=KEY)
    answer = services.complete("say", "small", provider="echo")
    assert answer["failure"] == "invalid_answer"
    said = f"{answer} {list(PromptLog.objects.values())} {caplog.text}".lower()
    assert KEY[:8] not in said


@pytest.mark.django_db
def test_redact__key_from_api_keys(agent, caplog):
    """A key that a host's provider returns from `api_keys()` is redacted like a configured one, unless it is short."""

    class Vault(LlmProvider):
        supports_api_key = True

        def api_keys(self):
            return ("vault-7f3a9c1d", "fused")

        def complete(self, *, prompt, model, system_prompt=None, api_key=None):
            raise ProviderUnavailable(f"refused {api_key}")

    agent(PROVIDERS={"vault": Vault}, RETRIES=0)
    answer = services.complete("say", "small", provider="vault")
    assert answer["reason"] == "overloaded: refused [redacted]"
    assert "vault-7f3a9c1d" not in f"{list(PromptLog.objects.values())} {caplog.text}"


def test_redact__unreadable_key(agent):
    """A setting of a host's class that raises does not keep the other keys from being redacted."""

    class Secretive:
        def __str__(self):
            raise RuntimeError

        __len__ = __bool__ = __str__

    agent(ANTHROPIC_API_KEY=Secretive(), OPENAI_COMPAT_API_KEY="the-other-key")
    assert redact("the-other-key") == "[redacted]"
