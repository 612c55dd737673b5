"""Recognizes ordinary payloads of the comm functions. jsonschema, which finds faults, takes ten times as long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ANNOTATIONS = frozenset({"$schema", "title", "description"})
OUTER = ANNOTATIONS | {"type", "properties", "required", "additionalProperties"}
CHECKED = ANNOTATIONS | {"type", "minLength", "maxLength", "minimum", "maximum"}
KINDS: Mapping[str, type] = {"string": str, "integer": int, "object": dict, "null": type(None)}
Field = tuple[frozenset[type], float, float]
"""The types of a field's values, and the least and greatest length of a string or size of a number."""


class OrdinaryPayloads:
    """The payloads that a schema allows, as far as their fields are strings, whole numbers, any objects or null."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        is_known = schema.keys() <= OUTER and schema.get("type") == "object"
        is_closed = schema.get("additionalProperties") is False
        declared: Mapping[str, Any] = schema.get("properties", {}) if is_known and is_closed else {}
        self._required = schema.get("required", ())
        self._fields: dict[Any, Field] = {
            name: field for name, rules in declared.items() if (field := _field_of(rules)) is not None
        }

    def include(self, payload: object) -> bool:
        """Whether `payload` is one of them, and so valid. Any other one may be valid too."""
        if type(payload) is not dict:
            return False
        for name, value in payload.items():
            field, kind = self._fields.get(name), type(value)
            if field is None or kind not in field[0]:
                return False
            if kind is str and not field[1] <= len(value) <= field[2]:
                return False
            if kind is int and not field[1] <= value <= field[2]:
                return False
        return bool(self._fields) and all(name in payload for name in self._required)


def _field_of(rules: Mapping[str, Any]) -> Field | None:
    """What is checked of a field; None if jsonschema must check it."""
    named: Any = rules.get("type")
    names: list[Any] = named if isinstance(named, list) else [named]
    if not rules.keys() <= CHECKED or not all(name in KINDS for name in names):
        return None
    least, most = ("minimum", "maximum") if "integer" in names else ("minLength", "maxLength")
    if {"string", "integer"} <= set(names):  # whose limits differ
        return None
    return frozenset(KINDS[name] for name in names), rules.get(least, float("-inf")), rules.get(most, float("inf"))
