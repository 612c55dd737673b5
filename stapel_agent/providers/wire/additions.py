"""Request fields that this package adds on its own: which models refuse them, and how a refusal is told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from stapel_agent.exceptions import ParameterRefused

REFUSING = (400, 422)
EXAMINED_LENGTH = 64 * 1024
MOST_REFUSALS = 10_000
EFFORT_SETTING = "STAPEL_AGENT['MODELS'][{size!r}]['effort'] and STAPEL_AGENT['EFFORT'][{source!r}]"
EFFORT_WORDS = ("reasoning", "thinking", "effort")
ANY = "any"

_refused: set[tuple[str, ...]] = set()


@dataclass(frozen=True)
class Additions:
    """What was added to one request: `fields`, for `purpose`, whose value was chosen by `choice`.

    `words` are further words by which a vendor may name them, and `setting` is where a host changes them.
    """

    endpoint: str = ""
    model: str = ""
    purpose: str = ""
    choice: str = ANY
    fields: Mapping[str, Any] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    setting: str = ""

    @classmethod
    def for_effort(cls, endpoint: str, model: str, effort: str | None, fields: Mapping[str, Any]) -> Additions:
        """The `fields` that tell `effort`, as far as the model has not refused them."""
        if not effort or not fields or cls.is_refused(endpoint, model, "effort", effort):
            return cls()
        return cls(endpoint, model, "effort", effort, fields, EFFORT_WORDS, EFFORT_SETTING)

    @staticmethod
    def is_refused(endpoint: str, model: str, purpose: str, choice: str = ANY) -> bool:
        """Whether `model` has refused, in this process, what is added for `purpose`."""
        return not _refused.isdisjoint({(endpoint, model, purpose, choice), (endpoint, model, purpose, ANY)})

    def refusal(self, status: int, body: bytes | str, message: str) -> ParameterRefused | None:
        """The fault of an answer that refuses one of the fields, which is remembered; None for any other answer."""
        text = body[:EXAMINED_LENGTH]
        told = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        if not self.fields or status not in REFUSING or not _names(told, (*_keys(self.fields), *self.words)):
            return None
        values = [value for value in _values(self.fields) if isinstance(value, str)]
        choice = self.choice if _names(told, values) else ANY
        fault = ParameterRefused(f"HTTP {status}: {message}")
        fault.memory = (self.endpoint, self.model, self.purpose, choice)
        if len(_refused) < MOST_REFUSALS:
            _refused.add(fault.memory)
        fault.parameter, fault.setting = ", ".join(sorted(self.fields)), self.setting
        return fault


def withdraw_refusal(fault: ParameterRefused) -> None:
    """Forget what `fault` made this process remember: without the field, the call was rejected all the same."""
    _refused.discard(fault.memory)


def forget_refusals() -> None:
    """Add everything again. For tests."""
    _refused.clear()


def _names(text: str, words: tuple[str, ...] | list[str]) -> bool:
    return any(re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", text, re.IGNORECASE) for word in words)


def _keys(fields: Mapping[str, Any]) -> Iterator[str]:
    for name, value in fields.items():
        yield name
        if isinstance(value, Mapping):
            yield from (key for key in _keys(value) if key != "type")


def _values(fields: Mapping[str, Any]) -> Iterator[Any]:
    for value in fields.values():
        yield from _values(value) if isinstance(value, Mapping) else [value]
