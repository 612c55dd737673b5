"""Check the references of a caller's schema, and how often it applies itself to one value, before any paid call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from referencing import Specification
from referencing.jsonschema import lookup_recursive_ref

from .bounded_patterns import compiled
from .work_limit import current_limit

CHECKS_LIMIT = 50_000
ONE_SCHEMA, LIST_OF_SCHEMAS, MAP_OF_SCHEMAS = range(3)

APPLICATORS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("not", "if", "then", "else", "propertyNames", "contains", "contentSchema"), (ONE_SCHEMA,)),
    **dict.fromkeys(("additionalProperties", "unevaluatedProperties"), (ONE_SCHEMA,)),
    **dict.fromkeys(("additionalItems", "unevaluatedItems"), (ONE_SCHEMA,)),
    **dict.fromkeys(("items", "extends", "type", "disallow"), (ONE_SCHEMA, LIST_OF_SCHEMAS)),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), (LIST_OF_SCHEMAS,)),
    **dict.fromkeys(("properties", "patternProperties", "$defs", "definitions"), (MAP_OF_SCHEMAS,)),
    **dict.fromkeys(("dependentSchemas", "dependencies"), (MAP_OF_SCHEMAS,)),
}
"""The keywords of all drafts that contain schemas, and the shapes of their values."""
IN_PLACE = frozenset(
    {"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies", "extends", "disallow"}
)
"""The keywords that apply their schemas to the same value as the schema itself."""
REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
UNEVALUATED = ("unevaluatedProperties", "unevaluatedItems")


class UnboundedSchema(Exception):
    """A schema that applies itself to one value endlessly or too often."""


def check_references(schema: dict[str, Any], resolver: Any, specification: Specification[Any]) -> None:
    """Raise Unresolvable, UnboundedSchema, or ValueError for an invalid pattern or target."""
    _References(schema, resolver, specification)


class _References:
    """The schema objects in a schema, and the ones it refers to.

    They are found by position: a property may be called `default`, and a default may look like a reference.
    """

    def __init__(self, schema: dict[str, Any], resolver: Any, specification: Specification[Any]) -> None:
        self._specification = specification
        self._targets: dict[int, list[dict[str, Any]]] = defaultdict(list)
        self._anchored: dict[object, list[dict[str, Any]]] = defaultdict(list)
        self._dynamic: list[tuple[dict[str, Any], object]] = []
        self._found: dict[int, dict[str, Any]] = {}
        self._find(schema, resolver)
        for node, anchor in self._dynamic:
            self._targets[id(node)] += self._anchored[anchor]
        self._costs: dict[int, tuple[int, int] | None] = {}
        for node in self._found.values():
            if self._checks(node)[0] > CHECKS_LIMIT:
                raise UnboundedSchema(f"applies more than {CHECKS_LIMIT:,} keywords to one value")

    def _find(self, schema: dict[str, Any], resolver: Any) -> None:
        pending = [(schema, resolver)]
        while pending:
            node, resolver = pending.pop()
            if id(node) in self._found:
                continue
            self._found[id(node)] = node
            current_limit().spend(1 + len(node))
            self._note(node)
            within = resolver.in_subresource(self._specification.create_resource(node))
            pending += [(part, within) for _, part in _subschemas(node)]
            for name in REFERENCES:
                if isinstance(node.get(name), str):
                    target = _target(name, node[name], within)
                    self._targets[id(node)].append(target[0])
                    pending.append(target)

    def _note(self, node: dict[str, Any]) -> None:
        """Record the anchors of a schema, and compile its patterns."""
        for name in ("$dynamicAnchor", "$recursiveAnchor"):
            if name in node:
                self._anchored[node[name] if name == "$dynamicAnchor" else True].append(node)
        if isinstance(node.get("$dynamicRef"), str):
            self._dynamic.append((node, node["$dynamicRef"].partition("#")[2]))
        if "$recursiveRef" in node:
            self._dynamic.append((node, True))
        patterns = node.get("patternProperties")
        for pattern in (node.get("pattern"), *(patterns if isinstance(patterns, dict) else ())):
            if isinstance(pattern, str):
                compiled(pattern)

    def _checks(self, node: dict[str, Any]) -> tuple[int, int]:
        """Return how many keywords are applied to a value, and how many schemas are searched for evaluated members."""
        if id(node) in self._costs:
            known = self._costs[id(node)]
            if known is None:
                raise UnboundedSchema("refers to itself for one value")
            return known
        self._costs[id(node)] = None
        current_limit().spend(1)
        own = [part for name, part in _subschemas(node) if name in IN_PLACE]
        parts = [self._checks(part) for part in (*own, *self._targets[id(node)])]
        applied = 1 + len(node) + sum(checks for checks, _ in parts)
        asked = 1 + sum(checks + asked for checks, asked in parts)
        if any(name in node for name in UNEVALUATED):
            applied += asked
        costs = self._costs[id(node)] = min(applied, CHECKS_LIMIT + 1), min(asked, CHECKS_LIMIT + 1)
        return costs


def resolved(name: str, reference: str, resolver: Any) -> Any:
    """Return the contents that the keyword `name` refers to, with the resolver for their references."""
    return lookup_recursive_ref(resolver) if name == "$recursiveRef" else resolver.lookup(reference)


def _target(name: str, reference: str, resolver: Any) -> tuple[dict[str, Any], Any]:
    """Return the schema that a reference leads to, and the resolver for its references."""
    found = resolved(name, reference, resolver)
    if isinstance(found.contents, bool):
        return {}, found.resolver
    if not isinstance(found.contents, dict):
        raise ValueError(f"has a reference to something that is not a schema: {reference[:100]!r}")
    return found.contents, found.resolver


def _subschemas(node: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the schema objects directly inside a schema, each with its keyword."""
    for name in node.keys() & APPLICATORS.keys():
        value, shapes = node[name], APPLICATORS[name]
        if MAP_OF_SCHEMAS in shapes:
            parts = list(value.values()) if isinstance(value, dict) else []
        elif LIST_OF_SCHEMAS in shapes and isinstance(value, list):
            parts = value
        else:
            parts = [value] if ONE_SCHEMA in shapes else []
        yield from ((name, part) for part in parts if isinstance(part, dict))
