"""What a size of MODELS stands for: a model, and how it is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .conf import agent_settings
from .exceptions import InvalidRequest, WrongSetting

EFFORTS = ("none", "minimal", "low", "medium", "high", "max")
"""How hard a model is to think, in the words of all vendors."""

SENT_BY_US = frozenset(
    {
        *("model", "messages", "system", "prompt", "input"),
        *("response_format", "output_config", "output_format"),
        *("max_tokens", "max_completion_tokens", "max_output_tokens"),
        *("stream", "stream_options"),
    }
)
"""Request fields that the package fills in itself, and that no option replaces."""


@dataclass(frozen=True)
class Profile:
    """An entry of MODELS. `options` are fields of the vendor's request."""

    model: str = ""
    provider: str | None = None
    effort: str | None = None
    max_tokens: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, entry: object) -> Profile:
        """The profile that `entry` is, or that a model's name stands for."""
        return cls(**entry) if isinstance(entry, Mapping) else cls(str(entry))

    def model_at(self, provider: str, defaults: Mapping[str, str], size: str) -> str:
        """The model for `provider`, whose own models are `defaults` where the profile is another provider's."""
        return self.model if self.provider in (None, provider) else defaults.get(size, "")

    def options_at(self, provider: str, *, is_first: bool) -> Mapping[str, Any]:
        """The options for `provider`. Without one of its own, a profile has them for the first provider asked."""
        belongs = self.provider == provider or (self.provider is None and is_first)
        return self.options if belongs else {}


def profile_of(size: str) -> Profile:
    """The profile of a model size. Raises InvalidRequest for an unknown size, WrongSetting for a broken profile."""
    sizes = agent_settings.MODELS
    if size not in sizes:
        raise InvalidRequest(f"unknown model size {size!r}; MODELS has: {', '.join(sorted(sizes))}")
    if fault := next(profile_faults(size, sizes[size]), None):
        raise WrongSetting(fault)
    return Profile.of(sizes[size])


def known_profile(size: object) -> Profile:
    """The same before the settings are checked: an empty profile where there is none, or a broken one."""
    try:
        return profile_of(size)  # type: ignore[arg-type]
    except Exception:
        return Profile()


def token_limit(size: object) -> int:
    """The tokens that an answer of `size` may have."""
    own = known_profile(size).max_tokens
    limit: int = agent_settings.MAX_TOKENS if own is None else own
    return limit


def profile_faults(size: str, entry: object) -> Iterator[str]:
    """What is wrong with an entry of MODELS, with the fix."""
    if not isinstance(entry, Mapping):
        return
    place = f"STAPEL_AGENT['MODELS'][{size!r}]"
    known = Profile.__dataclass_fields__
    for name in sorted(map(str, entry.keys() - known.keys())):
        yield f"{place} has an unknown key {name!r}: use {', '.join(known)}"
    for name in ("model", "provider"):
        if not isinstance(entry.get(name) or "", str):
            yield f"{place}[{name!r}] must be a text, not a value of the type {type(entry[name]).__name__}"
    if entry.get("effort") not in (None, *EFFORTS):
        yield f"{place}['effort'] is {str(entry['effort'])[:40]!r}: use one of {', '.join(EFFORTS)}"
    if not _is_cap(entry.get("max_tokens")):
        yield f"{place}['max_tokens'] must be a whole number from 1, not {str(entry['max_tokens'])[:40]!r}"
    if fault := option_fault(entry.get("options", {})):
        yield f"{place}['options'] {fault}"


def option_fault(options: object) -> str | None:
    """What is wrong with options for a vendor's request, or None."""
    if not isinstance(options, Mapping) or not all(isinstance(name, str) for name in options):
        return "must be a dict of request fields, such as {'temperature': 0}"
    if taken := sorted(SENT_BY_US & options.keys()):
        return f"may not set {', '.join(taken)}, which the package sends itself: remove it"
    try:
        json.dumps(options, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return "must have a JSON form"
    return None


def _is_cap(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 10**9)
