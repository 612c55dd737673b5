"""Payloads that are recognized as valid without jsonschema: each of them satisfies its schema."""

from __future__ import annotations

import enum
from itertools import chain

import pytest
from jsonschema import Draft202012Validator

from stapel_agent.schemas import function_schema
from stapel_agent.schemas.ordinary_payloads import OrdinaryPayloads

VALUES = (
    *(None, True, False, -1, 0, 1, 10**30, 1.0, 1.5, float("nan")),
    *("", "x", "small", "x" * 64, "x" * 65, "x" * 256, "\ud800" * 64),
    *([], ["x"], (), {}, {"type": "object"}, [{"url": "https://example.com/a.png"}], b"x"),
)
COMPLETE = {"prompt": "say", "model": "small"}
TRANSLATE = {"from_lang": "en", "to": "de", "entries": {"key": "text"}}
PAYLOADS = {"llm.complete": COMPLETE, "llm.translate": TRANSLATE}


def satisfies(payload: object, schema: dict) -> bool:
    plain = {**schema, "$schema": Draft202012Validator.META_SCHEMA["$id"]}
    return Draft202012Validator(plain).is_valid(payload)


@pytest.mark.parametrize("name", PAYLOADS)
def test_payload__recognized_only_if_valid(name):
    """Whatever the value of any field is, a payload that is recognized satisfies its schema."""
    schema, payload = function_schema(name), PAYLOADS[name]
    ordinary = OrdinaryPayloads(schema)
    variants = [{**payload, field: value} for field in (*schema["properties"], "unknown") for value in VALUES]
    variants += [{key: value for key, value in payload.items() if key != absent} for absent in payload]
    for variant in chain(variants, VALUES):
        assert not ordinary.include(variant) or satisfies(variant, schema), variant


def test_payload__of_most_services():
    """Strings, whole numbers and objects within their limits are recognized, and so is null for an optional field."""
    ordinary = OrdinaryPayloads(function_schema("llm.complete"))
    whole = {**COMPLETE, "system_prompt": "", "schema": {"a": 1}, "max_tokens": 5, "user_id": "u", "workspace_id": None}
    assert ordinary.include(COMPLETE) and ordinary.include(whole)


class Prompt(enum.StrEnum):
    SAY = "say"


@pytest.mark.parametrize("payload", [{**COMPLETE, "prompt": Prompt.SAY}, {**COMPLETE, "effort": "low"}, Prompt.SAY])
def test_payload__left_to_jsonschema(payload):
    """Subclasses, and fields with other keywords, are left to jsonschema."""
    assert not OrdinaryPayloads(function_schema("llm.complete")).include(payload)


@pytest.mark.parametrize(
    "keyword", [{"minProperties": 5}, {"additionalProperties": True}, {"type": "array"}, {"not": {}}]
)
def test_schema__with_other_keywords(keyword):
    """No payload of a schema with an unknown keyword is recognized."""
    assert not OrdinaryPayloads({**function_schema("llm.complete"), **keyword}).include(COMPLETE)
