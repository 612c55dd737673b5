"""A caller's schema: what is refused before anything is spent, and that its work is bounded."""

import pytest

from stapel_agent.exceptions import InvalidRequest
from stapel_agent.schemas.caller_schema import SCHEMA_LENGTH, CallerSchema
from stapel_agent.schemas.payloads import PREPARED_DIALECT


def nested(depth: int) -> list:
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


def doubling(levels: int) -> dict:
    """A schema that refers twice to the next level, at each level."""
    levels_by_name = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(levels)}
    return {"$defs": {**levels_by_name, f"d{levels}": {}}, "$ref": "#/$defs/d0"}


@pytest.mark.parametrize(
    "schema",
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
    ],
    ids=["itself", "elsewhere", "dynamic", "no-schema", "deep", "our-dialect", "draft-04", "long", "doubling"],
)
def test_schema__refused(schema):
    """A schema that could never be applied is the request's fault, and is known at once."""
    with pytest.raises(InvalidRequest, match="^schema "):
        CallerSchema(schema)


def test_schema__references_in_data_are_data():
    """A `$ref` inside a default or an enumeration refers to nothing."""
    assert CallerSchema({"default": {"$ref": "foo"}, "enum": [{"$ref": "foo"}]}).faults({"$ref": "foo"}) == []


def test_schema__many_anchors():
    """A thousand anchors are found without looking for each of them from the beginning."""
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
    """Items are compared as JSON Schema does, and fifty thousand of them in a moment."""
    assert (CallerSchema({"uniqueItems": True}).faults(items) == []) is unique


def test_faults__first_few():
    """The first five faults are named, each at a bounded length."""
    schema = CallerSchema({"items": {"type": "integer"}})
    faults = schema.faults(["x" * 1000] * 9)
    assert len(faults) == 5
    assert faults[0].startswith("$[0]: 'xxx")
    assert max(map(len, faults)) == 300


def test_faults__recursive_schema():
    """A schema of trees is held against a tree."""
    tree = {"type": "object", "properties": {"child": {"$ref": "#"}}, "additionalProperties": False}
    assert CallerSchema(tree).faults({"child": {"child": {}}}) == []
    assert CallerSchema(tree).faults({"child": {"leaf": 1}}) != []
