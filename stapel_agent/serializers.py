"""HTTP requests and answers. Requests are validated by the JSON Schema of their comm function, so that both agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.fields import empty
from rest_framework.settings import api_settings
from stapel_core.django.api.errors import ERR_400_VALIDATION_ERROR, StapelValidationError

from .budgets import PERIODS, SCOPES
from .conf import agent_settings
from .schemas import function_schema, function_validator

FIELD_LENGTH = 100
MESSAGE_LENGTH = 300

# JSON Schema keyword -> code of REST framework's field error, for which stapel-core has texts.
ERROR_CODES = {
    "required": "required",
    "minLength": "blank",
    "maxLength": "max_length",
    "minimum": "min_value",
    "maximum": "max_value",
}
LIMITS = frozenset({"max_length", "min_value", "max_value"})
"""Codes whose text names the limit."""

UNDESCRIBED = frozenset({"$schema", "title", "propertyNames"})
"""Keywords of JSON Schema that OpenAPI 3.0 does not have."""


class FunctionRequestSerializer(serializers.BaseSerializer[dict[str, Any]]):
    """The payload of a comm function over HTTP."""

    function_name: ClassVar[str]
    field_names: ClassVar[Mapping[str, str]] = {}
    """The HTTP name of a field whose name differs from that of the payload."""

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The request body, for OpenAPI."""
        schema = function_schema(cls.function_name)
        described: dict[str, Any] = _described(schema)
        model = {**schema["properties"]["model"], "enum": list(agent_settings.MODELS)}
        return {**described, "properties": {**described["properties"], "model": model}}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        fault = next(function_validator(self.function_name).iter_errors(data), None)
        if fault is not None:
            raise _refusal(fault, self.field_names)
        return {name: value for name, value in data.items() if value is not None}

    def run_validation(self, data: Any = empty) -> Any:
        try:
            return super().run_validation(data)
        except serializers.ValidationError as fault:
            self._fault = fault
            raise

    def is_valid(self, *, raise_exception: bool = False) -> bool:
        # REST framework raises a copy without the error key, whose text would be in the wrong language.
        valid = super().is_valid()
        if raise_exception and not valid:
            raise self._fault
        return valid


class CompleteRequestSerializer(FunctionRequestSerializer):
    function_name = "llm.complete"


class TranslateRequestSerializer(FunctionRequestSerializer):
    """`from` is the name over HTTP; `from_lang`, the name over comm, is accepted too."""

    function_name = "llm.translate"
    field_names = {"from_lang": "from"}

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        schema = super().json_schema()
        properties = {"from": schema["properties"]["from_lang"], **schema["properties"]}
        either = [{"required": ["from"]}, {"required": ["from_lang"]}]
        return {**schema, "properties": properties, "required": ["to", "entries"], "oneOf": either}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, Mapping) and "from" in data:
            if data.get("from_lang") is not None and data["from"] is not None:
                raise field_refusal("from", "from and from_lang are two names of one field: send one of them")
            names = {key: "from_lang" if key == "from" else key for key in data}
            # If both names are given, the one that is not null counts.
            data = {names[key]: data[key] for key in sorted(data, key=lambda key: data[key] is not None)}
        return super().to_internal_value(data)


class UsageSerializer(serializers.Serializer[dict[str, Any]]):
    """Tokens of all provider calls of this request; zero if an earlier answer was reused."""

    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    thinking_tokens = serializers.IntegerField(required=False, help_text="The part of the output spent on thinking.")
    cost_usd = serializers.CharField(required=False, help_text="US dollars, exact. Absent if a cost is unknown.")


class BudgetSerializer(serializers.Serializer[dict[str, Any]]):
    """The budget that a call would have exceeded, and what is left of it."""

    scope = serializers.ChoiceField(choices=list(SCOPES))
    id = serializers.CharField(required=False)
    left_usd = serializers.CharField(required=False, help_text="US dollars, as a decimal number.")
    left_tokens = serializers.IntegerField(required=False)
    period = serializers.ChoiceField(choices=list(PERIODS))
    resets_at = serializers.DateTimeField()


JSON_ANSWER = [
    {"type": "object", "additionalProperties": {}},
    {"type": "array", "items": {}},
    *({"type": scalar} for scalar in ("string", "number", "boolean")),
]


@extend_schema_field({"oneOf": JSON_ANSWER})
class JsonAnswerField(serializers.JSONField):
    """An object or an array, or the scalar that is the whole answer."""


class AnswerSerializer(serializers.Serializer[dict[str, Any]]):
    """The HTTP 200 answer of both endpoints. Keys without a value are absent."""

    status = serializers.ChoiceField(choices=["ok", "failure"])
    failure = serializers.CharField(required=False, help_text="The failure's name, as documented.")
    reason = serializers.CharField(required=False, help_text="Why there is no result.")
    comment = serializers.CharField(required=False, help_text="The prose around the result, or an unusable answer.")
    usage = UsageSerializer(required=False)
    budget = BudgetSerializer(required=False)
    model = serializers.CharField(required=False, help_text="The model that answered.")
    provider = serializers.CharField(required=False, help_text="The provider that answered.")
    request_id = serializers.UUIDField(required=False, help_text="The id of the calls in the ledger, if there are any.")

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        return instance


class CompleteAnswerSerializer(AnswerSerializer):
    result = JsonAnswerField(required=False)


class TranslateAnswerSerializer(AnswerSerializer):
    result = serializers.DictField(child=serializers.CharField(allow_blank=True), required=False)
    failed = serializers.DictField(
        child=serializers.CharField(), required=False, help_text="Why there is no translation, by key."
    )
    warnings = serializers.DictField(
        child=serializers.CharField(), required=False, help_text="What is missing from translations, by key."
    )
    unchanged = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="The keys of texts that came back untranslated."
    )


class UsageFiguresSerializer(serializers.Serializer[dict[str, Any]]):
    """Calls, spend and savings. Costs are exact amounts in US dollars, as strings."""

    calls = serializers.IntegerField()
    errors = serializers.IntegerField(help_text="Calls that ended without success.")  # type: ignore[assignment]
    cache_hits = serializers.IntegerField()
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    thinking_tokens = serializers.IntegerField(help_text="A part of the output tokens.")
    cache_read_tokens = serializers.IntegerField()
    cache_write_tokens = serializers.IntegerField()
    cost_usd = serializers.CharField()
    estimated_cost_usd = serializers.CharField(
        help_text="The most that calls whose outcome is unknown may have cost beyond cost_usd."
    )
    unpriced_calls = serializers.IntegerField(help_text="Calls whose cost is unknown and not in the sum.")
    saved_tokens = serializers.IntegerField(help_text="What cache hits saved, as far as it is known.")
    saved_cost_usd = serializers.CharField()


class UsageRowSerializer(UsageFiguresSerializer):
    """The figures of a group, with its names."""

    day = serializers.CharField(required=False)
    month = serializers.CharField(required=False)
    source = serializers.CharField(required=False)  # type: ignore[assignment]
    provider = serializers.CharField(required=False, allow_null=True)
    model = serializers.CharField(required=False)
    user_id = serializers.CharField(required=False, allow_null=True)
    workspace_id = serializers.CharField(required=False, allow_null=True)
    status = serializers.CharField(required=False)


class StandingSerializer(BudgetSerializer):
    """The state of a budget in the current day or month. Without a limit, `limit` and `left` are absent."""

    starts_on = serializers.DateField()
    limit_usd = serializers.CharField(required=False)
    spent_usd = serializers.CharField()
    reserved_usd = serializers.CharField(help_text="Set aside for calls under way.")
    limit_tokens = serializers.IntegerField(required=False)
    spent_tokens = serializers.IntegerField()
    reserved_tokens = serializers.IntegerField(help_text="Set aside for calls under way.")


class UsageAnswerSerializer(serializers.Serializer[dict[str, Any]]):
    """A page of rows, the totals of all pages, and the cursor of the next page."""

    rows = UsageRowSerializer(many=True)
    totals = UsageFiguresSerializer()
    budgets = StandingSerializer(many=True, required=False, help_text="The budgets of the spenders in the filters.")
    next_cursor = serializers.CharField(allow_null=True)


class FunctionRequestExtension(OpenApiSerializerExtension):
    """Describes a function's request in OpenAPI by its JSON Schema."""

    target_class = FunctionRequestSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        described: dict[str, Any] = self.target.json_schema()
        return described


def field_refusal(
    field: str, message: str, code: str = "invalid", limit: Mapping[str, Any] | None = None
) -> StapelValidationError:
    """The error of one field, in REST framework's own form."""
    detail = {field: [ErrorDetail(message, code)]}
    refusal = StapelValidationError(f"error.400.field.{code}", {"field": field, **(limit or {}), "detail": detail})
    refusal.detail = detail
    return refusal


def _described(schema: Any) -> Any:
    if isinstance(schema, dict):
        described = {word: _described(value) for word, value in schema.items() if word not in UNDESCRIBED}
        return _nullable(described)
    return [_described(value) for value in schema] if isinstance(schema, list) else schema


def _nullable(described: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI 3.0 has the keyword `nullable` instead of a type `null`."""
    kinds, choices = described.get("type"), described.get("oneOf", [])
    if kinds == "null":
        return {"nullable": True, "enum": [None]}
    if isinstance(kinds, list) and "null" in kinds:
        return {**described, "type": next(kind for kind in kinds if kind != "null"), "nullable": True}
    others = [choice for choice in choices if choice != {"nullable": True, "enum": [None]}]
    return {**described, "oneOf": others, "nullable": True} if len(others) < len(choices) else described


def _refusal(fault: Any, field_names: Mapping[str, str]) -> StapelValidationError:
    """A jsonschema ValidationError as stapel-core's error."""
    field, code = _field(fault), _code(fault)
    named = field_names.get(field, field)
    if named:
        limit = {code: fault.validator_value} if code in LIMITS else None
        return field_refusal(named, _message(fault, field, named), code, limit)
    detail = {api_settings.NON_FIELD_ERRORS_KEY: [ErrorDetail(fault.message[:MESSAGE_LENGTH], code)]}
    refusal = StapelValidationError(ERR_400_VALIDATION_ERROR, {"detail": detail})
    refusal.detail = detail
    return refusal


def _message(fault: Any, field: str, named: str) -> str:
    """The error in words, with the field's HTTP name."""
    message: str = fault.message
    if fault.validator == "required":
        message = message.replace(repr(field), repr(named), 1)
    return message[:MESSAGE_LENGTH]


def _field(fault: Any) -> str:
    """The dotted name of the field at fault; empty for the body itself."""
    path = [str(step) for step in fault.absolute_path]
    if fault.validator == "required":
        path.append(next(name for name in fault.validator_value if name not in fault.instance))
    if fault.validator == "additionalProperties":
        path.append(next(name for name in fault.instance if name not in fault.schema["properties"]))
    return ".".join(path)[:FIELD_LENGTH]


def _code(fault: Any) -> str:
    absent = "null" if fault.instance is None else "invalid"
    if "propertyNames" in fault.absolute_schema_path:  # the error is in a name, not in the field's value
        return absent
    return ERROR_CODES.get(str(fault.validator), absent)
