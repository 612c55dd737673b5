"""A caller's schema is rejected before anything is spent if it is unusable, and its work is bounded."""

import signal
import subprocess
import sys
import warnings

import pytest
from jsonschema.validators import validator_for

from stapel_agent.exceptions import InvalidRequest
from stapel_agent.schemas import TooMuchWork, bounded_patterns, work_limit
from stapel_agent.schemas.caller_schema import SCHEMA_LENGTH, CallerSchema
from stapel_agent.schemas.function_schemas import PREPARED_DIALECT
from tests.rows import each_row


def nested(depth: int) -> list:
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


def doubling(levels: int) -> dict:
    """A schema in which each level refers twice to the next one."""
    levels_by_name = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(levels)}
    return {"$defs": {**levels_by_name, f"d{levels}": {}}, "$ref": "#/$defs/d0"}


def doubling_in(keyword: str, levels: int = 30) -> dict:
    """The same with another keyword that contains a list of schemas."""
    levels_by_name = {f"d{n}": {keyword: [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(levels)}
    return {"$defs": {**levels_by_name, f"d{levels}": {"type": "string"}}, "$ref": "#/$defs/d0"}


def doubling_dynamically(levels: int = 30) -> dict:
    """The same with dynamic references."""
    names = {f"d{n}": {"$dynamicAnchor": f"d{n}", "allOf": [{"$dynamicRef": f"#d{n + 1}"}] * 2} for n in range(levels)}
    return {"$defs": {**names, f"d{levels}": {"$dynamicAnchor": f"d{levels}"}}, "$dynamicRef": "#d0"}


def unevaluated(keyword: str, applicator: str, depth: int = 14) -> dict:
    """A schema of a few hundred characters in which each level evaluates all levels below it."""
    schema: dict = {}
    for _ in range(depth):
        inner = {"a": schema} if applicator == "dependentSchemas" else [schema]
        schema = {applicator: schema if applicator == "if" else inner, keyword: True}
    return schema


@each_row(
    [
        {"$ref": "#"},
        {"$ref": "https://127.0.0.1:9/schema"},
        {"$dynamicRef": "https://127.0.0.1:9/schema"},
        {"$ref": "#/x", "x": 5},
        {"default": nested(985)},
        {"$schema": PREPARED_DIALECT},
        {"$schema": "http://json-schema.org/draft-04/schema#", "$defs": 5, "$ref": "#x"},
        {"enum": ["x" * SCHEMA_LENGTH]},
        doubling(40),
        doubling_in("anyOf"),
        doubling_in("oneOf"),
        doubling_dynamically(),
        unevaluated("unevaluatedProperties", "allOf"),
        unevaluated("unevaluatedItems", "anyOf"),
        unevaluated("unevaluatedProperties", "dependentSchemas"),
        unevaluated("unevaluatedProperties", "if", 20),
        {"anyOf": [{"type": "null"}, {"$ref": "#"}]},
        {"properties": {"default": {"$ref": "#/nowhere"}}},
        {"properties": {"enum": {"items": {"properties": {"const": {"$dynamicRef": "#nowhere"}}}}}},
        {"items": {"$defs": {"examples": {"not": {"$ref": "#/nowhere"}}}}},
        {"$ref": "#/extra/0", "extra": [{"items": {"$ref": "#/nowhere"}}]},
        {"properties": {"a": {"pattern": "("}}},
        {"items": {"patternProperties": {"[": {}}}},
        {"pattern": "((a{1000}){1000}){1000}"},
        {"allOf": [{}] * 15_000},
    ]
)
def test_schema__refused(schema):
    """A schema that could never be applied is rejected at once."""
    with pytest.raises(InvalidRequest, match="^schema "):
        CallerSchema(schema)


def test_schema__references_in_data_are_data():
    """A `$ref` inside a default or an enumeration is not a reference."""
    assert CallerSchema({"default": {"$ref": "foo"}, "enum": [{"$ref": "foo"}]}).faults({"$ref": "foo"}) == []


def test_schema__many_anchors():
    """A thousand anchors are found without a search from the beginning for each."""
    anchors = {f"d{n}": {"$anchor": f"a{n}"} for n in range(500)}
    schema = CallerSchema({"$defs": anchors, "allOf": [{"$ref": f"#a{n}"} for n in range(500)]})
    assert schema.faults({}) == []


@pytest.mark.parametrize(
    ("items", "unique"),
    [
        ([1, 2, "1", True, None, [1], {"a": 1}], True),
        ([1, 1.0], False),
        ([{"a": 1, "b": 2}, {"b": 2.0, "a": 1}], False),
        ([1, True, 0, False], True),
        ([{"a": n} for n in range(50_000)], True),
    ],
)
def test_unique_items__linear(items, unique):
    """Items are compared as in JSON Schema, and fifty thousand of them quickly."""
    assert (CallerSchema({"uniqueItems": True}).faults(items) == []) is unique


SETS = [
    ("^[[:alpha:]]$", ["a]", ":]", "[]"], ["b", "a", "]"]),
    ("^[+--]$", ["+", ",", "-"], ["."]),
    ("^[a&&b]$", ["a", "&", "b"], ["c"]),
    ("^[a||b~~]$", ["a", "|", "b", "~"], ["c"]),
    ("^[]a[]$", ["]", "a", "["], ["b"]),
    (r"^[\[\w&&-]$", ["[", "x", "&", "-"], ["+"]),
]


@pytest.mark.parametrize(("pattern", "matching", "others"), SETS, ids=[pattern for pattern, *_ in SETS])
def test_pattern__that_looks_like_a_set_operation(pattern, matching, others):
    """Brackets and doubled signs in a set are literals, each time, and no warning of Python's escapes."""
    bounded_patterns.compiled.cache_clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schema = CallerSchema({"items": {"pattern": pattern}, "patternProperties": {pattern: {}}})
        assert [schema.faults([text]) for text in matching] == [[]] * len(matching)
        assert all(schema.faults([text]) for text in others)


@pytest.mark.parametrize(
    ("schema", "result"),
    [
        ({"items": {"allOf": [{"type": "object"}] * 300}}, [{}] * 2000),
        ({"items": {"anyOf": [False] * 300 + [{}]}}, [{}] * 2000),
        ({"items": {"$schema": "http://json-schema.org/draft-07/schema#", "allOf": [{}] * 300}}, [{}] * 2000),
        ({"pattern": "(a|a)*$"}, "a" * 60 + "b"),
        ({"patternProperties": {"(a|aa)+$": {}}}, {"a" * 100 + "b": 1}),
        ({"additionalProperties": False, "patternProperties": {"(a|aa)+$": {}}}, {"a" * 100 + "b": 1}),
        ({"unevaluatedProperties": False, "allOf": [{"patternProperties": {r"(x+x+)+y": {}}}]}, {"x" * 2000: 1}),
        ({"propertyNames": {"pattern": "^(a|aa|b)*$"}}, {"a" * 100 + "!": 1}),
        ({"not": {"anyOf": [{"type": "array"}] * 300}}, "x" * 500_000),
    ],
)
def test_faults__bounded_work(monkeypatch, schema, result):
    """A check that would take minutes is stopped after a number of steps or seconds."""
    validator = CallerSchema(schema)
    monkeypatch.setattr(work_limit, "STEP_LIMIT", 100_000)
    monkeypatch.setattr(bounded_patterns, "SECONDS", 0.1)
    with pytest.raises(TooMuchWork):
        validator.faults(result)


@pytest.mark.parametrize(
    ("schema", "result"),
    [
        ({"items": {"enum": list(range(9000))}}, [8999] * 100_000),
        ({"items": {"type": "object", "properties": {"a": {"type": "integer"}}}}, [{"a": 1}] * 20_000),
        ({"unevaluatedProperties": {"type": "integer"}}, {f"k{n}": n for n in range(50_000)}),
        ({"prefixItems": [{}], "contains": {"type": "integer"}, "unevaluatedItems": False}, list(range(50_000))),
        ({"additionalProperties": {"pattern": r"^[^@\s]+@[^@\s]+\.[a-z]+$"}}, {f"k{n}": "a@b.cd" for n in range(5000)}),
        ({"type": "string", "pattern": r"^\S+( \S+)*$"}, "word " * 200_000 + "word"),
    ],
)
def test_faults__large_answers(schema, result):
    """An answer of a megabyte is validated against an ordinary schema."""
    assert CallerSchema(schema).faults(result) == []


OLD = "http://json-schema.org/draft-0{}/schema#"
YEAR = "https://json-schema.org/draft/2019-09/schema"


@each_row([
    {"$schema": OLD.format(4), "minimum": 3, "exclusiveMinimum": True, "items": [{"type": "object"}]},
    {"$schema": OLD.format(7), "$ref": "#/definitions/a", "type": "string", "definitions": {"a": {"minimum": 2}}},
    {"$schema": OLD.format(7), "dependencies": {"a": ["b"], "b": {"required": ["c"]}}, "additionalItems": False},
    {"$schema": OLD.format(7), "items": [{"type": "integer"}], "additionalItems": {"type": "string"}},
    {"$schema": YEAR, "$recursiveAnchor": True, "properties": {"a": {"$recursiveRef": "#"}},
     "unevaluatedProperties": False},
    {"$schema": YEAR, "items": [{}], "unevaluatedItems": {"type": "string"}},
    {"allOf": [{"properties": {"a": {}}}, {"patternProperties": {"^b": {}}}], "unevaluatedProperties": False},
    {"if": {"properties": {"a": {"const": 1}}, "required": ["a"]}, "then": {"properties": {"b": {}}},
     "else": {"properties": {"c": {}}}, "unevaluatedProperties": False},
    {"anyOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {}}}],
     "unevaluatedProperties": False},
    {"dependentSchemas": {"a": {"properties": {"b": {}}}}, "properties": {"a": {}}, "unevaluatedProperties": False},
    {"$ref": "#/$defs/x", "$defs": {"x": {"properties": {"a": {}}}}, "unevaluatedProperties": {"type": "integer"}},
    {"oneOf": [{"prefixItems": [{"type": "integer"}]}, {"minItems": 4}], "unevaluatedItems": False},
    {"prefixItems": [{}], "contains": {"type": "string"}, "unevaluatedItems": {"type": "integer"}},
    {"enum": [1, "a", None, [1.0], {"a": True}]},
    {"uniqueItems": True, "items": {"enum": [1, 1.5, "a", True, []]}},
    {"$id": "https://example.org/root", "properties": {"a": {"$ref": "item"}},
     "$defs": {"i": {"$id": "item", "type": "integer"}}},
    {"properties": {"a": True, "b": False}, "patternProperties": {"c$": {"type": "null"}},
     "additionalProperties": False},
])  # fmt: skip
def test_faults__same_verdict_as_the_library(schema):
    """Keywords that are replaced for speed give the same results as the library's own, in each draft."""
    values = [1, 2, 3, 4, "a", "b", None, True, [], [1], [1.0], ["a"], [1, "a"], ["a", 1], [1, 1.0], [1, True], [{}, 2]]
    values += [[1, 2, 3, 4], [1, 2, 3, "a", "b"], {}, {"a": 1}, {"a": True}, {"a": "x", "b": 1}, {"b": 1}, {"c": 1}]
    values += [{"a": 1, "b": 2}, {"a": 1, "c": 2}, {"a": {"a": {}}}, {"a": {"b": 1}}, {"b1": 1, "a": 2}, {"c": None}]
    library, ours = validator_for(schema)(schema), CallerSchema(schema)
    assert [not ours.faults(value) for value in values] == [library.is_valid(value) for value in values]


@pytest.mark.parametrize(
    ("divisor", "multiples", "others"),
    [
        (0.01, [19.99, 0.29, -1.1, 5, 1e300], [0.001, 19.995]),
        (0.1, [0.3, 1, 0], [0.25]),
        (3, [9, 9.0, -3], [10, 9.5]),
        (1e-300, [1e300, 0.5], [1.5e-300, 5e-324]),
    ],
)
def test_faults__multiple_of(divisor, multiples, others):
    """Decimals are divided as they are written, however large. What is not a number passes."""
    schema = CallerSchema({"multipleOf": divisor})
    assert [value for value in [*multiples, True, "0.015"] if schema.faults(value)] == []
    assert [value for value in others if not schema.faults(value)] == []


def test_faults__process_that_is_asked_to_stop():
    """While a thread searches for a hostile pattern, the process still reacts to SIGTERM."""
    program = """
import signal, sys, threading
from stapel_agent.schemas.caller_schema import CallerSchema
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
schema = CallerSchema({"items": {"pattern": "(a|a)*$"}})
threading.Thread(target=schema.faults, args=(["a" * 60 + "b"] * 100,), daemon=True).start()
print("searching", flush=True)
while True:
    threading.Event().wait(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            process.stdout.readline()
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 3
        finally:
            process.kill()


def test_faults__first_few():
    """The first five errors are listed, each with a limited length."""
    schema = CallerSchema({"items": {"type": "integer"}})
    faults = schema.faults(["x" * 1000] * 9)
    assert len(faults) == 5
    assert faults[0].startswith("$[0]: 'xxx")
    assert max(map(len, faults)) == 300


def test_faults__recursive_schema():
    """A recursive schema is validated against a tree."""
    tree = {"type": "object", "properties": {"child": {"$ref": "#"}}, "additionalProperties": False}
    assert CallerSchema(tree).faults({"child": {"child": {}}}) == []
    assert CallerSchema(tree).faults({"child": {"leaf": 1}}) != []
