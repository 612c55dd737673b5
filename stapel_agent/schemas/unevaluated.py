"""The keywords `unevaluatedProperties` and `unevaluatedItems`, with sets. The library looks each name up in a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jsonschema import ValidationError

from .bounded_patterns import found as matches
from .references import REFERENCES, resolved
from .work_limit import current_limit

NAMED = 5

Own = Callable[[Any, dict[str, Any], Any], Iterable[Any]]
"""Returns the members of an instance that a schema's own keywords evaluate."""


def unevaluated_properties(validator: Any, subschema: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        evaluated = _evaluated("unevaluatedProperties", _names_of, validator, schema, instance)
        left = [name for name in instance if name not in evaluated]
        wrong = [name[:100] for name in left if not _holds(validator, subschema, instance[name])]
        if wrong:
            yield ValidationError(f"unevaluated properties are not allowed: {', '.join(map(repr, wrong[:NAMED]))}")


def unevaluated_items(validator: Any, subschema: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, list):
        evaluated = _evaluated("unevaluatedItems", _indexes_of, validator, schema, instance)
        left = [index for index in range(len(instance)) if index not in evaluated]
        wrong = [index for index in left if not _holds(validator, subschema, instance[index])]
        if wrong:
            yield ValidationError(f"unevaluated items are not allowed: {', '.join(map(str, wrong[:NAMED]))}")


def _evaluated(keyword: str, own: Own, validator: Any, schema: dict[str, Any], instance: Any) -> set[Any]:
    """Return the members of `instance` that the other keywords of `schema` have evaluated."""
    found = set[Any]()
    _add(found, own, validator, {name: value for name, value in schema.items() if name != keyword}, instance)
    return found


def _add(found: set[Any], own: Own, validator: Any, schema: Any, instance: Any) -> None:
    """Add the members that `schema` and its in-place subschemas evaluate. The instance must satisfy `schema`."""
    if not isinstance(schema, dict):
        return
    current_limit().spend(1 + len(schema))
    found.update(own(validator, schema, instance))
    for name in REFERENCES:
        if name in schema:
            target = resolved(name, schema[name], validator._resolver)
            followed = validator.evolve(schema=target.contents, _resolver=target.resolver)
            _add(found, own, followed, target.contents, instance)
    for subschema in _applied(validator, schema, instance):
        if _holds(validator, subschema, instance):
            _add(found, own, validator, subschema, instance)


def _applied(validator: Any, schema: dict[str, Any], instance: Any) -> Iterator[Any]:
    """Yield the subschemas that a schema applies to the same value."""
    for name in ("allOf", "anyOf", "oneOf"):
        yield from schema.get(name, ())
    if isinstance(instance, dict):
        yield from (part for name, part in schema.get("dependentSchemas", {}).items() if name in instance)
    if "if" in schema:
        yield schema["if"]
        branch = "then" if _holds(validator, schema["if"], instance) else "else"
        yield schema.get(branch, True)


def _names_of(validator: Any, schema: dict[str, Any], instance: dict[str, Any]) -> Iterator[str]:
    properties, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    rest = "additionalProperties" in schema or "unevaluatedProperties" in schema
    for name in instance:
        if rest or name in properties or any(matches(pattern, name) for pattern in patterns):
            yield name


def _indexes_of(validator: Any, schema: dict[str, Any], instance: list[Any]) -> Iterator[int]:
    items = schema.get("items")
    if isinstance(items, dict | bool) or "additionalItems" in schema or "unevaluatedItems" in schema:
        yield from range(len(instance))
        return
    first = items if isinstance(items, list) else schema.get("prefixItems", ())
    yield from range(min(len(first), len(instance)))
    if "contains" in schema and "prefixItems" in validator.VALIDATORS:
        yield from (index for index, item in enumerate(instance) if _holds(validator, schema["contains"], item))


def _holds(validator: Any, schema: Any, instance: Any) -> bool:
    current_limit().spend(1)
    return next(iter(validator.descend(instance, schema)), None) is None
