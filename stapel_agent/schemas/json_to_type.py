"""Read JSON values as instances of annotated types."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Literal, get_args, get_origin, is_typeddict
from uuid import UUID

from .type_to_schema import ARRAYS, MAPS, UNIONS, fields_of, is_object, unwrapped

TEXTS: dict[Any, Callable[[str], Any]] = {
    str: str,
    Decimal: Decimal,
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    time: time.fromisoformat,
    UUID: UUID,
}
"""Types that are strings in JSON, and their parsers."""

CONTAINERS: dict[Any, Callable[[list[Any]], Any]] = {
    list: list,
    Sequence: list,
    tuple: tuple,
    set: set,
    Set: frozenset,
    frozenset: frozenset,
}


def read_as(hint: Any, value: Any) -> Any:
    """Return `value` as an instance of `hint`. Raises ValueError, naming the part that does not fit."""
    hint = unwrapped(hint)
    origin, arguments = get_origin(hint) or hint, get_args(hint)
    if is_object(hint):
        return _object(hint, value)
    if origin in UNIONS:
        return _first_that_fits(arguments, value)
    if origin in ARRAYS:
        return _array(origin, arguments, value)
    if origin in MAPS:
        _require(isinstance(value, Mapping), "an object", value)
        return {key: read_as(arguments[1], item) if arguments else item for key, item in value.items()}
    return _scalar(hint, value)


def _object(kind: Any, value: Any) -> Any:
    _require(isinstance(value, Mapping), "an object", value)
    fields = {field.name: field for field in fields_of(kind)}
    _require(value.keys() <= fields.keys(), f"an object with only the keys {', '.join(fields)}", value)
    missing = [name for name, field in fields.items() if field.is_required and name not in value]
    _require(not missing, f"an object with {', '.join(missing)}", value)
    read = {name: read_as(fields[name].hint, item) for name, item in value.items()}
    return read if is_typeddict(kind) else kind(**read)


def _first_that_fits(choices: tuple[Any, ...], value: Any) -> Any:
    faults = []
    for choice in choices:
        try:
            return read_as(choice, value)
        except (TypeError, ValueError) as fault:
            faults.append(str(fault))
    raise ValueError(" or ".join(faults))


def _array(origin: Any, arguments: tuple[Any, ...], value: Any) -> Any:
    _require(isinstance(value, list), "an array", value)
    if origin is tuple and arguments and arguments[-1] is not ...:
        _require(len(value) == len(arguments), f"{len(arguments)} items", value)
        return tuple(map(read_as, arguments, value))
    return CONTAINERS[origin]([read_as(arguments[0], item) if arguments else item for item in value])


def _scalar(hint: Any, value: Any) -> Any:
    if get_origin(hint) is Literal:
        choices = get_args(hint)
        _require(any(choice == value and type(choice) is type(value) for choice in choices), f"one of {choices}", value)
        return value
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if hint in TEXTS:
        _require(isinstance(value, str), "a text", value)
        return _of_text(hint, value)
    return value if hint in (Any, object) else _of_number(hint, value)


def _of_text(hint: Any, text: str) -> Any:
    try:
        return TEXTS[hint](text)
    except (ValueError, InvalidOperation):
        raise ValueError(f"{text[:40]!r} is not a valid {hint.__name__}") from None


def _of_number(hint: Any, value: Any) -> Any:
    if hint in (None, type(None)):
        _require(value is None, "null", value)
        return None
    if hint is bool:
        _require(isinstance(value, bool), "true or false", value)
        return value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    _require(is_number and (hint is float or value == int(value)), f"{hint.__name__}", value)
    return hint(value)


def _require(fits: bool, expected: str, value: Any) -> None:
    if not fits:
        raise ValueError(f"{str(value)[:40]!r} is not {expected}")
