"""JSON Schemas of dataclasses and TypedDicts, derived from their annotations."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping, Sequence, Set
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import (
    Annotated,
    Any,
    Literal,
    NewType,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)
from uuid import UUID

SCALARS: dict[Any, dict[str, Any]] = {
    Any: {},
    object: {},
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    None: {"type": "null"},
    type(None): {"type": "null"},
    Decimal: {"type": "string", "description": "A decimal number, such as 12.50."},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    time: {"type": "string", "format": "time"},
    UUID: {"type": "string", "format": "uuid"},
}
ARRAYS = (list, tuple, set, frozenset, Sequence, Set)
MAPS = (dict, Mapping)
UNIONS = (Union, types.UnionType)
WRAPPERS = (Annotated, Required, NotRequired)


@dataclasses.dataclass(frozen=True)
class TypeField:
    """A field of a dataclass, or a key of a TypedDict."""

    name: str
    hint: Any
    is_required: bool
    description: str = ""


def schema_of(kind: Any) -> dict[str, Any]:
    """Return the JSON Schema of a dataclass or a TypedDict. Raises TypeError if an annotation has no JSON Schema."""
    definitions: dict[Any, dict[str, Any]] = {}
    _define(kind, definitions)
    root, *others = definitions
    named = {other.__name__: definitions[other] for other in others}
    if len(named) < len(others):
        raise TypeError(f"two of the types in {root.__name__} have the same name: rename one of them")
    if f"'$ref': '#/$defs/{root.__name__}'" in str(definitions):
        named[root.__name__] = definitions[root]
    return {**definitions[root], **({"$defs": named} if named else {})}


def fields_of(kind: Any) -> list[TypeField]:
    """Return the fields of a dataclass or a TypedDict, in order, with resolved annotations."""
    try:
        hints = get_type_hints(kind, include_extras=True)
    except Exception as fault:
        raise TypeError(f"the annotations of {kind.__name__} cannot be resolved: {fault}") from fault
    if is_typeddict(kind):
        return [TypeField(name, hint, _is_required_key(kind, name, hint)) for name, hint in hints.items()]
    return [
        TypeField(field.name, hints[field.name], _has_no_default(field), str(field.metadata.get("description", "")))
        for field in dataclasses.fields(kind)
        if field.init
    ]


def is_object(hint: Any) -> bool:
    """Whether `hint` is a dataclass or a TypedDict."""
    return is_typeddict(hint) or (isinstance(hint, type) and dataclasses.is_dataclass(hint))


def unwrapped(hint: Any) -> Any:
    """Return `hint` without Annotated, Required, NotRequired and NewType."""
    while True:
        if get_origin(hint) in WRAPPERS:
            hint = get_args(hint)[0]
        elif isinstance(hint, NewType):
            hint = hint.__supertype__
        else:
            return hint


def _is_required_key(kind: Any, name: str, hint: Any) -> bool:
    # `__required_keys__` ignores string annotations, and `from __future__` turns all annotations into strings.
    marked = get_origin(hint)
    return name in kind.__required_keys__ if marked not in (Required, NotRequired) else marked is Required


def _has_no_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _define(kind: Any, definitions: dict[Any, dict[str, Any]]) -> None:
    if kind in definitions:
        return
    definitions[kind] = {}  # a type may contain itself
    fields = fields_of(kind)
    properties = {field.name: _described(_schema(field.hint, definitions), field.description) for field in fields}
    definitions[kind] = {
        "type": "object",
        "properties": properties,
        "required": [field.name for field in fields if field.is_required],
        "additionalProperties": False,
    }


def _described(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {**schema, "description": description} if description else schema


def _schema(hint: Any, definitions: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    hint = unwrapped(hint)
    origin, arguments = get_origin(hint) or hint, get_args(hint)
    if is_object(hint):
        _define(hint, definitions)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    if origin in UNIONS:
        return {"anyOf": [_schema(argument, definitions) for argument in arguments]}
    if origin in ARRAYS:
        return _array(origin, arguments, definitions)
    if origin in MAPS:
        values = {"additionalProperties": _schema(arguments[1], definitions)} if arguments else {}
        return {"type": "object", **values}
    return _scalar(hint)


def _scalar(hint: Any) -> dict[str, Any]:
    if get_origin(hint) is Literal:
        return {"enum": list(get_args(hint))}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [member.value for member in hint]}
    if hint in SCALARS:
        return dict(SCALARS[hint])
    raise TypeError(f"{hint!r} has no JSON Schema: use str, int, list, dict, Literal, Enum, a dataclass or a TypedDict")


def _array(origin: Any, arguments: tuple[Any, ...], definitions: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    if origin is tuple and arguments and arguments[-1] is not ...:
        items = [_schema(argument, definitions) for argument in arguments]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    return {"type": "array", **({"items": _schema(arguments[0], definitions)} if arguments else {})}
