"""Which provider a name stands for."""

import pytest

from stapel_agent.exceptions import ProviderUnimportable, ProviderUnusable
from stapel_agent.providers import BUILTIN_PROVIDERS, register_provider, registered_providers
from stapel_agent.providers.base import LlmProvider
from stapel_agent.providers.registry import Registry, provider_registry


class One(LlmProvider):
    """A host's provider."""


class Two(LlmProvider):
    """Another provider of the host."""


@pytest.fixture(autouse=True)
def restored():
    """Remove what a test registers."""
    with provider_registry.overridden({}):
        yield


def test_registry__builtins():
    """Without settings, the three built-in providers are registered."""
    assert registered_providers() == BUILTIN_PROVIDERS
    assert sorted(BUILTIN_PROVIDERS) == ["anthropic", "claude-code", "openai-compat"]


def test_registry__later_wins(agent):
    """Later entries win: built-ins, settings, registration. None and "" remove a name."""
    agent(
        PROVIDERS={
            "anthropic": One,
            "mine": "tests.providers.test_registry.One",
            "claude-code": None,
            "openai-compat": "",
        }
    )
    assert registered_providers() == {"anthropic": One, "mine": "tests.providers.test_registry.One"}
    register_provider("mine", Two)
    register_provider("openai-compat", "tests.providers.test_registry.Two")
    register_provider("anthropic", None)
    assert registered_providers() == {"mine": Two, "openai-compat": "tests.providers.test_registry.Two"}


def test_registry__repr_without_keys(agent):
    """The repr of an endpoint shows none of its keys, also not that of the class made for it."""
    entry = {"base_url": "http://127.0.0.1:9", "api_key": ["gw-7f3a9c1d"], "options": {"headers": {"X-Key": "8d2e"}}}
    agent(PROVIDERS={"gateway": entry})
    shown = registered_providers()["gateway"]
    assert shown == entry
    expected = repr(entry).replace("gw-7f3a9c1d", "[redacted]").replace("8d2e", "[redacted]")
    assert (repr(shown), repr(provider_registry.load("gateway").entry)) == (expected, expected)


def test_registry__dotted_path(agent):
    """A dotted path is imported when it is first needed."""
    agent(PROVIDERS={"mine": "tests.providers.test_registry.One"})
    assert provider_registry.load("mine") is One


@pytest.mark.parametrize("entry", [One(), dict, object(), 7, LlmProvider.complete, {"api_key": "gw-7f3a9c1d"}])
def test_register__rejects_other_classes(entry):
    """Registering an instance or a foreign class is a TypeError, which does not show the value."""
    kind = type(entry).__name__
    message = f"provider 'mine' must be an LlmProvider subclass or a dotted path, not {kind}"
    with pytest.raises(TypeError, match=f"^{message}$"):
        register_provider("mine", entry)


@pytest.mark.parametrize(
    ("entry", "fault", "message"),
    [
        (
            "no.such.module.Provider",
            ProviderUnimportable,
            r"cannot be imported from 'no.such.module.Provider' \(ModuleNotFoundError\)",
        ),
        (
            "tests.providers.test_registry.Missing",
            ProviderUnimportable,
            r"cannot be imported from 'tests\S+' \(ImportError\)",
        ),
        (
            "nodots",
            ProviderUnimportable,
            r"cannot be imported from its entry in PROVIDERS, which is not a dotted path \(ImportError\)",
        ),
        ("xai_house.Provider", ProviderUnimportable, r"cannot be imported from 'xai_house.Provider'"),
        ("tests.providers.test_registry.BUILTIN_PROVIDERS", ProviderUnusable, "'mine' is not an LlmProvider"),
        (dict, ProviderUnusable, "'mine' is not an LlmProvider"),
        (7, ProviderUnusable, "'mine' is not an LlmProvider"),
    ],
)
def test_load__unusable(agent, entry, fault, message):
    """An entry that leads nowhere raises an exception that names it, when it is used."""
    agent(PROVIDERS={"mine": entry})
    with pytest.raises(fault, match=message):
        provider_registry.load("mine")
    assert "mine" in dict(provider_registry.unusable())


def test_load__unknown():
    """The error for an unknown name lists the registered ones."""
    with pytest.raises(ProviderUnusable, match="'nobody' is not registered: use one of a, b"):
        Registry({"b": One, "a": Two}).load("nobody")
