"""The names that hosts import, and what importing them costs."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

import stapel_agent

IMPORT_PATHS = {
    "stapel_agent": [
        "AnswerFailed",
        "AnswerUsage",
        "CachePolicy",
        "JsonAnswer",
        "LlmProvider",
        "ProviderResult",
        "TextAnswer",
        "TranslationAnswer",
        "aask",
        "acomplete",
        "acomplete_json",
        "agent_settings",
        "arecord_call",
        "ask",
        "atranslate",
        "ausage",
        "complete",
        "complete_json",
        "record_call",
        "register_provider",
        "registered_providers",
        "translate",
        "usage",
    ],
    "stapel_agent.accounting": ["InvalidUsageQuery", "ausage", "usage"],
    "stapel_agent.services": [
        "acomplete",
        "acomplete_json",
        "atranslate",
        "complete",
        "complete_json",
        "get_provider",
        "translate",
    ],
    "stapel_agent.providers": ["BUILTIN_PROVIDERS", "register_provider", "registered_providers"],
    "stapel_agent.providers.base": ["LlmProvider", "ProviderError", "ProviderResult", "ProviderTimeout"],
    "stapel_agent.providers.anthropic": ["AnthropicProvider"],
    "stapel_agent.providers.openai_compat": ["OpenAICompatProvider"],
    "stapel_agent.providers.claude_cli": ["ClaudeCodeCLIProvider"],
    "stapel_agent.cache": ["CachePolicy", "DjangoCachePolicy", "NoCachePolicy", "PromptLogCachePolicy"],
    "stapel_agent.images": ["InlineImage", "LinkedImage"],
    "stapel_agent.models": ["PromptLog", "PromptSource", "PromptStatus"],
    "stapel_agent.parsing": ["parse_json_response", "parse_translation_response"],
    "stapel_agent.safety.markers": ["sanitize_for_rag"],
    "stapel_agent.checks": ["check_providers"],
    "stapel_agent.urls": ["urlpatterns"],
    "stapel_agent.signals": ["call_finished"],
    "stapel_agent.types": ["FinishedCall"],
    "stapel_agent.testing": ["scripted_provider", "translating"],
}


@pytest.mark.parametrize(("module", "names"), IMPORT_PATHS.items())
def test_names__importable(module, names):
    """Every import path that hosts use exists."""
    found = importlib.import_module(module)
    assert [name for name in names if not hasattr(found, name)] == []


def test_names__all():
    """`__all__` is the public API, sorted."""
    assert stapel_agent.__all__ == IMPORT_PATHS["stapel_agent"] == sorted(stapel_agent.__all__)
    assert set(stapel_agent.__all__) <= set(dir(stapel_agent))


def test_names__no_module_in_their_place():
    """No submodule has a public name: importing it would replace the name."""
    assert {module.name for module in pkgutil.iter_modules(stapel_agent.__path__)}.isdisjoint(stapel_agent.__all__)


def test_names__unknown():
    """An unknown name is an AttributeError that names it."""
    with pytest.raises(AttributeError, match="'no_such_name'"):
        stapel_agent.no_such_name  # noqa: B018
    with pytest.raises(AttributeError, match="'no_such_name'"):
        importlib.import_module("stapel_agent.providers").no_such_name  # noqa: B018


@pytest.mark.parametrize(
    "statement",
    [
        "import stapel_agent",
        "from stapel_agent import LlmProvider, ProviderResult",
        "from stapel_agent.images import InlineImage, LinkedImage",
        "from stapel_agent.providers import BUILTIN_PROVIDERS",
        "from stapel_agent.safety.markers import sanitize_for_rag",
        "from stapel_agent.providers.base import LlmProvider, ProviderError, ProviderTimeout",
    ],
)
def test_import__loads_no_django(statement):
    """The package, and the imports for writing a provider, load neither Django nor a client library."""
    unwanted = "{'django', 'stapel_core', 'httpx', 'anthropic', 'jsonschema', 'rest_framework'}"
    program = f"import sys; {statement}; print(sorted({unwanted} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_start__imports_no_sdk():
    """A host starts without importing the Anthropic SDK, which takes seconds."""
    program = "import sys, django; django.setup(); print('anthropic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
