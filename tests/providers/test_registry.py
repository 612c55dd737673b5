"""Which provider a name stands for."""

import pytest

from stapel_agent.exceptions import ProviderUnimportable, ProviderUnusable
from stapel_agent.providers import BUILTIN_PROVIDERS, register_provider, registered_providers
from stapel_agent.providers.base import LlmProvider
from stapel_agent.providers.registry import Registry, provider_registry


class One(LlmProvider):
    """A host's provider."""


class Two(LlmProvider):
    """Another."""


@pytest.fixture(autouse=True)
def restored():
    """What a test registers is gone afterwards."""
    with provider_registry.overridden({}):
        yield


def test_registry__builtins():
    """Without settings there are the three that this package brings."""
    assert registered_providers() == BUILTIN_PROVIDERS
    assert sorted(BUILTIN_PROVIDERS) == ["anthropic", "claude-code", "openai-compat"]


def test_registry__later_wins(agent):
    """Built-ins, then settings, then registration; None and "" remove."""
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


def test_registry__dotted_path(agent):
    """A dotted path is imported when it is needed."""
    agent(PROVIDERS={"mine": "tests.providers.test_registry.One"})
    assert provider_registry.load("mine") is One


@pytest.mark.parametrize("entry", [One(), dict, object(), 7, LlmProvider.complete])
def test_register__refuses_what_is_no_provider(entry):
    """An instance or a foreign class is a TypeError at registration."""
    with pytest.raises(TypeError, match="'mine'"):
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
        ("nodots", ProviderUnimportable, r"cannot be imported from 'nodots' \(ImportError\)"),
        ("tests.providers.test_registry.BUILTIN_PROVIDERS", ProviderUnusable, "'mine' is not an LlmProvider"),
        (dict, ProviderUnusable, "'mine' is not an LlmProvider"),
        (7, ProviderUnusable, "'mine' is not an LlmProvider"),
    ],
)
def test_load__unusable(agent, entry, fault, message):
    """An entry that leads nowhere is a fault that names it, when it is asked for."""
    agent(PROVIDERS={"mine": entry})
    with pytest.raises(fault, match=message):
        provider_registry.load("mine")
    assert "mine" in dict(provider_registry.unusable())


def test_load__unknown():
    """An unknown name is told with the names that there are."""
    with pytest.raises(ProviderUnusable, match="'nobody' is not registered: use one of a, b"):
        Registry({"b": One, "a": Two}).load("nobody")
