"""A JSON Schema adapted to the Claude Code CLI."""

import json
from typing import Any

import pytest

from stapel_agent.exceptions import RequestRejected
from stapel_agent.providers.claude_schema import schema_argument

SCHEMAS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "what it knows stays": (
        {"type": "object", "properties": {"$schema": {"enum": ["format", {"format": 1}]}}, "$defs": {"not": {}}},
        {"type": "object", "properties": {"$schema": {"enum": ["format", {"format": 1}]}}, "$defs": {"not": {}}},
    ),
    "the dialect is dropped": (
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "required": ["city"]},
        {"type": "object", "required": ["city"]},
    ),
    "what it does not know is told": (
        {"type": "object", "properties": {"day": {"type": "string", "format": "date", "description": "When."}}},
        {
            "type": "object",
            "properties": {"day": {"type": "string", "description": 'When. JSON Schema: {"format": "date"}'}},
        },
    ),
    "also deep down": (
        {"type": "object", "anyOf": [{"items": {"additionalProperties": {"nullable": True}}}]},
        {
            "type": "object",
            "anyOf": [{"items": {"additionalProperties": {"description": 'JSON Schema: {"nullable": true}'}}}],
        },
    ),
    "items after a prefix are told with it": (
        {"type": "object", "properties": {"a": {"prefixItems": [{"type": "string"}], "items": False}}},
        {
            "type": "object",
            "properties": {
                "a": {"description": 'JSON Schema: {"prefixItems": [{"type": "string"}], "items": false}'},
            },
        },
    ),
}


@pytest.mark.parametrize(("schema", "argument"), SCHEMAS.values(), ids=SCHEMAS)
def test_schema_argument__wording(schema: dict[str, Any], argument: dict[str, Any]) -> None:
    """The CLI gets a schema that its validator supports."""
    assert json.loads(schema_argument(schema)) == argument


UNFIT_SCHEMAS: dict[str, tuple[dict[str, Any], str]] = {
    "an array at the root": ({"type": "array"}, 'needs a schema with "type": "object" at its root'),
    "no type at the root": ({"anyOf": [{"type": "object"}]}, 'needs a schema with "type": "object" at its root'),
    "no JSON": ({"type": "object", "default": {1, 2}}, r"cannot be written as JSON \(TypeError\)"),
}


@pytest.mark.parametrize(("schema", "words"), UNFIT_SCHEMAS.values(), ids=UNFIT_SCHEMAS)
def test_schema_argument__unfit(schema: dict[str, Any], words: str) -> None:
    """A schema that cannot be passed to the CLI is rejected with the reason."""
    with pytest.raises(RequestRejected, match=words):
        schema_argument(schema)
