"""The arguments of a call to a built-in provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stapel_agent.conf import agent_settings
from stapel_agent.types import Image, Prefix


@dataclass(frozen=True)
class Call:
    """The keyword arguments of `complete()`. Missing limits come from the settings."""

    prompt: str
    model: str
    system_prompt: str | None = None
    schema: Mapping[str, Any] | None = None
    max_tokens: int | None = None
    timeout: float | None = None
    images: tuple[Image, ...] = ()
    effort: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    prefix: Prefix | None = None
    api_key: str | None = field(default=None, repr=False)

    @property
    def token_cap(self) -> int:
        return int(agent_settings.MAX_TOKENS if self.max_tokens is None else self.max_tokens)

    @property
    def seconds(self) -> float:
        return float(agent_settings.CLI_TIMEOUT if self.timeout is None else self.timeout)
