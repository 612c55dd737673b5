"""A safe validator for a caller's JSON Schema: it fetches nothing, and its work is bounded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, SchemaError, ValidationError
from jsonschema.validators import validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012, specification_with

from stapel_agent.exceptions import InvalidRequest
from stapel_agent.parsing import parse_json_response

from .bounded_keywords import bounded_validator
from .function_schemas import PREPARED_DIALECT
from .references import UnboundedSchema, check_references
from .work_limit import TooMuchWork, limited_work

NAMED_FAULTS = 5
FAULT_LENGTH = 300
SCHEMA_LENGTH = 64 * 1024
SAMPLES: tuple[Any, ...] = ({}, [], "", 0)

_bounded_class = lru_cache(maxsize=16)(bounded_validator)


class CallerSchema:
    """A JSON Schema to check answers with. Raises InvalidRequest, before any call is paid for, if it is unusable.

    Creating and using one can take seconds of processor time: do neither on an event loop.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._validator = _validator(_canonical(schema))

    def faults(self, result: Any) -> list[str]:
        """Return the first errors in `result`. Raises TooMuchWork, or any exception that the schema causes."""
        with limited_work():
            return _faults(self._validator, result)


def _described(fault: ValidationError | SchemaError) -> str:
    return f"{fault.json_path}: {fault.message}"[:FAULT_LENGTH]


def _canonical(schema: Mapping[str, Any]) -> str:
    if not isinstance(schema, Mapping):
        raise InvalidRequest(f"schema must be a JSON object ({type(schema).__name__})")
    try:
        canonical = json.dumps(schema, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as fault:
        raise InvalidRequest(f"schema must be a JSON object ({type(fault).__name__})") from fault
    if len(canonical) > SCHEMA_LENGTH:
        raise InvalidRequest(f"schema may have at most {SCHEMA_LENGTH:,} characters as JSON, not {len(canonical):,}")
    return canonical


@lru_cache(maxsize=64)
def _validator(canonical_schema: str) -> Any:
    """Return a validator that fetches nothing. It is cached, since checking a schema takes milliseconds."""
    schema, _ = parse_json_response(canonical_schema)
    if not isinstance(schema, dict) or schema.get("$schema") == PREPARED_DIALECT:
        raise InvalidRequest("schema is nested too deeply, or has values that are not JSON")
    try:
        with limited_work():
            return _checked(schema)
    except SchemaError as fault:
        raise InvalidRequest(f"schema is not a JSON Schema: {_described(fault)}") from fault
    except Unresolvable as fault:
        raise InvalidRequest(f"schema has a reference that cannot be resolved: {fault.ref!r}") from fault
    except (UnboundedSchema, ValueError) as fault:
        raise InvalidRequest(f"schema {fault}") from fault
    except TooMuchWork as fault:
        raise InvalidRequest(f"schema is too complex to check: {fault}") from fault
    except Exception as fault:
        raise InvalidRequest(f"schema cannot be applied ({type(fault).__name__})") from fault


def _checked(schema: dict[str, Any]) -> Any:
    library_class = validator_for(schema, default=Draft202012Validator)
    meta_schema = _bounded_class(validator_for(library_class.META_SCHEMA))(library_class.META_SCHEMA)
    for fault in meta_schema.iter_errors(schema):
        raise SchemaError.create_from(fault)
    dialect = specification_with(library_class.META_SCHEMA.get("$schema", ""), default=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("", dialect.create_resource(schema)).crawl()
    validator = _bounded_class(library_class)(schema, registry=registry)
    check_references(schema, validator._resolver, dialect)
    for sample in SAMPLES:
        _faults(validator, sample)
    return validator


def _faults(validator: Any, result: Any) -> list[str]:
    return [_described(fault) for fault in islice(validator.iter_errors(result), NAMED_FAULTS)]
