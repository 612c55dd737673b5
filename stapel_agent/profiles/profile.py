"""A profile: a model, and how it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

EFFORTS = ("none", "minimal", "low", "medium", "high", "max")
"""How hard a model is to think, in the words of all vendors."""


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
        if not isinstance(entry, Mapping):
            return cls(str(entry))
        return cls(**{name: value for name, value in entry.items() if value is not None})

    def model_at(self, provider: str, defaults: Mapping[str, str], size: str) -> str:
        """The model for `provider`, whose own models are `defaults` where the profile is another provider's."""
        return self.model if self.provider in (None, provider) else defaults.get(size, "")

    def options_at(self, provider: str, *, is_first: bool) -> Mapping[str, Any]:
        """The options for `provider`. Without one of its own, a profile has them for the first provider asked."""
        belongs = self.provider == provider or (self.provider is None and is_first)
        return self.options if belongs else {}
