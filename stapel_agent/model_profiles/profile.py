"""A profile: a model, and how to call it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

EFFORTS = ("none", "minimal", "low", "medium", "high", "max")
"""How hard a model should think. Dialects map these words to each vendor's own."""


@dataclass(frozen=True)
class Profile:
    """An entry of MODELS. `options` are fields to add to the vendor's request."""

    model: str = ""
    provider: str | None = None
    effort: str | None = None
    max_tokens: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, entry: object) -> Profile:
        """Return the profile for an entry of MODELS: a dict, or the name of a model."""
        if not isinstance(entry, Mapping):
            return cls(str(entry))
        return cls(**{name: value for name, value in entry.items() if value is not None})

    def model_at(self, provider: str, defaults: Mapping[str, str], size: str) -> str:
        """Return the model for `provider`. If the profile names another provider, it comes from `defaults`."""
        return self.model if self.provider in (None, provider) else defaults.get(size, "")

    def options_at(self, provider: str, *, is_first: bool) -> Mapping[str, Any]:
        """Return the options for `provider`. If the profile names no provider, they are for the first one called."""
        belongs = self.provider == provider or (self.provider is None and is_first)
        return self.options if belongs else {}
