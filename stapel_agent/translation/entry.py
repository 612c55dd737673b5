"""One text to translate, with what is known about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stapel_agent.exceptions import InvalidRequest
from stapel_agent.parsing import storable
from stapel_agent.schemas import shown

from .placeholders import FORMATS, GUESS, check_patterns

MAX_CONTEXT_LENGTH = 2000
MAX_TEXT_LENGTH = 10**6
FIELDS = {"text": str, "context": str, "format": str, "max_length": int, "protect": list | tuple}
NAMES = {str: "str", int: "int", list | tuple: "a list"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A text. `context` says what it is for, `format` names its format, and `max_length` limits the characters of
    its translation. 0 means no limit. `protect` lists regular expressions for other text to keep unchanged.
    """

    text: str
    context: str = ""
    format: str = GUESS
    max_length: int = 0
    protect: tuple[str, ...] = ()

    @property
    def known(self) -> dict[str, str | int]:
        """The facts about the text that the model sees."""
        facts: dict[str, str | int] = {"context": self.context, "max_length": self.max_length}
        return {name: fact for name, fact in facts.items() if fact}

    @classmethod
    def read(cls, key: str, value: object) -> Entry:
        """Read `value`, which is a text or a map of this class's fields. Raises InvalidRequest."""
        if isinstance(value, str):
            return cls(storable(value))
        if not isinstance(value, Mapping):
            raise InvalidRequest(
                f"entries must map keys to texts, or to objects with 'text'; {key[:40]!r} is {type(value).__name__}"
            )
        fields = {name: field for name, field in value.items() if field is not None}
        most = fields.get("max_length")
        if isinstance(most, float) and most.is_integer():  # 9.0 is an integer in JSON Schema
            fields["max_length"] = int(most)
        _check(key, fields)
        protect = tuple(fields.pop("protect", ()))
        return cls(protect=protect, **{name: storable(field) for name, field in fields.items()})


def check_format(name: object, field: str = "format") -> None:
    """Raise InvalidRequest if `name` is not a format."""
    if not (isinstance(name, str) and name in FORMATS):
        known = ", ".join(filter(None, FORMATS))
        raise InvalidRequest(f"{field} must be one of {known}, not {str(name)[:40]!r}")


def _check(key: str, fields: Mapping[Any, Any]) -> None:
    named = f"entry {key[:40]!r}"
    if strange := [name for name in fields if name not in FIELDS]:
        raise InvalidRequest(f"{named} has the unknown field {str(strange[0])[:40]!r}: use {', '.join(FIELDS)}")
    if "text" not in fields:
        raise InvalidRequest(f"{named} needs 'text'")
    for name, value in fields.items():
        if not isinstance(value, FIELDS[name]) or isinstance(value, bool):
            raise InvalidRequest(f"{name} of {named} must be {NAMES[FIELDS[name]]}, not {type(value).__name__}")
    if (length := len(fields.get("context", ""))) > MAX_CONTEXT_LENGTH:
        raise InvalidRequest(f"context of {named} may have at most {MAX_CONTEXT_LENGTH:,} characters, not {length:,}")
    if not 0 <= (most := fields.get("max_length", 0)) <= MAX_TEXT_LENGTH:
        raise InvalidRequest(
            f"max_length of {named} must be from 1 to {MAX_TEXT_LENGTH:,}, or 0 for no limit, not {shown(most)}"
        )
    check_format(fields.get("format", GUESS), f"format of {named}")
    check_patterns(fields.get("protect", ()), f"protect of {named}")
