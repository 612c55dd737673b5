"""Request fields that this package adds itself, such as effort, and the models that refuse them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from stapel_agent.exceptions import ParameterRefused, ProviderError, RequestRejected

from .error_subject import subject_of, without_model_names
from .vendor_json import text_of

REFUSING = (400, 422)
EXAMINED_LENGTH = 64 * 1024
MOST_REFUSALS = 10_000
EFFORT_SETTING = "STAPEL_AGENT['MODELS'][{size!r}]['effort'] and STAPEL_AGENT['EFFORT'][{source!r}]"
UNKNOWN = re.compile(
    r"(?:un|not[ _]|n't )(?:support|recogni[sz]ed|known|expected|permitted|allowed)|extra_|deprecated|use\W{1,3}max_",
    re.IGNORECASE,
)
"""Words of an error about a field itself. Without them, an error that names the token cap is about its value."""
MANDATORY = re.compile(
    r"mandatory|(?:can ?not|can't) be (?:disabled|turned off)|only works in thinking|requires adaptive", re.IGNORECASE
)
"""Words of a model that always thinks. It refuses only not to think."""
EFFORT_WORDS = ("reasoning", "thinking", "effort", "chat_template")
ANY = "any"
UNSET = "unset"

_refused: set[tuple[str, ...]] = set()


@dataclass(frozen=True)
class OptionalFields:
    """The `fields` added to one request for `purpose`. `choice` is the value they express, such as an effort.

    `words` are other names that a vendor's error may use for the fields. `verbs` are words of which an error about them
    has one. `setting` is the setting that changes them.
    """

    endpoint: str = ""
    model: str = ""
    purpose: str = ""
    choice: str = ANY
    fields: Mapping[str, Any] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    verbs: re.Pattern[str] = re.compile("")
    setting: str = ""

    @classmethod
    def for_effort(cls, endpoint: str, model: str, effort: str | None, fields: Mapping[str, Any]) -> OptionalFields:
        """Return the fields for `effort`, or for none. They are empty if the model has refused them."""
        choice = effort or UNSET
        if not fields or cls.is_refused(endpoint, model, "effort", choice):
            return cls()
        return cls(endpoint, model, "effort", choice, fields, EFFORT_WORDS, setting=EFFORT_SETTING)

    @classmethod
    def for_token_cap(cls, endpoint: str, model: str, names: list[str], cap: int, setting: str) -> OptionalFields:
        """Return the token cap under the first of two names, or the second one if the model has refused the first."""
        fields = {names[cls.is_refused(endpoint, model, "token_cap")]: cap}
        shown = setting.replace("{", "{{").replace("}", "}}")
        return cls(endpoint, model, "token_cap", fields=fields, verbs=UNKNOWN, setting=shown)

    @staticmethod
    def is_refused(endpoint: str, model: str, purpose: str, choice: str = ANY) -> bool:
        """Whether `model` has refused the fields for `purpose` in this process."""
        return not _refused.isdisjoint({(endpoint, model, purpose, choice), (endpoint, model, purpose, ANY)})

    def refusal(self, status: int, body: bytes | str, message: str) -> ParameterRefused | None:
        """Return and remember the exception if an answer refuses one of the fields. Return None for other answers.

        Ask only about an answer that rejects the request. `withdraw_refusal` forgets what the next answer refutes.
        """
        text = text_of(body[:EXAMINED_LENGTH])
        if not self.fields or status not in REFUSING or not self._is_named(text):
            return None
        values = [value for value in _values(self.fields) if isinstance(value, str)]
        choice = self.choice if _names(text, values) or MANDATORY.search(text) else ANY
        fault = ParameterRefused(message)
        fault.memory = (self.endpoint, self.model, self.purpose, choice)
        if len(_refused) < MOST_REFUSALS:
            _refused.add(fault.memory)
        fault.parameter, fault.setting = ", ".join(sorted(self.fields)), self.setting
        return fault

    def refusal_or(self, fault: ProviderError, status: int, body: bytes | str) -> ProviderError:
        """Return the `refusal()` of an answer that rejects the request, or else `fault`, the answer's exception."""
        is_rejected = type(fault) is RequestRejected
        return (self.refusal(status, body, str(fault)) if is_rejected else None) or fault

    def _is_named(self, text: str) -> bool:
        """Whether an error is about one of the fields. A parameter that it states decides about an ordinary word."""
        parameter, message = subject_of(text)
        if not self.verbs.search(message):
            return False
        if _names(f"{parameter} {message}", [key for key in _keys(self.fields) if key not in self.words]):
            return True
        return _names(parameter or without_model_names(message, self.model), self.words)


def refused_by(
    optional_fields: Iterable[OptionalFields], fault: ProviderError, status: int, body: bytes | str
) -> ProviderError:
    """Return the refusal of the first of the `optional_fields` that an answer refuses, or else `fault`."""
    for fields in optional_fields:
        fault = fields.refusal_or(fault, status, body)
    return fault


def withdraw_refusal(fault: ParameterRefused) -> None:
    """Forget the refusal that `fault` recorded, because the call did not succeed without the field."""
    _refused.discard(fault.memory)


def forget_refusals() -> None:
    """Forget all refusals. For tests."""
    _refused.clear()


def _names(text: str, words: tuple[str, ...] | list[str]) -> bool:
    """Whether `text` has one of the words. One of several parts may be written reasoningEffort or reasoning-effort."""
    spelled = (re.escape(word).replace("_", "[_ -]?") for word in words)
    return any(re.search(rf"(?<![a-z0-9]){word}(?![a-z0-9])", text, re.IGNORECASE) for word in spelled)


def _keys(fields: Mapping[str, Any]) -> Iterator[str]:
    for name, value in fields.items():
        yield name
        if isinstance(value, Mapping):
            yield from (key for key in _keys(value) if key != "type")


def _values(fields: Mapping[str, Any]) -> Iterator[Any]:
    for value in fields.values():
        yield from _values(value) if isinstance(value, Mapping) else [value]
