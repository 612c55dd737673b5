"""The payload schemas: one file each, checked once, whoever registers them and in whatever order."""

import json
from collections.abc import Callable
from timeit import timeit

import jsonschema
import pytest
from stapel_core.comm import call, function_registry, register_function, schemas
from stapel_core.comm.exceptions import SchemaValidationError
from stapel_core.comm.registry import action_registry

from stapel_agent import functions
from stapel_agent.schemas.payloads import FOLDER, PREPARED_DIALECT, function_schema, function_validator

COMPLETE = {"prompt": "say", "model": "small"}
PAYLOADS = {
    "llm.complete": COMPLETE,
    "llm.translate": {"from_lang": "en", "to": "de", "entries": {"a": "x"}},
}
ROUNDS = 50


def plain_schema(name: str) -> dict[str, object]:
    """The file as it stands."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is registered during the test is forgotten after it."""
    monkeypatch.setattr(function_registry, "_schemas", dict(function_registry._schemas))
    monkeypatch.setattr(action_registry, "_schemas", dict(action_registry._schemas))
    monkeypatch.setattr(schemas, "_loaded", False)


@pytest.mark.parametrize("name", PAYLOADS)
def test_cost__a_tenth(name: str) -> None:
    """Validating as `call()` does costs a fraction of what the plain file costs; the figures are printed."""
    payload, prepared, plain = PAYLOADS[name], function_schema(name), plain_schema(name)

    def cost(validate: Callable[[], None]) -> float:
        validate()
        return min(timeit(validate, number=1) for _ in range(ROUNDS))

    seconds = cost(lambda: jsonschema.validate(payload, prepared))
    plain_seconds = cost(lambda: jsonschema.validate(payload, plain))
    print(
        f"{name}: {seconds * 1e3:.3f} ms, plain {plain_seconds * 1e3:.3f} ms, {plain_seconds / seconds:.0f} times less"
    )
    assert seconds < plain_seconds / 3


def test_registration__repeated(own_registry: None) -> None:
    """Registering the same function again changes nothing."""
    before = dict(function_registry._schemas)
    register_function("llm.complete", functions.llm_complete, schema=function_schema("llm.complete"))
    assert function_registry._schemas == before


def test_registration__before_the_autoloader(own_registry: None) -> None:
    """Where stapel-core loads the files after us, the plain schema takes the place of ours: slower, and as strict."""
    schemas.autoload_schemas()
    assert function_registry._schemas["llm.complete"] == plain_schema("llm.complete")
    with pytest.raises(SchemaValidationError, match="'prompt' is a required property"):
        call("llm.complete", {"model": "small"})


def test_registration__after_the_autoloader(own_registry: None) -> None:
    """Where stapel-core has loaded the files before us, as in the usual order of apps, ours is what stays."""
    schemas.autoload_schemas()
    register_function("llm.complete", functions.llm_complete, schema=function_schema("llm.complete"))
    assert function_registry._schemas["llm.complete"]["$schema"] == PREPARED_DIALECT


@pytest.mark.parametrize("payload", [[], {}, {**COMPLETE, "x": 1}, {**COMPLETE, "prompt": 1, "model": ""}])
def test_validator__as_plain_jsonschema(payload: object) -> None:
    """The validator that HTTP uses finds what jsonschema finds with the plain file, in the same words."""
    plain = jsonschema.Draft202012Validator(plain_schema("llm.complete")).iter_errors(payload)
    ours = function_validator("llm.complete").iter_errors(payload)
    assert [fault.message for fault in ours] == [fault.message for fault in plain]
    assert not function_validator("llm.complete").is_valid(payload)


LONG = "B" * 20_000
FILLED = {"items": LONG, LONG: 1}


@pytest.mark.parametrize("value", [LONG, [LONG] * 50, FILLED, [FILLED], LONG.encode(), (LONG,)], ids=type)
@pytest.mark.parametrize(
    ("name", "field"), [(name, field) for name in PAYLOADS for field in [*function_schema(name)["properties"], LONG]]
)
def test_fault__quotes_an_excerpt(name: str, field: str, value: object) -> None:
    """Whatever field is at fault, also one that may be null, the error and all its parts quote an excerpt."""
    for fault in function_validator(name).iter_errors({**PAYLOADS[name], field: value}):
        parts = [fault, *fault.context]
        assert max(len(str(part)) for part in parts) < 10_000, field
        assert not any(LONG[:500] in str(part) for part in parts)


def test_fault__of_many_fields() -> None:
    """A thousand unknown fields are not all quoted, and those that the schema declares are never taken for missing."""
    unknown = {f"x{n}{LONG[:1000]}": 1 for n in range(1000)}
    required, surplus = function_validator("llm.complete").iter_errors({**unknown, "prompt": "say"})
    assert required.message == "'model' is a required property"
    assert "prompt" in required.instance
    assert len(str(required)) + len(str(surplus)) < 30_000
