"""Each invalid setting is reported by its name, its type and the fix, by a check and by a call."""

from io import StringIO

import pytest
from django.core.checks import run_checks
from django.core.management import call_command

from stapel_agent import LlmProvider, ProviderResult, registered_providers, usage
from stapel_agent.exceptions import AccessDenied, AgentError
from stapel_agent.management.provider_report import reports
from stapel_agent.models import PromptLog
from stapel_agent.providers import anthropic
from stapel_agent.providers.anthropic import AnthropicProvider
from stapel_agent.providers.openai_compat import OpenAICompatProvider
from stapel_agent.services import get_provider

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

KEY = "kept-to-itself"
TOLD = " (manage.py check --tag stapel_agent --deploy gives details)"
TOLD_BY_PROVIDERS = " (manage.py llm providers gives details)"

BREAKING = [
    ("PROVIDERS", ["host.llm.Mine"], "E009", "dict of names, each with an LlmProvider", "list"),
    ("PROVIDERS", "host.llm.Mine", "E009", "such as {'mine': 'host.llm.MyProvider'}", "str"),
    ("PROVIDERS", {1: "host.llm.Mine"}, "E009", "dict of names", "dict"),
    ("MODELS", ["small"], "E003", "such as {'small': 'claude-haiku-4-5-20251001'}", "list"),
    ("MODELS", {1: "m"}, "E003", "dict of sizes", "dict"),
    ("MAX_TOKENS", "4096", "E002", "a whole number from 1 ", "str"),
    ("MAX_TOKENS", 1.5, "E002", "a whole number from 1 ", "float"),
    ("CLI_TIMEOUT", "120", "E002", "a number from ", "str"),
    ("CLI_TIMEOUT", float("inf"), "E002", "a number from ", "float"),
    ("DEADLINE", "5", "E002", "or None", "str"),
    ("DEADLINE", float("nan"), "E002", "or None", "float"),
    ("RETRIES", None, "E002", "a whole number from 0 ", "NoneType"),
    ("RETRIES", True, "E002", "a whole number from 0 ", "bool"),
    ("SCHEMA_RETRIES", "1", "E002", "a whole number from 0 ", "str"),
    ("FALLBACKS", ["openai-compat"], "E005", "such as {'anthropic': ['openai-compat']}", "list"),
    ("FALLBACK_ON", "refused", "E005", "such as ['refused', 'truncated']", "str"),
    ("FALLBACK_ON", ["refuse"], "E005", "a list of failures from", "list"),
    ("FALLBACK_ON", [["refused"]], "E005", "a list of failures from", "list"),
    ("SCHEMA_IN_PROMPT", "yes", "E002", "True or False", "str"),
    ("FALLBACKS", {"anthropic": 5}, "E005", "each with a list of others", "dict"),
    ("FALLBACKS", {"anthropic": [["x"]]}, "E005", "each with a list of others", "dict"),
    ("MAX_CONCURRENCY", 5, "E005", "such as {'anthropic': 8}", "int"),
    ("MAX_CONCURRENCY", {"anthropic": "5"}, "E005", "each with a whole number of at least 1", "dict"),
    ("COOLDOWN_FAILURES", "5", "E002", "a whole number from 1 ", "str"),
    ("COOLDOWN_SECONDS", -1, "E002", "a number from 0 ", "int"),
    ("CACHE_SCOPE", "user", "E004", "each with one of 'user', 'workspace', 'shared', not", "str"),
    ("IDEMPOTENCY_TTL", 10**20, "E002", "a number from 0 to 1000000000", "int"),
]
"""Setting, value, id of the check, a part of the fix, and the reported type. Every call fails with these."""

BEARABLE = [
    ("DEFAULT_PROVIDER", ["anthropic"], "E009", "the name of a provider", "list"),
    ("OPENAI_COMPAT_MODELS", "gpt", "E009", "such as {'small': 'qwen3:4b'}", "str"),
    ("OPENAI_COMPAT_BASE_URL", "localhost:8000/v1", "E009", "starts with 'http://' or 'https://'", "str"),
    ("OPENAI_COMPAT_BASE_URL", 8000, "E009", "such as 'http://127.0.0.1:8000/v1'", "int"),
    ("OPENAI_COMPAT_MAX_TOKENS_PARAM", ["max_tokens"], "E009", "'max_completion_tokens'", "list"),
    ("ANTHROPIC_BASE_URL", "api.anthropic.com", "E009", "such as 'https://api.anthropic.com'", "str"),
    ("CLI_BINARY", ["claude"], "E009", "the name or path of a program", "list"),
    ("TRACE_CONTENT", "False", "E002", "True or False, without quotes", "str"),
    ("RETRY_BILLED", "False", "E002", "True or False, without quotes", "str"),
    ("IMAGE_FETCH", 1, "E002", "True or False, without quotes", "int"),
    ("IMAGE_MAX_BYTES", "5 MB", "E002", "a whole number from 1 ", "str"),
    ("FALLBACKS", None, "E005", "each with a list of others", "NoneType"),
    ("MAX_CONCURRENCY", None, "E005", "each with a whole number of at least 1", "NoneType"),
    ("CACHE_LOOKUP", True, "E004", "a dict of sources", "bool"),
    ("CACHE_TTL", -1, "E002", "a number from 0 ", "int"),
    ("CACHE_TTL", "1h", "E002", "a number from 0 ", "str"),
    ("TRANSLATE_RETRIES", None, "E002", "a whole number from 0 ", "NoneType"),
    ("TRANSLATE_CONCURRENCY", 1.5, "E002", "a whole number from 1 ", "float"),
    ("TRANSLATE_CHUNK_ENTRIES", "50", "E002", "a whole number from 1 ", "str"),
]
"""The same. A completion by another provider, or without the cache, still works with these."""


def errors() -> list[tuple[str, str]]:
    """The messages of all checks, including those for deployments."""
    return [(found.id, found.msg) for found in run_checks(tags=["stapel_agent"], include_deployment_checks=True)]


@pytest.mark.parametrize(("key", "value", "id", "fix", "kind"), [*BREAKING, *BEARABLE])
def test_check__names_the_fix(agent, key, value, id, fix, kind):
    """There is one error, which names the setting, its valid values and its type. No other check fails for it."""
    agent(**{"ANTHROPIC_API_KEY": KEY, key: value})
    ((found, message),) = errors()
    assert (found, message.startswith(f"STAPEL_AGENT[{key!r}] must be ")) == (f"stapel_agent.{id}", True)
    assert fix in message
    assert message.endswith((f"({kind}).", f"not a value of the type {kind}."))


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, value, *_ in BREAKING])
def test_call__names_the_fix(facade, agent, scripted_model, key, value):
    """No provider is asked, no row is written, and every verb fails with the message of the check."""
    agent(**{key: value})
    (message,) = [text for _, text in errors() if key in text]
    expected = {"status": "failure", "failure": "rejected", "reason": f"rejected: {message.removesuffix('.')}{TOLD}"}
    assert facade.complete("say", "small", idempotency_key="k", caller="c") == expected
    assert facade.complete_json("say", "small", schema={"type": "object"}) == expected
    assert facade.translate("en", "de", {"a": "one"}) == expected
    assert (scripted_model.requests, PromptLog.objects.count()) == ([], 0)
    assert usage()["totals"]["calls"] == 0


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, value, *_ in BEARABLE])
def test_call__goes_on(facade, agent, scripted_model, key, value):
    """A setting that a call does not need does not affect it."""
    agent(**{key: value})
    provider = "openai-compat" if key == "DEFAULT_PROVIDER" else None
    assert facade.complete("say", "small", provider=provider)["status"] == "ok"


@pytest.mark.parametrize("value", [None, 5, "50", 1.5])
def test_translate__names_the_fix(facade, agent, scripted_model, value):
    """A setting that only translations need makes only translations fail."""
    agent(TRANSLATE_CHUNK_ENTRIES=value)
    reason = facade.translate("en", "de", {"a": "one"}).get("reason", "")
    assert ("TRANSLATE_CHUNK_ENTRIES'] must be a whole number" in reason) == (value != 5)


@pytest.mark.parametrize("value", ["po", 5, None])
def test_translate__names_the_format_setting(facade, agent, scripted_model, value):
    """An invalid default format is reported as the setting that it is, not as an argument that the caller left out."""
    agent(TRANSLATE_FORMAT=value)
    reason = facade.translate("en", "de", {"a": "one"})["reason"]
    assert reason.startswith("rejected: STAPEL_AGENT['TRANSLATE_FORMAT'] must be empty, or one of icu, ")
    assert (reason.endswith(TOLD), scripted_model.requests) == (True, [])


@pytest.mark.parametrize("value", [[], None, "PROVIDERS MAX_TOKENS", 5, [("ANTHROPIC_API_KEY", KEY)]], ids=repr)
def test_stapel_agent__no_dict(facade, settings, scripted_model, value):
    """If STAPEL_AGENT is not a dict, there is one error, and no call is made with the defaults."""
    settings.STAPEL_AGENT = value
    text = f"STAPEL_AGENT must be a dict, such as {{'DEFAULT_PROVIDER': 'anthropic'}}, not {type(value).__name__}"
    assert errors() == [("stapel_agent.E009", f"{text}.")]
    assert facade.complete("say", "small") == {
        "status": "failure",
        "failure": "rejected",
        "reason": f"rejected: {text}{TOLD}",
    }
    assert scripted_model.requests == []


@pytest.mark.sdk
def test_stapel_agent__key_is_not_a_string(settings):
    """A key that is not a text has no effect, like any unknown key."""
    settings.STAPEL_AGENT = {"ANTHROPIC_API_KEY": KEY, 5: 6}
    assert errors() == [("stapel_agent.W006", "STAPEL_AGENT has an unknown key 5; it has no effect.")]


class Secretive:
    """A value of a host's own class that cannot be read."""

    def __repr__(self):
        raise RuntimeError(KEY)

    __eq__ = __hash__ = __len__ = __iter__ = __repr__


@pytest.mark.parametrize(
    "key", ["ANTHROPIC_API_KEY", "OPENAI_COMPAT_API_KEY", "ANTHROPIC_BASE_URL", "MODELS", "PROVIDERS"]
)
@pytest.mark.parametrize("value", [[KEY], {5: KEY}, Secretive(), 31337, KEY.encode()], ids=type)
def test_keys__are_never_shown(agent, key, value):
    """A key of the wrong type is reported by its type only, and so is a value that cannot be read."""
    agent(**{"ANTHROPIC_API_KEY": "key-of-a-test", key: value})
    ((_, message),) = [(found, text) for found, text in errors() if key in text]
    assert type(value).__name__ in message
    if "KEY" in key:
        assert message.endswith(f"not a value of the type {type(value).__name__}.")


@pytest.mark.parametrize("url", ["https://user:secret-word@host/v1", "host/v1?key=secret-word"])
def test_base_url__password_is_not_shown(agent, url):
    """An address with a password or a key is reported without it."""
    agent(ANTHROPIC_API_KEY="key-of-a-test", OPENAI_COMPAT_BASE_URL=url)
    ((_, message),) = errors()
    assert "secret-word" not in message
    assert message.endswith("not a value of the type str.")


@pytest.mark.parametrize("prefix", ["ANTHROPIC", "OPENAI_COMPAT"])
@pytest.mark.parametrize(
    "value", [["one-long-key"], ("one-long-key",), {"env": "HOUSE_KEY"}, [{"env": "HOUSE_KEY"}], b"one-long-key", {}]
)
def test_keys__that_the_check_refuses(agent, monkeypatch, prefix, value):
    """A setting for one key is a string: whatever the check refuses, no call uses."""
    monkeypatch.setenv("HOUSE_KEY", "one-long-key")
    agent(
        **{
            "ANTHROPIC_API_KEY": "key-of-a-test",
            "OPENAI_COMPAT_BASE_URL": "http://127.0.0.1:9/v1",
            f"{prefix}_API_KEY": value,
        }
    )
    assert [found for found, text in errors() if f"{prefix}_API_KEY" in text] == ["stapel_agent.E009"]
    provider = {"ANTHROPIC": AnthropicProvider, "OPENAI_COMPAT": OpenAICompatProvider}[prefix]()
    with pytest.raises(AccessDenied, match=f"{prefix}_API_KEY has a value of the type .*must be a string"):
        provider.complete(prompt="say", model="m")


@pytest.mark.parametrize(
    ("provider", "key"),
    [
        *[("anthropic", key) for key in ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL")],
        *[("openai-compat", f"OPENAI_COMPAT_{key}") for key in ("API_KEY", "BASE_URL", "MAX_TOKENS_PARAM", "MODELS")],
    ],
)
def test_provider__setting_of_another_kind(facade, agent, provider, key):
    """A provider reports its own settings, and its fallback may be asked."""
    usable = {"ANTHROPIC_API_KEY": "key-of-a-test", "OPENAI_COMPAT_BASE_URL": "http://127.0.0.1:9/v1", "RETRIES": 0}
    agent(**{**usable, key: 31337})
    reason = facade.complete("say", "small", provider=provider)["reason"]
    faults = ("has a value of the type int: ", "must be ", "must begin with ", "is invalid: ")
    assert reason.startswith(tuple(f"auth: {key} {fault}" for fault in faults))
    assert reason.endswith(TOLD_BY_PROVIDERS)
    assert "31337" not in reason
    assert get_provider(provider).configuration_error() is not None


@pytest.mark.parametrize("models", ["llama", ["llama"], {"small": 5}, {"large": None, "small": "llama"}])
def test_openai_compat__models(facade, agent, caplog, models):
    """Invalid model names are the setting's error, not the provider's: a fallback answers."""
    agent(OPENAI_COMPAT_BASE_URL="http://127.0.0.1:9/v1", OPENAI_COMPAT_MODELS=models)
    fault = "OPENAI_COMPAT_MODELS must be a dict of sizes, each with the name of a model: "
    for ask in (facade.complete, facade.complete_json):
        assert ask("say", "small", provider="openai-compat")["reason"].startswith(f"auth: {fault}")
    assert facade.translate("en", "de", {"a": "one"}, provider="openai-compat")["reason"].startswith(f"auth: {fault}")
    (report,) = [report for report in reports() if report.name == "openai-compat"]
    assert (report.error.startswith(fault), caplog.messages) == (True, [])


def test_anthropic__without_a_key(facade, agent):
    """The failure says where to get details."""
    agent(ANTHROPIC_API_KEY="")
    reason = facade.complete("say", "small", provider="anthropic")["reason"]
    assert reason == f"auth: ANTHROPIC_API_KEY is empty: set it to a key of the Anthropic API{TOLD_BY_PROVIDERS}"


def test_anthropic__what_is_missing_first(agent, monkeypatch):
    """The first setting that a call needs is reported first, then the next one."""
    agent(ANTHROPIC_API_KEY="")
    monkeypatch.setattr(anthropic, "find_spec", lambda name: None)
    assert AnthropicProvider().configuration_error() == (
        "ANTHROPIC_API_KEY is empty: set it to a key of the Anthropic API; "
        "the Anthropic SDK is not installed: pip install 'anthropic>=2.7,<3'"
    )


def test_models__empty_name(facade, agent):
    """A size without a model name is never asked for. A provider with its own default still answers."""
    agent(MODELS={"small": "", "large": "l"}, PROVIDERS={"plain": Plain, "own": Own}, DEFAULT_PROVIDER="plain")
    fault = "STAPEL_AGENT['MODELS']['small'] names no model, and provider 'plain' has no default model for it"
    assert errors() == [("stapel_agent.E003", f"{fault}.")]
    assert facade.complete("say", "small") == {
        "status": "failure",
        "failure": "rejected",
        "reason": f"rejected: {fault}{TOLD}",
    }
    assert facade.translate("en", "de", {"a": "one"})["reason"] == f"rejected: {fault}{TOLD}"
    assert facade.complete("say", "large")["model"] == "l"
    assert facade.complete("say", "small", provider="own")["model"] == "mine"


@pytest.mark.parametrize("model", ["", " ", None])
def test_models__provider_without_one(facade, agent, model):
    """A provider may say with a blank or with None that it has no model for a size: checks and calls agree."""

    class Without(Plain):
        def resolve_model(self, model_size, default):
            return model

    agent(MODELS={"small": "s"}, PROVIDERS={"without": Without}, DEFAULT_PROVIDER="without")
    fault = "STAPEL_AGENT['MODELS']['small'] names no model, and provider 'without' has no default model for it"
    assert errors() == [("stapel_agent.E003", f"{fault}.")]
    assert facade.complete("say", "small")["reason"] == f"rejected: {fault}{TOLD}"
    (report,) = [report for report in reports() if report.name == "without"]
    assert report.models == {}


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("house", "set PROVIDERS['house']['models']['large']"),
        ("openai-compat", "set OPENAI_COMPAT_MODELS['large']"),
        ("plain", "add the size to its default_models, or use another size or provider"),
    ],
)
def test_models__profile_of_another_provider(facade, agent, name, fix):
    """A request for a provider without a model for the size says whose profile it is, and which setting to use."""
    house = {"base_url": "http://127.0.0.1:9/v1"}
    profile = {"provider": "own", "model": "l"}
    agent(MODELS={"large": profile}, PROVIDERS={"plain": Plain, "own": Own, "house": house}, DEFAULT_PROVIDER="own")
    fault = f"the profile of 'large' is for provider 'own', and provider {name!r} has no model for that size"
    assert facade.complete("say", "large", provider=name) == {
        "status": "failure",
        "failure": "rejected",
        "reason": f"rejected: {fault}: {fix}",
    }
    (report,) = [report for report in reports() if report.name == name]
    assert (report.models, report.error if name != "openai-compat" else fix) == ({}, fix)


class Plain(LlmProvider):
    def complete(self, **arguments):
        return ProviderResult("answer")


class Own(Plain):
    def resolve_model(self, model_size, default):
        return default or "mine"


PROVIDERS = {"gone": "no.such.Provider", "int": int, "removed": None}


@pytest.mark.parametrize(
    ("default", "named", "reason"),
    [
        ("gone", None, f"provider 'gone' cannot be imported from 'no.such.Provider' (ModuleNotFoundError){TOLD}"),
        ("int", None, f"provider 'int' is not an LlmProvider subclass{TOLD_BY_PROVIDERS}"),
        ("nobody", None, f"DEFAULT_PROVIDER 'nobody' is not registered: use one of {{}}{TOLD_BY_PROVIDERS}"),
        (None, None, f"DEFAULT_PROVIDER None is not registered: use one of {{}}{TOLD_BY_PROVIDERS}"),
        ("int", "nobody", f"provider 'nobody' is not registered: use one of {{}}{TOLD_BY_PROVIDERS}"),
        ("int", "removed", f"provider 'removed' is not registered: use one of {{}}{TOLD_BY_PROVIDERS}"),
    ],
)
def test_provider__unusable(facade, agent, default, named, reason):
    """The failure names the provider, its path or setting, and the command that gives details. It has no row."""
    agent(PROVIDERS=PROVIDERS, DEFAULT_PROVIDER=default)
    names = ", ".join(sorted(registered_providers()))
    assert facade.complete("say", "small", provider=named)["reason"] == f"rejected: {reason.format(names)}"
    assert PromptLog.objects.count() == 0


MISPLACED = [
    "nosuchkey4711",
    "sk-proj-nosuchkey4711",
    f"{'a1b2c3d4' * 4}.nosuchkey4711abc",
    "https://user:nosuchkey4711@llm.example.com/v1",
    ["https://llm.example.com/v1", "nosuchkey4711"],
    {"base_url": "https://llm.example.com/v1", "api_key": {"env": "nosuchkey4711"}},
    {"base_url": "https://llm.example.com/v1", "api_key": {"key": "nosuchkey4711"}},
    {"base_url": "https://user:nosuchkey4711@llm.example.com/v1"},
]


@pytest.mark.parametrize("providers", [*({"house": entry} for entry in MISPLACED), "nosuchkey4711"], ids=str)
def test_providers__key_in_the_wrong_place(facade, agent, providers):
    """A key or a password in the wrong place of PROVIDERS is in no answer, no check and no report."""
    agent(PROVIDERS=providers, DEFAULT_PROVIDER="house")
    out = StringIO()
    call_command("llm", "providers", stdout=out)
    answer = facade.complete("say", "small")
    told = [answer["reason"], *map(str, run_checks(tags=["stapel_agent"])), out.getvalue()]
    assert (answer["status"], "house" in out.getvalue()) == ("failure", True)
    assert "nosuchkey4711" not in "".join(told)


def test_get_provider__default_of_another_kind(agent):
    """Functions outside of a call raise exceptions of this package."""
    agent(DEFAULT_PROVIDER=["anthropic"])
    with pytest.raises(AgentError, match="is not registered: use one of anthropic"):
        get_provider()
