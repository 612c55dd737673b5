"""A caller's JSON Schema as a validator that can be trusted with it: it fetches nothing, and its work is bounded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from functools import lru_cache
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, SchemaError, ValidationError, validators
from jsonschema.validators import validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from stapel_agent.exceptions import InvalidRequest
from stapel_agent.parsing import parse_json_response

from .payloads import PREPARED_DIALECT

NAMED_FAULTS = 5
FAULT_LENGTH = 300
REFERENCE_LIMIT = 50_000
SCHEMA_LENGTH = 64 * 1024
DATA_KEYWORDS = frozenset({"const", "default", "enum", "example", "examples"})
SAMPLES: tuple[Any, ...] = ({}, [])

_references_left: ContextVar[list[int]] = ContextVar("references_left")


class CallerSchema:
    """A JSON Schema to hold answers against. InvalidRequest, before anything is spent, where it cannot serve."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._validator = _validator(_canonical(schema))

    def faults(self, result: Any) -> list[str]:
        """The first faults of `result`, in words. Raises whatever the schema makes of itself."""
        return _faults(self._validator, result)


def _told(fault: ValidationError | SchemaError) -> str:
    return f"{fault.json_path}: {fault.message}"[:FAULT_LENGTH]


def _canonical(schema: Mapping[str, Any]) -> str:
    if not isinstance(schema, Mapping):
        raise InvalidRequest(f"schema must be a JSON object ({type(schema).__name__})")
    try:
        canonical = json.dumps(schema, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as fault:
        raise InvalidRequest(f"schema must be a JSON object ({type(fault).__name__})") from fault
    if len(canonical) > SCHEMA_LENGTH:
        raise InvalidRequest(f"schema may have {SCHEMA_LENGTH:,} characters as JSON, not {len(canonical):,}")
    return canonical


@lru_cache(maxsize=64)
def _validator(canonical_schema: str) -> Any:
    """A validator that fetches nothing, kept because checking a schema costs milliseconds."""
    schema, _ = parse_json_response(canonical_schema)
    if not isinstance(schema, dict) or schema.get("$schema") == PREPARED_DIALECT:
        raise InvalidRequest("schema is nested too deeply, or holds what is no JSON")
    try:
        validator_class = validator_for(schema, default=Draft202012Validator)
        validator_class.check_schema(schema)
        registry: Registry[Any] = Registry().with_resource("", DRAFT202012.create_resource(schema)).crawl()
        for reference in _references(schema):
            registry.resolver().lookup(reference)
        keywords = {"$ref": _counted_ref(validator_class), "uniqueItems": _unique_items}
        bounded_class: Any = validators.extend(validator_class, keywords)  # type: ignore[no-untyped-call]
        validator = bounded_class(schema, registry=registry)
        for sample in SAMPLES:
            _faults(validator, sample)
    except SchemaError as fault:
        raise InvalidRequest(f"schema is not a JSON Schema: {_told(fault)}") from fault
    except Unresolvable as fault:
        raise InvalidRequest(f"schema refers to what it does not hold: {fault.ref!r}") from fault
    except Exception as fault:
        raise InvalidRequest(f"schema cannot be applied ({type(fault).__name__})") from fault
    return validator


def _faults(validator: Any, result: Any) -> list[str]:
    _references_left.set([REFERENCE_LIMIT])
    return [_told(fault) for fault in islice(validator.iter_errors(result), NAMED_FAULTS)]


def _unique_items(validator: Any, unique: Any, items: Any, schema: Any) -> Iterator[ValidationError]:
    """The keyword `uniqueItems` in linear time; the library compares each item with each other."""
    if unique and validator.is_type(items, "array"):
        kinds = {json.dumps(_numbers_alike(item), sort_keys=True) for item in items}
        if len(kinds) < len(items):
            yield ValidationError("the items are not unique")


def _numbers_alike(item: Any) -> Any:
    """`item` with 1.0 written as 1, which JSON Schema takes for the same."""
    if isinstance(item, dict):
        return {name: _numbers_alike(value) for name, value in item.items()}
    if isinstance(item, list):
        return [_numbers_alike(value) for value in item]
    return int(item) if isinstance(item, float) and item.is_integer() else item


def _counted_ref(validator_class: Any) -> Any:
    """The keyword `$ref`, at a limit: references that refer twice double the work at each level."""
    follow = validator_class.VALIDATORS["$ref"]

    def counted(validator: Any, *arguments: Any) -> Any:
        left = _references_left.get()
        left[0] -= 1
        if left[0] < 0:
            raise RecursionError
        return follow(validator, *arguments)

    return counted


def _references(schema: Any) -> Iterator[str]:
    pending = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            yield from (node[word] for word in ("$ref", "$dynamicRef") if isinstance(node.get(word), str))
            pending.extend(value for word, value in node.items() if word not in DATA_KEYWORDS)
        elif isinstance(node, list):
            pending.extend(node)
