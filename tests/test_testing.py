"""The tools with which hosts test their own code."""

import subprocess
import sys
import unittest

import pytest

from stapel_agent import services
from stapel_agent.exceptions import InvalidRequest
from stapel_agent.models import PromptLog
from stapel_agent.providers import BUILTIN_PROVIDERS, LlmProvider, provider_registry, registered_providers
from stapel_agent.providers.base import ProviderResult, ProviderTimeout
from stapel_agent.providers.openai_compat import OpenAICompatProvider
from stapel_agent.testing import ModelRequest, NoRealModels, scripted_provider, translating
from tests.documents import block_after

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def test_scripted_provider__replies_in_turn():
    """Texts, results, exceptions and functions answer in turn, and the last one repeats."""
    with scripted_provider("one", ProviderTimeout("slow"), lambda request: request.prompt[::-1]) as model:
        answers = [services.complete("abc", "small") for _ in range(4)]
    assert [answer.get("result", answer.get("reason")) for answer in answers] == ["one", "timeout: slow", "cba", "cba"]
    assert {request.prompt for request in model.requests} == {"abc"}


def test_scripted_provider__stands_in_for_all():
    """Every requested provider is scripted, and keeps its name in the ledger."""
    before = registered_providers()
    with scripted_provider("{}"):
        assert services.complete("say", "small", provider="claude-code")["status"] == "ok"
        assert PromptLog.objects.get().metadata["provider"] == "claude-code"
    assert registered_providers() == before


def test_scripted_provider__models_of_the_host(agent):
    """Each provider asks for the model that the real one would, so a host can test its own map of models."""
    agent(
        DEFAULT_PROVIDER="openai-compat",
        OPENAI_COMPAT_MODELS={"small": "llama3.2"},
        MODELS={"small": "haiku"},
        PROVIDERS={"gone": "no.such.Provider"},
    )
    with scripted_provider("{}") as model:
        answers = [services.complete("say", "small", provider=name) for name in (None, "anthropic", "gone")]
    assert [answer["model"] for answer in answers] == ["llama3.2", "haiku", "haiku"]
    assert [request.model for request in model.requests] == ["llama3.2", "haiku", "haiku"]


def test_scripted_model__fixture(scripted_model):
    """The fixture does the same for one test, and can be scripted again."""
    assert services.complete_json("say", "small")["result"] == {}
    scripted_model.script(ProviderResult('{"a": 1}', input_tokens=7))
    assert services.complete_json("say", "small")["usage"] == {"input_tokens": 7, "output_tokens": 0}
    assert [type(request) for request in scripted_model.requests] == [ModelRequest]


def test_scripted_model__as_documented(scripted_model):
    """The README's own test passes."""
    names: dict = {}
    exec(block_after("README.md", "<!-- file: test_cities.py -->"), names)
    names["test_city"](scripted_model)
    assert len(scripted_model.requests) == 2


def test_translating__every_text(scripted_model):
    """`translating` turns a function into a translation of any request."""
    scripted_model.script(translating(str.upper))
    assert services.translate("en", "de", {"a": "x", "b": "y"})["result"] == {"a": "X", "b": "Y"}


def test_script__values():
    """Dicts and lists are sent as JSON, also those that a function returns."""
    with scripted_provider({"city": "Zürich"}, [1, {"a": None}], lambda request: {"asked": request.prompt}):
        results = [services.complete_json("say", "small")["result"] for _ in range(3)]
    assert results == [{"city": "Zürich"}, [1, {"a": None}], {"asked": "say"}]


@pytest.mark.parametrize("reply", [None, 5, b"{}", {1}, {"a": object()}, ProviderTimeout, dict, ("a",)])
def test_script__no_reply(scripted_model, reply):
    """An invalid reply is refused when the script is set, and the old script stays."""
    with pytest.raises(TypeError):
        scripted_model.script("fine", reply)
    with pytest.raises(TypeError), scripted_provider(reply):
        pass
    assert services.complete_json("say", "small")["result"] == {}


@pytest.mark.parametrize("name", BUILTIN_PROVIDERS)
def test_real_model__refused(name):
    """In a test, a built-in provider refuses the call, says how to script or allow it, and writes no row."""
    answer = services.complete("say", "small", provider=name)
    assert answer["failure"] == "rejected"
    for words in (
        f"may not call the provider {name!r}",
        "scripted_model",
        "@pytest.mark.real_model",
        "REAL_MODELS_IN_TESTS",
    ):
        assert words in answer["reason"]
    assert not PromptLog.objects.exists()


def test_real_model__derived_ones_too(agent):
    """A subclass of a built-in provider, and an endpoint in PROVIDERS, are refused. A host's own class is not."""

    class Derived(OpenAICompatProvider):
        pass

    class Own(LlmProvider):
        def complete(self, **arguments):
            return ProviderResult("mine")

    endpoint = {"base" + "_url": "http://127.0.0.1:9/v1"}
    agent(PROVIDERS={"derived": Derived, "endpoint": endpoint, "own": Own})
    answers = {name: services.complete("say", "small", provider=name) for name in ("derived", "endpoint", "own")}
    assert {name: answer.get("failure") for name, answer in answers.items()} == {
        "derived": "rejected",
        "endpoint": "rejected",
        "own": None,
    }
    with pytest.raises(InvalidRequest, match="tests may not call"):
        services.get_provider("derived")


def test_real_model__allowed_by_the_setting(agent):
    """The setting allows the calls of a test. This one then fails because it has no key."""
    agent(REAL_MODELS_IN_TESTS=True, ANTHROPIC_API_KEY="")
    assert services.complete("say", "small", provider="anthropic")["failure"] == "auth"


@pytest.mark.real_model
def test_real_model__allowed_by_the_mark(agent):
    """The mark does the same."""
    agent(ANTHROPIC_API_KEY="")
    assert services.complete("say", "small", provider="anthropic")["failure"] == "auth"


def test_no_real_models__test_case():
    """Before a TestCase, the mixin refuses calls during its tests only."""

    class Case(NoRealModels, unittest.TestCase):
        def runTest(self):
            self.failure = services.complete("say", "small", provider="openai-compat")["failure"]

    with provider_registry.refusing(""):
        case = Case()
        result = unittest.TestSuite([case]).run(unittest.TestResult())
        assert (result.wasSuccessful(), case.failure) == (True, "rejected")
        assert services.complete("say", "small", provider="anthropic", user_id="u").get("failure") != "rejected"


def test_no_real_models__runner():
    """Before Django's runner, it refuses calls while the runner runs."""

    program = """
import django; django.setup()
from django.test.runner import DiscoverRunner
from stapel_agent.providers import provider_registry
from stapel_agent.testing import NoRealModels
class Runner(NoRealModels, DiscoverRunner): pass
def refused():
    try: provider_registry.askable("anthropic")
    except Exception as fault: return "tests may not call" in str(fault)
    return False
runner = Runner()
before = refused()
runner.setup_test_environment()
during = refused()
runner.teardown_test_environment()
print(before, during, refused())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False True False"
