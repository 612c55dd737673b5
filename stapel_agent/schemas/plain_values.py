"""Callers' values as plain Python values: a str subclass or another class of a host runs no code later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from decimal import Decimal
from typing import Any

MAX_DEPTH = 200
MAX_PARTS = 1_000_000
"""The most keys, items and values in one argument: a sequence may be infinite."""
TEXTS = frozenset({"prompt", "model", "model_size", "system_prompt", "provider", "caller", "format"})
"""Arguments that must be strings. The others have rules of their own."""
CONVERTED = ("source", "user_id", "workspace_id", "from_lang", "to")
"""Arguments that are converted to strings, such as a UUID."""
SHOWN_LENGTH = 40
MOST_SHOWN = 10**15


COLLECTIONS = (bytes, bytearray, memoryview, Mapping, Sequence, Set, Iterator)


class TooManyParts(Exception):
    """Raised for an argument with more than MAX_PARTS."""


class Unreadable:
    """Stands in for an argument that cannot be used. `problem` completes "rejected: ..."."""

    def __init__(self, problem: str) -> None:
        self.problem = problem

    def __repr__(self) -> str:
        return "unreadable"


def readable(name: str, value: Any) -> Any:
    """Return a plain copy of the argument `name`, or an Unreadable. Never raises.

    Objects of other types than those of JSON, such as an image or a date, stay as they are.
    """
    if value is None or type(value) is str:
        return value
    try:
        return _Copy().of(value)
    except TooManyParts:
        return Unreadable(f"{name} has more than {MAX_PARTS:,} parts")
    except RecursionError:  # the ledger drops metadata that is nested too deeply
        return {} if name == "metadata" else Unreadable(f"{name} is nested too deeply")
    except Exception as fault:
        return Unreadable(f"{name} cannot be read: its {type(value).__name__} raised {type(fault).__name__}")


def shown(value: object) -> str:
    """Describe an invalid value for a message: the start of a text, a number, or the type of anything else."""
    if isinstance(value, str):
        return repr(value[:SHOWN_LENGTH])
    is_short = type(value) is int and abs(value) <= MOST_SHOWN
    if value is None or is_short or type(value) in (bool, float, Decimal):
        return str(value)[:SHOWN_LENGTH]
    return f"a value of the type {type(value).__name__}"


def readable_argument(name: str, value: Any) -> Any:
    """`readable()` for an argument of the facade: converts identities to strings, and a flag to a bool."""
    if value is None or type(value) is str:
        return value
    if _is_no_text(name, value):
        return Unreadable(f"{name} must be a string, not {type(value).__name__}")
    plain = readable(name, value)
    if plain is None or isinstance(plain, str | Unreadable):
        return plain
    try:
        return _CONVERTED[name](plain) if name in _CONVERTED else plain
    except Exception as fault:
        return Unreadable(f"{name} cannot be read: its {type(value).__name__} raised {type(fault).__name__}")


def _is_no_text(name: str, value: Any) -> bool:
    """Whether a text is required, and `value` is something else. Decided by its type, as it may be infinite."""
    try:
        return (name in TEXTS and not isinstance(value, str | None)) or (
            name in CONVERTED and isinstance(value, COLLECTIONS) and not isinstance(value, str)
        )
    except Exception:  # from a host's class, of which `readable()` says more
        return False


def _text(value: Any) -> str:
    return str.__str__(str(value))


_CONVERTED: dict[str, Callable[[Any], Any]] = {"skip_cache": bool, **dict.fromkeys(CONVERTED, _text)}


class _Copy:
    """A plain copy of one argument, which counts its parts."""

    def __init__(self) -> None:
        self._parts = 0

    def of(self, value: Any, depth: int = 0) -> Any:
        self._count(depth)
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, int):
            return value if type(value) is bool else int.__int__(value)
        if isinstance(value, float):
            return float.__float__(value)
        if isinstance(value, Mapping):
            return {self.of(key, MAX_DEPTH): self.of(part, depth + 1) for key, part in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
            return [self.of(part, depth + 1) for part in value]
        return value

    def _count(self, depth: int) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise TooManyParts
        if depth > MAX_DEPTH:
            raise RecursionError
