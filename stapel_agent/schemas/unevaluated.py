"""The keywords `unevaluatedProperties` and `unevaluatedItems`, with sets. The library looks each name up in a list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonschema import ValidationError
from referencing.jsonschema import lookup_recursive_ref

from .bounded_patterns import found
from .work_limit import current_limit

NAMED = 5


def unevaluated_properties(validator: Any, subschema: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        evaluated = _Evaluated(instance, _names_of)
        evaluated.add(validator, {name: value for name, value in schema.items() if name != "unevaluatedProperties"})
        left = [name for name in instance if name not in evaluated.found]
        wrong = [name[:100] for name in left if not _holds(validator, subschema, instance[name])]
        if wrong:
            yield ValidationError(f"unevaluated properties are not allowed: {', '.join(map(repr, wrong[:NAMED]))}")


def unevaluated_items(validator: Any, subschema: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, list):
        evaluated = _Evaluated(instance, _indexes_of)
        evaluated.add(validator, {name: value for name, value in schema.items() if name != "unevaluatedItems"})
        left = [index for index in range(len(instance)) if index not in evaluated.found]
        wrong = [index for index in left if not _holds(validator, subschema, instance[index])]
        if wrong:
            yield ValidationError(f"unevaluated items are not allowed: {', '.join(map(str, wrong[:NAMED]))}")


class _Evaluated:
    """The members of `instance` that a schema's other keywords have evaluated."""

    def __init__(self, instance: Any, own: Any) -> None:
        self.found: set[Any] = set()
        self._instance = instance
        self._own = own

    def add(self, validator: Any, schema: Any) -> None:
        """Add the members that `schema` and its in-place subschemas evaluate. The instance must satisfy `schema`."""
        if not isinstance(schema, dict):
            return
        current_limit().spend(1 + len(schema))
        self.found.update(self._own(validator, schema, self._instance))
        for name in ("$ref", "$dynamicRef", "$recursiveRef"):
            if name in schema:
                resolved = _resolved(validator, name, schema[name])
                followed = validator.evolve(schema=resolved.contents, _resolver=resolved.resolver)
                self.add(followed, resolved.contents)
        for subschema in _applied(validator, schema, self._instance):
            if _holds(validator, subschema, self._instance):
                self.add(validator, subschema)


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
        if rest or name in properties or any(found(pattern, name) for pattern in patterns):
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


def _resolved(validator: Any, name: str, reference: str) -> Any:
    if name == "$recursiveRef":
        return lookup_recursive_ref(validator._resolver)
    return validator._resolver.lookup(reference)
