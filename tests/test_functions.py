"""The comm functions in-process: what they return, what they raise, and what checking a payload costs."""

import json

import jsonschema
import pytest
from stapel_core.comm import call, function_registry
from stapel_core.comm.exceptions import SchemaValidationError

from stapel_agent import services
from stapel_agent.models import PromptLog
from stapel_agent.schemas.function_schemas import FOLDER, PREPARED_DIALECT, function_schema
from stapel_agent.testing import translating
from tests.answers import TRACED, by

NAMES = ["llm.complete", "llm.translate"]
COMPLETE = {"prompt": "say", "model": "small"}
TRANSLATE = {"from_lang": "en", "to": "de", "entries": {"a": "x"}}

BAD = [
    ("llm.complete", {}),
    ("llm.complete", {"prompt": "say"}),
    ("llm.complete", {**COMPLETE, "prompt": ""}),
    ("llm.complete", {**COMPLETE, "prompt": None}),
    ("llm.complete", {**COMPLETE, "model": 3}),
    ("llm.complete", {**COMPLETE, "provider": ""}),
    ("llm.complete", {**COMPLETE, "schema": "text"}),
    ("llm.complete", {**COMPLETE, "temperature": 0}),
    ("llm.complete", {**COMPLETE, "user_id": 42}),
    ("llm.translate", {"to": "de", "entries": {}}),
    ("llm.translate", {**TRANSLATE, "from": "en"}),
    ("llm.translate", {**TRANSLATE, "to": "auto"}),
    ("llm.translate", {**TRANSLATE, "to": "de\n"}),
    ("llm.translate", {**TRANSLATE, "from_lang": "en; now obey"}),
    ("llm.translate", {**TRANSLATE, "entries": ["x"]}),
    ("llm.translate", {**TRANSLATE, "entries": {"a": None}}),
]


def plain_schema(name):
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.django_db
def test_call__answers_as_the_facade(scripted_model):
    """Both functions return the facade's answer."""
    scripted_model.script('{"a": 1} done')
    assert {**call("llm.complete", COMPLETE), **TRACED} == services.complete_json("say", "small")
    scripted_model.script(translating(str.upper))
    usage = {"input_tokens": 10, "output_tokens": 5}
    assert call("llm.translate", TRANSLATE) == {"status": "ok", "result": {"a": "X"}, "usage": usage, **by()}


@pytest.mark.django_db
def test_call__options_reach_the_request(scripted_model):
    """Provider, system prompt, schema and user are those of the payload."""
    schema = {"type": "object"}
    options = {"provider": "claude-code", "system_prompt": "s", "schema": schema, "user_id": "7"}
    call("llm.complete", {**COMPLETE, **options})
    (request,) = scripted_model.requests
    row = PromptLog.objects.get()
    assert (request.system_prompt, request.schema) == ("s", schema)
    assert (row.metadata["provider"], row.user_id) == ("claude-code", "7")


@pytest.mark.any_database
@pytest.mark.django_db
@pytest.mark.parametrize(("name", "payload"), BAD)
def test_call__bad_payload(scripted_model, name, payload):
    """A payload that breaks the schema raises SchemaValidationError with jsonschema's message. No provider is asked.

    The messages for a language and for a choice say more: see the test below, and `test_fault__of_a_choice`.
    """
    with pytest.raises(jsonschema.ValidationError) as plain:
        jsonschema.validate(payload, plain_schema(name))
    with pytest.raises(SchemaValidationError) as raised:
        call(name, payload)
    assert plain.value.validator in ("pattern", "oneOf") or plain.value.message in str(raised.value)
    assert (scripted_model.requests, PromptLog.objects.count()) == ([], 0)


@pytest.mark.parametrize("field", ["to", "from_lang"])
def test_call__english_name_of_a_language(field):
    """For a language's English name, the error suggests its tag."""
    with pytest.raises(SchemaValidationError, match="unknown language 'German': did you mean 'de'"):
        call("llm.translate", {**TRANSLATE, field: "German"})


@pytest.mark.parametrize(
    ("name", "payload", "hint"),
    [
        (
            "llm.complete",
            {"promt": "x", "model": "small"},
            "'prompt' is a required property, and 'promt' was unexpected",
        ),
        ("llm.complete", {**COMPLETE, "size": "small"}, "('size' was unexpected); did you mean 'model'?"),
        ("llm.complete", {**COMPLETE, "sytem_prompt": "x"}, "was unexpected); did you mean 'system_prompt'?"),
        ("llm.complete", {**COMPLETE, "temperature": 1}, "('temperature' was unexpected)"),
        ("llm.translate", {**TRANSLATE, "to_lang": "de"}, "('to_lang' was unexpected); did you mean 'to'?"),
    ],
)
def test_call__misspelt_field(name, payload, hint):
    """The error for an unknown field suggests the right one, if one is near. That for a missing one shows it."""
    with pytest.raises(SchemaValidationError) as raised:
        call(name, payload)
    assert str(raised.value).endswith(hint)


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "payload"), [("llm.complete", COMPLETE), ("llm.translate", TRANSLATE)])
def test_call__null(scripted_model, name, payload):
    """Null is the same as leaving an optional field out. A required field must not be null."""
    scripted_model.script('{"1": "y"}')
    schema = function_schema(name)
    nulls = dict.fromkeys(schema["properties"].keys() - payload.keys())
    with_nulls, without = call(name, {**nulls, **payload}), call(name, payload)
    assert (with_nulls["status"], with_nulls["result"]) == ("ok", without["result"])
    for field in schema["required"]:
        with pytest.raises(SchemaValidationError):
            call(name, {**payload, field: None})


@pytest.mark.django_db
@pytest.mark.parametrize("payload", [{**COMPLETE, "model": "huge"}, {**COMPLETE, "provider": "nobody"}])
def test_call__never_raises_otherwise(payload):
    """What the schema cannot check is a failure, not an exception."""
    assert call("llm.complete", payload)["status"] == "failure"


@pytest.mark.any_database
@pytest.mark.django_db
@pytest.mark.parametrize(("name", "payload"), [(name, payload) for name, payload in BAD if payload])
def test_call__validation_switched_off(scripted_model, settings, name, payload):
    """If a host switches validation off, odd values are a failure or an answer, never an exception of this package."""
    settings.STAPEL_COMM = {**settings.STAPEL_COMM, "VALIDATE_SCHEMAS": False}
    known = payload.keys() <= function_schema(name)["properties"].keys()
    if known:
        assert call(name, payload)["status"] in {"ok", "failure"}


@pytest.mark.parametrize("name", NAMES)
def test_schema__one_source(name):
    """The registered schema is the file's, in the dialect that is checked once. Optional fields may be null."""
    registered = function_registry._schemas[name]
    assert registered == function_schema(name)
    assert registered.keys() == plain_schema(name).keys()
    assert registered["$schema"] == PREPARED_DIALECT
    assert registered["required"] == plain_schema(name)["required"]
    jsonschema.Draft202012Validator.check_schema(plain_schema(name))


@pytest.mark.parametrize("name", NAMES)
def test_schema__checked_once(name, monkeypatch):
    """However often a payload is validated, the schema itself is checked at most once."""
    checks = []
    original = jsonschema.Draft202012Validator.check_schema
    monkeypatch.setattr(
        jsonschema.Draft202012Validator, "check_schema", lambda schema, *rest: checks.append(1) or original(schema)
    )
    for _ in range(10):
        function_registry.validate(name, COMPLETE if name == "llm.complete" else TRANSLATE)
    assert len(checks) <= 1


def test_schema__wrong_one_in_our_dialect_is_refused():
    """The dialect still checks schemas: an invalid one is refused."""
    with pytest.raises(jsonschema.SchemaError):
        jsonschema.validate({}, {"$schema": PREPARED_DIALECT, "type": "nonsense"})


def test_schema__others_are_untouched():
    """Other schemas are validated by jsonschema's own classes, as before."""
    standard = "https://json-schema.org/draft/2020-12/schema"
    found = jsonschema.validators.validator_for({"$schema": standard})
    assert found is jsonschema.Draft202012Validator
    assert jsonschema.validators.validator_for({}) is jsonschema.Draft202012Validator
