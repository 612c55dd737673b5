"""jsonschema's keywords for a caller's schema. Each counts its steps.

Keywords that take more than linear time, or divide floats, are replaced.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from jsonschema import ValidationError, validators

from .bounded_patterns import found
from .unevaluated import unevaluated_items, unevaluated_properties
from .work_limit import current_limit

MESSAGE_LENGTH = 300
CHARACTERS_IN_A_STEP = 100

Errors = Iterator[ValidationError]
Keyword = Callable[[Any, Any, Any, Any], "Errors | None"]


def bounded_validator(validator_class: Any) -> Any:
    """Return a class like `validator_class` whose work counts against the current WorkLimit."""
    replaced = {name: keyword for name, keyword in REPLACED.items() if name in validator_class.VALIDATORS}
    keywords = {name: _counted(keyword) for name, keyword in {**validator_class.VALIDATORS, **replaced}.items()}
    bounded_class: Any = validators.extend(validator_class, keywords)  # type: ignore[no-untyped-call]
    library_descend, library_errors = bounded_class.descend, bounded_class.iter_errors

    def evolve(self: Any, **changes: Any) -> Any:
        # The library would switch to the class that a nested `$schema` names.
        kept = {"schema": self.schema, "registry": self._registry, "_resolver": self._resolver}
        return bounded_class(**{**kept, **changes})

    def descend(self: Any, instance: Any, schema: Any, *arguments: Any, **options: Any) -> Errors:
        return _refused() if schema is False else library_descend(self, instance, schema, *arguments, **options)

    def iter_errors(self: Any, instance: Any) -> Errors:
        return _refused() if self.schema is False else library_errors(self, instance)

    bounded_class.evolve, bounded_class.descend, bounded_class.iter_errors = evolve, descend, iter_errors
    return bounded_class


def _refused() -> Errors:
    """Yield the error of the schema `false`. The library's message quotes the whole value."""
    current_limit().spend(1)
    yield ValidationError(
        "no value is allowed here", validator="false", validator_value=False, instance=None, schema=False
    )


def _counted(keyword: Keyword) -> Keyword:
    """Wrap `keyword`: it spends a step for each member of its value and of the instance, and its messages are short."""

    def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Errors:
        limit = current_limit()
        limit.spend(1 + _members(instance) + (0 if keyword is _enum else _members(value)))
        for error in keyword(validator, value, instance, schema) or ():
            limit.spend(len(error.message) // CHARACTERS_IN_A_STEP)
            error.message = error.message[:MESSAGE_LENGTH]
            yield error

    return counted


def _members(value: Any) -> int:
    return len(value) if isinstance(value, dict | list) else 0


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Errors:
    if isinstance(instance, str) and not found(pattern, instance):
        yield ValidationError(f"{instance[:MESSAGE_LENGTH]!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: dict[str, Any], instance: Any, schema: Any) -> Errors:
    for pattern, subschema in patterns.items() if isinstance(instance, dict) else ():
        for name, value in instance.items():
            if found(pattern, name):
                yield from validator.descend(value, subschema, path=name, schema_path=pattern)


def _additional_properties(validator: Any, allowed: Any, instance: Any, schema: Any) -> Errors:
    if not isinstance(instance, dict):
        return
    properties, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name, value in instance.items():
        if name in properties or any(found(pattern, name) for pattern in patterns):
            continue
        if allowed is False:
            yield ValidationError(f"the property {name[:MESSAGE_LENGTH]!r} is not allowed")
        else:
            yield from validator.descend(value, allowed, path=name)


def _enum(validator: Any, choices: list[Any], instance: Any, schema: Any) -> Errors:
    """Check a value in constant time. The library compares it with every choice."""
    if alike(instance) not in _choices(choices):
        yield ValidationError(f"{_quoted(instance)} is not one of {_quoted(choices)}")


def _choices(choices: list[Any]) -> frozenset[str]:
    known = current_limit().choices
    # Keyed by identity: the schema, with its list, outlives the check.
    if id(choices) not in known:
        known[id(choices)] = frozenset(map(alike, choices))
    return known[id(choices)]


def _multiple_of(validator: Any, divisor: Any, instance: Any, schema: Any) -> Errors:
    """Divide the decimals as they are written. The library divides floats, by which 19.99 is no multiple of 0.01."""
    if validator.is_type(instance, "number") and Fraction(str(instance)) % Fraction(str(divisor)):
        yield ValidationError(f"{_quoted(instance)} is not a multiple of {divisor!r}")


def _unique_items(validator: Any, unique: Any, items: Any, schema: Any) -> Errors:
    """Check the items in linear time. The library compares every pair."""
    if unique and isinstance(items, list) and len(set(map(alike, items))) < len(items):
        yield ValidationError("the items are not unique")


def alike(value: Any) -> str:
    """Return equal texts for values that are equal in JSON Schema: 1.0 equals 1, True does not."""
    text = json.dumps(_numbers_alike(value), sort_keys=True)
    current_limit().spend(len(text) // CHARACTERS_IN_A_STEP)
    return text


def _numbers_alike(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _numbers_alike(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_numbers_alike(member) for member in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _quoted(value: Any) -> str:
    return f"{value!r:.{MESSAGE_LENGTH}}" if isinstance(value, str) else repr(value)[:MESSAGE_LENGTH]


REPLACED: dict[str, Keyword] = {
    "additionalProperties": _additional_properties,
    "enum": _enum,
    "multipleOf": _multiple_of,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "unevaluatedItems": unevaluated_items,
    "unevaluatedProperties": unevaluated_properties,
    "uniqueItems": _unique_items,
}
