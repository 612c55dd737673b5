"""The payload schemas: one file each, and checked once, whoever registers them in whatever order."""

import json
import subprocess
import sys
from collections.abc import Callable
from textwrap import dedent
from timeit import timeit

import jsonschema
import pytest
from stapel_core.comm import function_registry, register_function, schemas
from stapel_core.comm.registry import action_registry

from stapel_agent import functions
from stapel_agent.schemas.function_schemas import FOLDER, PREPARED_DIALECT, function_schema, function_validator
from tests.rows import every_row
from tests.steps import steps_of

COMPLETE = {"prompt": "say", "model": "small"}
PAYLOADS = {
    "llm.complete": COMPLETE,
    "llm.translate": {"from_lang": "en", "to": "de", "entries": {"a": "x"}},
}
ROUNDS = 50


def plain_schema(name: str) -> dict[str, object]:
    """The schema as it is in the file."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what a test registers."""
    monkeypatch.setattr(function_registry, "_schemas", dict(function_registry._schemas))
    monkeypatch.setattr(action_registry, "_schemas", dict(action_registry._schemas))
    monkeypatch.setattr(schemas, "_loaded", False)


@pytest.mark.parametrize("name", PAYLOADS)
def test_cost__a_tenth(name: str) -> None:
    """Validating as `call()` does takes a fraction of the time with the plain file. The figures are printed."""
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


@pytest.mark.parametrize("name", PAYLOADS)
def test_registration__before_the_autoloader(name: str, own_registry: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """If stapel-core loads schemas after this app is ready, ours stays: it is not checked again, and accepts nulls."""
    schemas.autoload_schemas()
    assert function_registry._schemas[name] == function_schema(name)
    checks = []
    monkeypatch.setattr(jsonschema.Draft202012Validator, "check_schema", lambda *schema: checks.append(schema))
    for _ in range(10):
        function_registry.validate(name, {**PAYLOADS[name], "user_id": None})
    assert len(checks) <= 1


def test_registration__after_the_autoloader(own_registry: None) -> None:
    """If stapel-core loads schemas before this app is ready, ours is registered too."""
    schemas.autoload_schemas()
    register_function("llm.complete", functions.llm_complete, schema=function_schema("llm.complete"))
    assert function_registry._schemas["llm.complete"]["$schema"] == PREPARED_DIALECT


@pytest.mark.parametrize("last", ["stapel_agent", "stapel_core.django.taskstore"])
def test_registration__order_of_apps(last: str) -> None:
    """In any order of INSTALLED_APPS, ten calls check this app's schemas once."""
    script = f"""
        import django, jsonschema
        from django.conf import settings
        from tests import settings as host
        apps = [app for app in (*host.INSTALLED_APPS, "stapel_core.django.taskstore") if app != {last!r}]
        options = {{name: getattr(host, name) for name in dir(host) if name.isupper()}}
        settings.configure(**{{**options, "INSTALLED_APPS": [*apps, {last!r}]}})
        django.setup()
        from stapel_core.comm import function_registry
        checks, check = [], jsonschema.Draft202012Validator.check_schema
        jsonschema.Draft202012Validator.check_schema = lambda *schema: checks.append(check(*schema))
        for name, payload in {PAYLOADS!r}.items():
            for _ in range(10):
                function_registry.validate(name, payload)
        print(len(checks))
    """
    done = subprocess.run([sys.executable, "-c", dedent(script)], check=True, capture_output=True, text=True)
    assert int(done.stdout) <= len(PAYLOADS)


@pytest.mark.parametrize("payload", [[], {}, {**COMPLETE, "x": 1}, {**COMPLETE, "prompt": 1, "model": ""}])
def test_validator__as_plain_jsonschema(payload: object) -> None:
    """The validator for HTTP reports the same errors as jsonschema with the plain file."""
    plain = jsonschema.Draft202012Validator(plain_schema("llm.complete")).iter_errors(payload)
    ours = function_validator("llm.complete").iter_errors(payload)
    assert [fault.message for fault in ours] == [fault.message for fault in plain]
    assert not function_validator("llm.complete").is_valid(payload)


@pytest.mark.parametrize("strange", [1, None, [], {"text": 1}, {}])
def test_validator__entries(strange: object) -> None:
    """Of many entries, only those that are not plain texts are validated one by one, and faults are found."""
    validator = function_validator("llm.translate")
    payload = {**PAYLOADS["llm.translate"], "entries": {str(number): "" for number in range(1000)}}
    assert validator.is_valid(payload)  # fills caches
    assert steps_of(lambda: validator.is_valid(payload)) < 3000
    payload["entries"]["strange"] = strange
    assert [list(fault.absolute_path) for fault in validator.iter_errors(payload)] == [["entries", "strange"]]
    assert not validator.is_valid(payload)


LONG = "B" * 20_000
FILLED = {"items": LONG, LONG: 1}


@pytest.mark.parametrize("value", [LONG, [LONG] * 50, FILLED, [FILLED], LONG.encode(), (LONG,)], ids=type)
def test_fault__quotes_an_excerpt(value: object) -> None:
    """Whichever field is invalid, even a nullable one, the error and all its parts only quote an excerpt."""
    fields = [(name, field) for name in PAYLOADS for field in [*function_schema(name)["properties"], LONG]]
    with every_row() as row:
        for name, field in fields:
            with row(name, field[:20]):
                for fault in function_validator(name).iter_errors({**PAYLOADS[name], field: value}):
                    parts = [fault, *fault.context]
                    assert max(len(str(part)) for part in parts) < 10_000
                    assert not any(LONG[:500] in str(part) for part in parts)


def test_fault__of_many_fields() -> None:
    """A thousand unknown fields are not all quoted. Those that the schema declares never count as missing."""
    unknown = {f"x{n}{LONG[:1000]}": 1 for n in range(1000)}
    required, surplus = function_validator("llm.complete").iter_errors({**unknown, "prompt": "say"})
    assert required.message.startswith("'model' is a required property, and 'x0BBB")
    assert "prompt" in required.instance
    assert len(str(required)) + len(str(surplus)) < 30_000


BOTH = {"url": "https://example.com/cat.png", "data_b64": "iVBORw0KGgo="}


@pytest.mark.parametrize(
    ("function", "fields", "message"),
    [
        ("llm.translate", {"entries": {"a": 5}}, "5 is not of type 'string' or 'object'"),
        ("llm.translate", {"entries": {"a": {"txt": "x"}}}, "'text' is a required property, and 'txt' was unexpected"),
        ("llm.translate", {"entries": {"a": {"text": 5}}}, "text: 5 is not of type 'string'"),
        ("llm.translate", {"context": {"a": [1]}}, "a: [1] is not of type 'string' or 'integer'"),
        ("llm.complete", {"images": [{"data_b64": 5}]}, "data_b64: 5 is not of type 'string'"),
        ("llm.complete", {"images": [BOTH]}, "'data_b64' must not be given together with 'url'"),
        ("llm.complete", {"images": [{"url": "u", "mime": "m"}]}, "'mime' must not be given together with 'url'"),
        ("llm.complete", {"images": [{}]}, "'url' or 'data_b64' is required"),
        ("llm.complete", {"images": [{"mime": "m", "url": None}]}, "'url' or 'data_b64' is required"),
        ("llm.complete", {"images": [{"b64": "x"}]}, "'url' or 'data_b64' is required; 'b64' was unexpected"),
    ],
)
def test_fault__of_a_choice(function: str, fields: dict[str, object], message: str) -> None:
    """If a value may have one of several forms, the message says what is wrong with the nearest one."""
    faults = function_validator(function).iter_errors({**PAYLOADS[function], **fields})
    assert [fault.message for fault in faults] == [message]
