"""Adapts a JSON Schema to the Claude Code CLI.

The CLI's validator is strict, supports draft 7 and no formats. If a schema has any other keyword, the CLI silently
ignores the whole schema.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stapel_agent.exceptions import RequestRejected

NAMED_SUBSCHEMAS = frozenset({"$defs", "definitions", "patternProperties", "properties"})
SUBSCHEMAS = frozenset({"additionalProperties", "allOf", "anyOf", "contains", "items", "oneOf", "propertyNames"})
LITERALS = frozenset(
    {
        *("$ref", "const", "default", "description", "enum", "examples", "required", "title", "type", "uniqueItems"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"),
        *("minItems", "maxItems", "minProperties", "maxProperties", "pattern"),
    }
)
KNOWN = NAMED_SUBSCHEMAS | SUBSCHEMAS | LITERALS


def schema_argument(schema: Mapping[str, Any]) -> str:
    """Return the value of `--json-schema`. It is never stricter than `schema`. Omitted keywords go to descriptions."""
    if schema.get("type") != "object":
        raise RequestRejected('the Claude Code CLI needs a schema with "type": "object" at its root')
    try:
        return json.dumps(_understood(schema), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as fault:
        raise RequestRejected(f"the schema cannot be written as JSON ({type(fault).__name__})") from None


def _understood(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_understood(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    # Draft 7 has no "prefixItems", so "items" would apply to more elements than it should.
    known = KNOWN - {"items"} if "prefixItems" in schema else KNOWN
    kept = {name: _value(name, value) for name, value in schema.items() if name in known}
    left_out = {name: value for name, value in schema.items() if name not in {*known, "$schema"}}
    if left_out:
        kept["description"] = f"{schema.get('description', '')} JSON Schema: {json.dumps(left_out)}".strip()
    return kept


def _value(name: str, value: Any) -> Any:
    if name in NAMED_SUBSCHEMAS and isinstance(value, Mapping):
        return {key: _understood(part) for key, part in value.items()}
    return _understood(value) if name in SUBSCHEMAS else value
