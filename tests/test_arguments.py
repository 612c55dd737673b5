"""Arguments of hosts' own classes are rejected by every public function, whatever they raise."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.utils.safestring import SafeString
from stapel_core.comm import call
from stapel_core.comm.exceptions import SchemaValidationError

from stapel_agent import arecord_call, arguments, record_call, services, usage
from stapel_agent.accounting import InvalidUsageQuery
from stapel_agent.exceptions import AgentError
from stapel_agent.models import PromptLog, PromptSource, PromptStatus
from stapel_agent.schemas import AnswerFailed, plain_values
from tests.rows import every_row

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def refuse(*arguments: Any, **keywords: Any) -> Any:
    raise RuntimeError("hostile")


NAMES = (
    *("__str__", "__repr__", "__eq__", "__hash__", "__len__", "__bool__", "__iter__", "__getitem__", "__contains__"),
    *("__add__", "__lt__", "__format__", "__index__", "__int__", "__float__", "__copy__", "__deepcopy__", "__reduce__"),
    *("encode", "strip", "lower", "startswith", "replace", "split", "items", "keys", "get", "values", "isoformat"),
)
METHODS = dict.fromkeys(NAMES, refuse)


class Lying:
    """An object whose class cannot be read."""

    @property
    def __class__(self) -> Any:
        raise RuntimeError("hostile")

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("hostile")


class HostileMapping(Mapping):  # type: ignore[type-arg]
    __iter__ = __len__ = __getitem__ = refuse


def made(name: str, *bases: type, of: Any = ()) -> Any:
    return type(name, bases, METHODS)(*of)


OBJECTS: dict[str, Callable[[], Any]] = {
    "a subclass of str": lambda: made("Text", str, of=("small",)),
    "a subclass of int": lambda: made("Number", int, of=(7,)),
    "a subclass of float": lambda: made("Fraction", float, of=(7.5,)),
    "a subclass of dict": lambda: made("Map", dict),
    "a subclass of list": lambda: made("List", list),
    "a mapping": HostileMapping,
    "an object": lambda: made("Thing"),
    "an object without a class": Lying,
    "a map of an object": lambda: {"a": made("Thing")},
    "a map of a subclass of str": lambda: {"a": made("Text", str, of=("small",))},
    "bytes": lambda: b"\xff",
    "a class": lambda: type("Thing", (), {}),
}
OPTIONS = (
    *("prompt", "model_size", "system_prompt", "images", "provider", "source", "max_tokens", "user_id", "workspace_id"),
    *("context", "metadata", "idempotency_key", "caller", "skip_cache", "effort"),
)
TRANSLATION = (
    *("from_lang", "to", "entries", "model_size", "glossary", "context", "format", "protect", "provider", "user_id"),
    *("workspace_id", "idempotency_key", "caller", "skip_cache", "effort"),
)


def is_answer(answer: Any) -> bool:
    """Whether it is an answer and, if it failed, a rejected call without a row."""
    return answer["status"] == "ok" or (answer["failure"], "request_id" in answer) == ("rejected", False)


@pytest.mark.parametrize("option", OPTIONS)
def test_complete__hostile_argument(facade, scripted_model, option):
    """A completion with an argument that raises is answered or rejected. No exception leaves the facade."""
    scripted_model.script('{"1": "Hallo"}')
    with every_row() as row:
        for kind, make in OBJECTS.items():
            with row(kind):
                arguments = {"prompt": "say", "model_size": "small", option: make()}
                assert is_answer(facade.complete(**arguments))
                assert is_answer(facade.complete_json(**arguments))
                assert is_answer(facade.complete(**{"idempotency_key": kind, **arguments}))


@pytest.mark.parametrize("option", TRANSLATION)
def test_translate__hostile_argument(facade, scripted_model, option):
    """A translation with an argument that raises is answered or rejected. No exception leaves the facade."""
    scripted_model.script('{"1": "Hallo"}')
    with every_row() as row:
        for kind, make in OBJECTS.items():
            with row(kind):
                arguments = {"from_lang": "en", "to": "de", "entries": {"a": f"Hello, {kind}"}, option: make()}
                assert is_answer(facade.translate(**arguments))
                assert is_answer(facade.translate(**{"idempotency_key": kind, **arguments}))


def test_schema__hostile(facade, scripted_model):
    """A schema that raises is rejected. A class without a JSON Schema is a TypeError."""
    scripted_model.script('{"1": "Hallo"}')
    with every_row() as row:
        for kind, make in OBJECTS.items():
            with row(kind), suppress(TypeError):
                assert is_answer(facade.complete_json("say", "small", schema=make()))


@pytest.mark.parametrize(
    "field", ["source", "provider", "model", "prompt", "input_tokens", "cost_usd", "user_id", "metadata"]
)
@pytest.mark.parametrize("record", [record_call, async_to_sync(arecord_call)], ids=["sync", "async"])
def test_record_call__hostile_argument(record, field):
    """A field that raises is a TypeError or ValueError, or is recorded as a plain value."""
    with every_row() as row:
        for kind, make in OBJECTS.items():
            before = PromptLog.objects.count()
            with row(kind):
                recorded = 1
                try:
                    record(**{"source": "mine", "provider": "p", "model": "m", field: make()})
                except (TypeError, ValueError):
                    recorded = 0
                assert PromptLog.objects.count() == before + recorded


@pytest.mark.parametrize(
    "ask",
    [
        lambda given: services.get_provider(given),
        lambda given: services.translation_cost("en", "de", {"a": "b"}, given),
        lambda given: services.translation_cost("en", "de", given),
        lambda given: services.translation_cost(given, "de", {"a": "b"}),
        lambda given: services.ask(given, "small"),
        lambda given: services.ask("say", given),
        lambda given: async_to_sync(services.aask)("say", "small", metadata=given),
    ],
)
def test_others__hostile_argument(scripted_model, ask):
    """Functions that raise for invalid arguments raise only the documented exceptions, and leave no row open."""
    scripted_model.script("fine")
    with every_row() as row:
        for kind, make in OBJECTS.items():
            with row(kind):
                with suppress(AgentError, AnswerFailed, TypeError):
                    ask(make())
                assert not PromptLog.objects.filter(status=PromptStatus.PENDING).exists()


@pytest.mark.parametrize(
    ("name", "field"),
    [
        *[("llm.complete", field) for field in ("prompt", "model", "schema", "context", "images", "max_tokens")],
        *[("llm.translate", field) for field in ("from_lang", "to", "entries", "glossary", "context", "protect")],
    ],
)
def test_comm__hostile_field(scripted_model, name, field):
    """A comm function answers, or raises SchemaValidationError and nothing else."""
    scripted_model.script('{"1": "Hallo"}')
    payloads = {
        "llm.complete": {"prompt": "say", "model": "small"},
        "llm.translate": {"from_lang": "en", "to": "de", "entries": {"a": "Hello"}},
    }
    with every_row() as row:
        for kind, make in OBJECTS.items():
            with row(kind):
                try:
                    answer = call(name, {**payloads[name], field: make()})
                except SchemaValidationError as fault:
                    assert len(str(fault)) < 10_000
                else:
                    assert is_answer(answer)


class Kept(str):
    """A subclass whose methods all differ from its text."""

    def __str__(self) -> str:
        return "another"

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1

    def encode(self, *arguments: Any) -> bytes:
        return b"another"


def test_complete__subclass_of_str(facade, scripted_model):
    """A subclass of str counts as its characters, in the prompt, the row and the ids."""
    facade.complete(Kept("say"), Kept("small"), system_prompt=SafeString("be brief"), user_id=uuid.UUID(int=7))
    (request,) = scripted_model.requests
    assert (request.prompt, type(request.prompt), type(request.system_prompt)) == ("say", str, str)
    row = PromptLog.objects.get()
    assert (row.prompt, row.model_size, row.user_id) == ("say", "small", str(uuid.UUID(int=7)))


def test_complete__source_is_plain(facade, scripted_model, caplog):
    """The default source of a request is a plain string."""
    facade.complete("say", "small")
    facade.complete("say", "small", source=PromptSource.OTHER)
    assert [type(arguments.request_of("say", "small").source), type(PromptLog.objects.first().source)] == [str, str]


def test_complete__ids_of_two_callers(facade, scripted_model, agent):
    """An id that claims to equal every other one does not get another caller's answer."""
    agent(CACHE_LOOKUP={"llm_facade": True})
    for workspace in ("acme", Kept("evil"), "acme"):
        facade.complete("say", "small", workspace_id=workspace, user_id="u")
    assert len(scripted_model.requests) == 2
    assert set(PromptLog.objects.values_list("workspace_id", flat=True)) == {"acme", "evil"}


@pytest.mark.parametrize("option", ["group_by", "since", "until", "limit", "cursor", "user_id", "status"])
def test_usage__hostile_argument(option):
    """A query with an argument that raises is answered, or refused as an invalid query."""
    with every_row() as row:
        for kind, make in OBJECTS.items():
            with row(kind), suppress(InvalidUsageQuery):
                usage(**{option: make()})


class EndlessList(Sequence):  # type: ignore[type-arg]
    def __len__(self) -> int:
        return 3

    def __getitem__(self, place: Any) -> str:
        return "x"


def endless() -> Iterator[str]:
    while True:
        yield "x"


@pytest.fixture
def few_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer parts of an argument are read than a million, which takes long."""
    monkeypatch.setattr(plain_values, "MAX_PARTS", 20_000)


ENDLESS: dict[str, Callable[[], Any]] = {
    "a range": lambda: range(10**12),
    "a range beyond an index": lambda: range(10**30),
    "a generator": endless,
    "a list without an end": EndlessList,
}


@pytest.mark.parametrize("value", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("name", ["prompt", "system_prompt", "model", "provider", "source", "user_id", "workspace_id"])
def test_complete__endless_value_for_a_text(scripted_model: Any, name: str, value: Callable[[], Any]) -> None:
    """A text that is something else is refused by its type, and its end is not waited for."""
    started_at = time.monotonic()
    given = {"prompt": "hi", **({} if name == "model" else {"model_size": "small"}), name: value()}
    answer = services.complete(**given)
    assert (answer["failure"], scripted_model.requests) == ("rejected", [])
    assert answer["reason"].startswith(f"rejected: {name} must be a string, not ")
    assert time.monotonic() - started_at < 5


@pytest.mark.usefixtures("few_parts")
@pytest.mark.parametrize("value", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("name", ["images", "max_tokens", "context", "effort", "idempotency_key", "schema"])
def test_complete__endless_value(scripted_model: Any, name: str, value: Callable[[], Any]) -> None:
    """Any other argument that has no end is refused as well."""
    answer = services.complete_json("hi", "small", **{name: value()})
    assert (answer["failure"], scripted_model.requests) == ("rejected", [])


@pytest.mark.usefixtures("few_parts")
@pytest.mark.parametrize("value", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("name", ["from_lang", "to", "entries", "glossary", "protect", "context", "format"])
def test_translate__endless_value(scripted_model: Any, name: str, value: Callable[[], Any]) -> None:
    """Any argument of a translation that has no end is refused."""
    given = {"from_lang": "en", "to": "de", "entries": {"a": "Hello"}, name: value()}
    assert (services.translate(**given)["failure"], scripted_model.requests) == ("rejected", [])


@pytest.mark.usefixtures("few_parts")
@pytest.mark.parametrize("value", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("name", ["group_by", "since", "user_id", "source", "status", "limit"])
def test_usage__endless_value(name: str, value: Callable[[], Any]) -> None:
    """A filter of `usage()` that has no end is refused."""
    with pytest.raises(InvalidUsageQuery):
        usage(**{name: value()})
