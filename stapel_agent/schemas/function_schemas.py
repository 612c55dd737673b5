"""The JSON Schemas of the comm functions, one file each, for the comm registry, HTTP and the docs."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError, validators
from jsonschema.protocols import Validator

from stapel_agent.language_tags import tag_error

from .keyword_arguments import suggestion
from .ordinary_payloads import OrdinaryPayloads

# Not `schemas/functions`, from which stapel-core would load the plain files over the schemas that are registered here.
FOLDER = Path(__file__).parent / "comm_functions"
MESSAGE_LENGTH = 250
TEXT_LENGTH, ITEMS, MORE = 50, 20, "..."
PREPARED_DIALECT = "urn:stapel-agent:json-schema-2020-12-checked-once"
UNREAD = "<unreadable>"
LANGUAGE_FORMAT = "language-tag"
ANY_TEXT = {"type": "string"}

_checked: dict[int, tuple[Any, OrdinaryPayloads]] = {}
"""The schemas that have been checked, by their identity."""


@cache
def function_schema(name: str) -> dict[str, Any]:
    """Return the payload schema of comm function `name`, in the prepared dialect. Optional fields may be null."""
    schema = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return {**_with_nulls(schema), "$schema": PREPARED_DIALECT}


@cache
def function_validator(name: str) -> Validator:
    """Return a validator for the payloads of comm function `name`."""
    schema = function_schema(name)
    _validator_class.check_schema(schema)
    return _validator_class(schema)


def field_problem(name: str, field: str, value: Any) -> str | None:
    """Return what `field` of these payloads must be if `value` is invalid, else None."""
    schema = function_schema(name)["properties"][field]
    rule: str = schema["description"]
    try:
        is_valid = function_validator(name).evolve(schema=schema).is_valid(value)
    except Exception:  # from an object of a host's class
        is_valid = False
    return None if is_valid else rule


def _with_nulls(schema: Any) -> Any:
    """Return `schema` with optional fields that may also be null."""
    if isinstance(schema, list):
        return [_with_nulls(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    whole = {word: _with_nulls(part) for word, part in schema.items()}
    if isinstance(schema.get("properties"), dict):
        required = schema.get("required", [])
        fields = whole["properties"].items()
        whole["properties"] = {name: field if name in required else _or_null(field) for name, field in fields}
    return whole


def _or_null(field: dict[str, Any]) -> dict[str, Any]:
    if "oneOf" in field:
        return {**field, "oneOf": [*field["oneOf"], {"type": "null"}]}
    choices = {"enum": [*field["enum"], None]} if "enum" in field else {}
    return {**field, **choices, "type": field["type"] if field["type"] == "null" else [field["type"], "null"]}


def _checked_once() -> type[Validator]:
    """JSON Schema 2020-12 under an id of our own. `jsonschema.validate()` finds it through `$schema`.

    `validate()` checks the schema at every call, which takes a hundred times as long as checking the payload. This
    class remembers the schemas that it has checked.
    """
    standard = Draft202012Validator
    validator_class = validators.create(
        meta_schema={**standard.META_SCHEMA, "$id": PREPARED_DIALECT},
        validators={**standard.VALIDATORS, **KEYWORDS},
        version="stapel-agent",
        type_checker=standard.TYPE_CHECKER,
        format_checker=standard.FORMAT_CHECKER,
    )
    validator_class.check_schema = classmethod(_remembering(standard))  # type: ignore[assignment]
    iter_errors: Any = validator_class.iter_errors

    def iter_brief_errors(self: Validator, *arguments: Any) -> Iterator[ValidationError]:
        if (known := _checked.get(id(self.schema))) and known[1].include(*arguments[:1]):
            return
        try:
            yield from map(_brief, iter_errors(self, *arguments))
        except Exception as fault:  # from an object of a host's class
            yield ValidationError(f"cannot be read: {type(fault).__name__}", instance=UNREAD)

    def is_valid(self: Validator, instance: Any, *arguments: Any) -> bool:
        # Nobody reads these errors: each entry of a map has some, one for each type that it might have had.
        return next(iter_errors(self, instance, *arguments), None) is None

    validator_class.iter_errors = iter_brief_errors  # type: ignore[assignment]
    validator_class.is_valid = is_valid  # type: ignore[assignment]
    return validator_class


def _remembering(standard: type[Validator]) -> Callable[..., None]:
    """Return a `check_schema()` that remembers the schemas it has checked."""

    def check_schema(cls: type[Validator], schema: Any, *arguments: Any) -> None:
        if id(schema) not in _checked:
            standard.check_schema({**schema, "$schema": standard.META_SCHEMA["$id"]}, *arguments)
            _checked[id(schema)] = schema, OrdinaryPayloads(schema)

    return check_schema


def _additional_properties(validator: Validator, rule: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """The keyword `additionalProperties`. A map that may hold any text is not validated text by text.

    The message for an unknown name suggests the right one.
    """
    if type(instance) is dict and _allows_any_text(rule):
        instance = {name: value for name, value in instance.items() if type(value) is not str}
    known = schema.get("properties", {})
    for fault in Draft202012Validator.VALIDATORS["additionalProperties"](validator, rule, instance, schema):
        if rule is False:
            fault.message += suggestion(_unknown(instance, schema)[0], known)
        yield fault


def _required(validator: Validator, names: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """The keyword `required`. Its message also has the unknown name that may stand for the missing one."""
    for fault in Draft202012Validator.VALIDATORS["required"](validator, names, instance, schema):
        if schema.get("additionalProperties") is False and (unknown := _unknown(instance, schema)):
            fault.message += f", and {str(unknown[0])!r} was unexpected"
        yield fault


def _unknown(instance: Any, schema: Any) -> list[Any]:
    known = schema.get("properties", {})
    return [name for name in instance if name not in known] if isinstance(instance, dict) else []


def _allows_any_text(rule: Any) -> bool:
    """Whether `rule` allows any text, and otherwise only objects."""
    choices = rule.get("oneOf", ()) if isinstance(rule, dict) and rule.keys() == {"oneOf"} else ()
    return ANY_TEXT in choices and all(choice == ANY_TEXT or choice.get("type") == "object" for choice in choices)


def _max_items(validator: Validator, limit: int, items: Any, schema: Any) -> Iterator[ValidationError]:
    """The keyword `maxItems`. Its message has the count; the standard message quotes all the items."""
    if validator.is_type(items, "array") and len(items) > limit:
        yield ValidationError(f"{len(items):,} items are too many, {limit:,} are allowed")


def _one_of(validator: Validator, choices: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """The keyword `oneOf`. Its message says what is wrong by the nearest choice; the standard message does not."""
    for fault in Draft202012Validator.VALIDATORS["oneOf"](validator, choices, instance, schema):
        kinds = [kind for choice in choices for kind in _kinds(choice)]
        faults = [part for part in fault.context or () if part.relative_path or part.validator != "type"]
        if not any(validator.is_type(instance, kind) for kind in kinds):
            fault.message = f"{instance!r} is not of type {' or '.join(map(repr, dict.fromkeys(kinds)))}"
        elif missing := _missing_choice(choices, instance):
            fault.message = missing
        elif faults:
            fault.message = _nearest(faults, choices)
        yield fault


def _missing_choice(choices: Any, instance: Any) -> str | None:
    """What an object lacks that has the required name of none of its choices."""
    names = [name for choice in choices for name in choice.get("required", ())[:1]]
    if len(names) < 2 or not isinstance(instance, dict) or any(instance.get(name) is not None for name in names):
        return None
    unknown = [f"; {str(name)!r} was unexpected" for name in _unknown(instance, choices[0])]
    return f"{' or '.join(map(repr, names))} is required{''.join(unknown[:1])}"


def _nearest(faults: Collection[ValidationError], choices: Any) -> str:
    """What is wrong by the choice with the fewest faults."""
    by_choice = Counter(part.relative_schema_path[0] for part in faults)
    nearest = min(faults, key=lambda part: by_choice[part.relative_schema_path[0]])
    choice = choices[nearest.relative_schema_path[0]]
    if nearest.validator_value == "null":  # a name of another choice
        return f"{nearest.relative_path[0]!r} must not be given together with {choice['required'][0]!r}"
    return ": ".join([*map(str, nearest.relative_path), nearest.message])


def _kinds(choice: Any) -> list[str]:
    kind = choice.get("type", [])
    return kind if isinstance(kind, list) else [kind]


def _pattern(validator: Validator, pattern: str, text: Any, schema: Any) -> Iterator[ValidationError]:
    """The keyword `pattern`. For a language, the message suggests a tag instead of showing the pattern."""
    if validator.is_type(text, "string") and not re.search(pattern, text):
        is_language = schema.get("format") == LANGUAGE_FORMAT
        yield ValidationError(tag_error(text) if is_language else f"{text!r} does not match {pattern!r}")


KEYWORDS: dict[str, Any] = {
    "additionalProperties": _additional_properties,
    "maxItems": _max_items,
    "oneOf": _one_of,
    "pattern": _pattern,
    "required": _required,
}
"""The keywords that are checked here."""


def _brief(fault: ValidationError) -> ValidationError:
    """Shorten the message of `fault`: jsonschema quotes megabytes of the payload and pages of the schema in it."""
    if len(fault.message) > MESSAGE_LENGTH:
        fault.message = f"{fault.message[: MESSAGE_LENGTH // 2]} ... {fault.message[-MESSAGE_LENGTH // 2 :]}"
    declared = fault.schema.get("properties") if isinstance(fault.schema, dict) else None
    fault.instance = _excerpt(fault.instance, declared or ())
    names = {"properties": dict.fromkeys(declared)} if declared else {}
    fault.schema = {**_excerpt(fault.schema), **names} if isinstance(fault.schema, dict) else fault.schema
    for place, step in enumerate(fault.relative_path):
        fault.relative_path[place] = _cut(step, MESSAGE_LENGTH) if isinstance(step, str) else step
    fault.context = [_brief(part) for part in fault.context or ()]
    return fault


def _excerpt(value: Any, declared: Collection[str] = (), depth: int = 2) -> Any:
    """The beginning of `value`, of the same JSON type; of an object also every `declared` name that it has."""
    if isinstance(value, str):
        return _cut(value, TEXT_LENGTH)
    if not isinstance(value, dict | list):
        return value if value is None or isinstance(value, int | float) else f"<{type(value).__name__}>"
    if not depth:
        return type(value)()
    if isinstance(value, list):
        return [_excerpt(item, depth=depth - 1) for item in value[:ITEMS]]
    others = islice((name for name in value if name not in declared), ITEMS)
    names = [*(name for name in declared if name in value), *others]
    return {_cut(str(name), MESSAGE_LENGTH): _excerpt(value[name], depth=depth - 1) for name in names}


def _cut(text: str, length: int) -> str:
    plain = str.__str__(text)
    return plain if len(plain) <= length + len(MORE) else f"{plain[:length]}{MORE}"


_validator_class = _checked_once()
