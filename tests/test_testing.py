"""What hosts test their own code with."""

import pytest

from stapel_agent import services
from stapel_agent.models import PromptLog
from stapel_agent.providers import registered_providers
from stapel_agent.providers.base import ProviderResult, ProviderTimeout
from stapel_agent.testing import ModelRequest, scripted_provider, translating
from tests.documents import block_after

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def test_scripted_provider__replies_in_turn():
    """Texts, results, faults and functions answer in turn; the last one again and again."""
    with scripted_provider("one", ProviderTimeout("slow"), lambda request: request.prompt[::-1]) as model:
        answers = [services.complete("abc", "small") for _ in range(4)]
    assert [answer.get("result", answer.get("reason")) for answer in answers] == ["one", "timeout: slow", "cba", "cba"]
    assert {request.prompt for request in model.requests} == {"abc"}


def test_scripted_provider__stands_in_for_all():
    """Whichever provider a request names is scripted, and keeps its name in the ledger."""
    before = registered_providers()
    with scripted_provider("{}"):
        assert services.complete("say", "small", provider="claude-code")["status"] == "ok"
        assert PromptLog.objects.get().metadata["provider"] == "claude-code"
    assert registered_providers() == before


def test_scripted_provider__models_of_the_host(agent):
    """A host's own map of models is what it tests: each provider asks for the model that the real one would."""
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
    """The fixture does the same for one test, and can be told anew."""
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
    """`translating` makes a translation of any request out of a function."""
    scripted_model.script(translating(lambda text: f"«{text}»"))
    assert services.translate("en", "de", {"a": "x", "b": "y"})["result"] == {"a": "«x»", "b": "«y»"}
