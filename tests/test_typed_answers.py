"""Typed answers: instances as results, `failure` beside `reason`, exceptions on request, and mypy."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
from dataclasses import dataclass

import pytest
from stapel_core.comm import call

from stapel_agent import AnswerFailed, aask, acomplete_json, ask, complete, complete_json, services
from stapel_agent.exceptions import OutOfCredit
from stapel_agent.models import PromptLog
from stapel_agent.schemas.answer_types import AnswerUsage, BudgetLeft, JsonAnswer, TextAnswer, TranslationAnswer
from stapel_agent.serializers import (
    BudgetSerializer,
    CompleteAnswerSerializer,
    TranslateAnswerSerializer,
    UsageSerializer,
)
from tests.documents import ROOT
from tests.schemas.test_answer_schema import PydanticLike

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@dataclass
class City:
    city: str


def asked(question, *arguments, **keywords):
    """The result of a function, called synchronously or on an event loop."""
    given = question(*arguments, **keywords)
    return asyncio.run(given) if asyncio.iscoroutine(given) else given


@pytest.mark.parametrize("verb", [complete_json, acomplete_json])
@pytest.mark.django_db(transaction=True)
def test_result__instance(scripted_model, verb):
    """With a type as the schema, the result is an instance, and the provider gets the JSON Schema."""
    scripted_model.script('{"city": "Lyon"}')
    answer = asked(verb, "Where?", "small", schema=City)
    assert answer["result"] == City("Lyon")
    assert scripted_model.requests[0].schema["required"] == ["city"]


def test_result__asked_again(scripted_model):
    """An answer that satisfies the JSON Schema but not the type is asked for again, with the error named."""
    scripted_model.script('{"even": 1}', '{"even": 2}')
    answer = complete_json("An even number", "small", schema=PydanticLike)
    assert answer["result"].values == {"even": 2}
    assert "ValueError: even is odd" in scripted_model.requests[1].prompt


def test_result__never_fits(scripted_model):
    """An answer that never fits the type is a failure."""
    scripted_model.script('{"even": 1}')
    answer = complete_json("An even number", "small", schema=PydanticLike)
    assert (answer["status"], answer["failure"]) == ("failure", "invalid_answer")
    assert "even is odd" in answer["reason"]


def test_result__kept_as_json(scripted_model):
    """With an idempotency key, the JSON is kept, and each caller gets an instance of its own type."""
    scripted_model.script('{"city": "Lyon"}')
    key = {"idempotency_key": "k", "user_id": "7"}
    assert complete_json("Where?", "small", schema=City, **key)["result"] == City("Lyon")
    assert complete_json("Where?", "small", schema=City, **key)["result"] == City("Lyon")
    assert len(scripted_model.requests) == 1


def test_schema__wrong_type(scripted_model):
    """A type without a JSON Schema is a TypeError, before a provider is called."""
    with pytest.raises(TypeError, match="schema must be a JSON Schema, a dataclass"):
        complete_json("Where?", "small", schema=int)
    assert scripted_model.requests == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", [ask, aask])
def test_ask__value(scripted_model, verb):
    """`ask()` returns the value itself: a text, JSON, or an instance."""
    scripted_model.script('{"city": "Lyon"}')
    assert asked(verb, "Where?", "small") == '{"city": "Lyon"}'
    assert asked(verb, "Where?", "small", schema={"type": "object"}) == {"city": "Lyon"}
    assert asked(verb, "Where?", "small", schema=City) == City("Lyon")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", [ask, aask])
def test_ask__failed(scripted_model, verb):
    """`ask()` raises the failure that `complete_json()` returns, with its usage. The exception can be pickled."""
    scripted_model.script("Once upon a time")
    with pytest.raises(AnswerFailed) as raised:
        asked(verb, "Where?", model="small", schema=City)
    fault = raised.value
    assert (fault.failure, str(fault)) == ("invalid_answer", fault.reason)
    assert fault.reason.startswith("invalid_answer: ")
    assert fault.usage == {"input_tokens": 20, "output_tokens": 10}
    assert PromptLog.objects.filter(request_id=fault.request_id).count() == 2
    assert vars(pickle.loads(pickle.dumps(fault))) == vars(fault)


def test_failure__on_every_surface(scripted_model, client, settings):
    """Each surface has `failure` beside `reason`."""
    scripted_model.script(OutOfCredit("the account is empty"))
    payload = {"prompt": "Where?", "model": "small"}
    translation = {"to": "de", "entries": {"a": "x"}}
    key = {"X-API-KEY": settings.SERVICE_API_KEY}
    url = "/agent/api/v1/llm/"
    answers = [
        complete("Where?", "small"),
        complete_json("Where?", "small"),
        services.translate("en", **translation),
        call("llm.complete", payload),
        call("llm.translate", {**translation, "from_lang": "en"}),
        client.post(f"{url}complete", payload, content_type="application/json", headers=key).json(),
        client.post(f"{url}translate", {**translation, "from": "en"}, "application/json", headers=key).json(),
    ]
    assert [answer["failure"] for answer in answers] == ["out_of_credit"] * 7
    assert {answer["reason"].partition(":")[0] for answer in answers} == {"out_of_credit"}


def test_types__as_the_answers():
    """The types have the same keys as the endpoints' answers."""
    assert JsonAnswer.__annotations__.keys() == CompleteAnswerSerializer().fields.keys()
    assert TextAnswer.__annotations__.keys() == CompleteAnswerSerializer().fields.keys()
    assert TranslationAnswer.__annotations__.keys() == TranslateAnswerSerializer().fields.keys()
    assert AnswerUsage.__annotations__.keys() == UsageSerializer().fields.keys()
    assert BudgetLeft.__annotations__.keys() == BudgetSerializer().fields.keys()


@pytest.mark.parametrize(
    ("keywords", "suggestion"),
    [
        ({"sytem_prompt": "s"}, "did you mean 'system_prompt'?"),
        ({"system": "s"}, "did you mean 'system_prompt'?"),
        ({"user": "7"}, "did you mean 'user_id'?"),
        ({"temperature": 1}, "'$"),
    ],
)
def test_keyword__unknown(keywords, suggestion):
    """An unknown keyword is a TypeError that suggests the right one."""
    with pytest.raises(TypeError, match=f"{next(iter(keywords))[:4]}.*{suggestion.rstrip('?')}"):
        complete("say", "small", **keywords)


@pytest.mark.parametrize(
    ("name", "keywords", "message"),
    [
        (
            "translate",
            {"entries": {}, "to_lang": "de"},
            "got an unexpected keyword argument 'to_lang'; did you mean 'to'?",
        ),
        (
            "atranslate",
            {"to": "de", "texts": {}},
            "got an unexpected keyword argument 'texts'; did you mean 'entries'?",
        ),
        ("translation_cost", {"too": "de"}, "got an unexpected keyword argument 'too'; did you mean 'to'?"),
        ("complete", {"promt": "s"}, "got an unexpected keyword argument 'promt'; did you mean 'prompt'?"),
        ("acomplete", {"promt": "s"}, "got an unexpected keyword argument 'promt'; did you mean 'prompt'?"),
        (
            "complete_json",
            {"json_schema": 1},
            "got an unexpected keyword argument 'json_schema'; did you mean 'schema'?",
        ),
        ("acomplete_json", {"promt": 1}, "got an unexpected keyword argument 'promt'; did you mean 'prompt'?"),
        ("ask", {"sise": "small"}, "got an unexpected keyword argument 'sise'"),
        ("aask", {"shema": {}}, "got an unexpected keyword argument 'shema'; did you mean 'schema'?"),
        ("ask", {}, "missing 1 required positional argument: 'prompt'"),
    ],
)
def test_keyword__misspelt(name, keywords, message):
    """A misspelt keyword is reported instead of the missing argument that it may stand for."""
    with pytest.raises(TypeError) as raised:
        asyncio.run(getattr(services, name)(**keywords))
    assert str(raised.value) == f"{name}() {message}"


def test_model__either_name(scripted_model):
    """The size may be called `model`, as in a payload. Both or neither is a TypeError."""
    assert complete("say", model="large")["model"] == complete("say", model_size="large")["model"]
    assert services.translate("en", "de", {"a": "x"}, model="large")["status"] == "failure"
    assert PromptLog.objects.filter(model_size="large").count() > 2
    with pytest.raises(TypeError, match="two names"):
        complete("say", "small", model="large")
    with pytest.raises(TypeError, match="needs model_size"):
        complete("say")


def test_keyword__none(scripted_model):
    """A keyword that is None is the same as leaving it out."""
    options = [name for name in services.CompletionOptions.__annotations__ if name != "model"]
    assert complete("say", "small", **dict.fromkeys(options))["status"] == "ok"
    assert PromptLog.objects.get().source == "llm_facade"


PROGRAM = """
from dataclasses import dataclass
from typing import TypedDict
from stapel_agent import AnswerFailed, acomplete_json, ask, complete, complete_json, translate

@dataclass
class City:
    name: str

class Country(TypedDict):
    name: str

class Model:
    @classmethod
    def model_json_schema(cls) -> dict[str, object]: return {}
    @classmethod
    def model_validate(cls, value: object) -> "Model": return cls()

reveal_type(ask("Where?", "small"))
reveal_type(ask("Where?", "small", schema=City))
reveal_type(complete_json("Where?", "small", schema=City)["result"])
reveal_type(complete_json("Where?", "small", schema=Country)["result"])
reveal_type(complete_json("Where?", "small", schema=Model)["result"])
reveal_type(complete_json("Where?", "small", schema={"type": "object"})["result"])
reveal_type(translate("en", "de", {"a": "x"})["failed"])
async def twin() -> None:
    reveal_type((await acomplete_json("Where?", "small", schema=City))["result"])
complete("Where?", "small")["resutl"]
complete("Where?", "small")["usage"]["input_token"]
complete("Where?", "small", systemprompt="s")
translate("en", "de", {"a": "x"})["faild"]
"""
REVEALED = ["str", "City", "City", "Country", "Model", "Any", "dict[str, str]", "City"]


def test_mypy__of_a_host(tmp_path):
    """mypy infers a result's type from the schema, and finds misspelt keys and keywords."""
    program = tmp_path / "host.py"
    program.write_text(PROGRAM)
    configuration = tmp_path / "mypy.ini"
    configuration.write_text("[mypy]\nfollow_imports = silent\n[mypy-stapel_core.*]\nignore_missing_imports = True\n")
    command = [sys.executable, "-m", "mypy", "--config-file", configuration, "--cache-dir", tmp_path / "cache", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    lines = done.stdout.replace("builtins.", "").replace("host.", "").splitlines()
    revealed = [line.partition("Revealed type is ")[2].strip('"') for line in lines if "Revealed" in line]
    for kind, expected in zip(revealed, REVEALED, strict=True):
        assert expected in kind
    errors = [line for line in lines if ": error:" in line]
    for error, word in zip(errors, ["resutl", "input_token", "systemprompt", "faild"], strict=True):
        assert word in error
