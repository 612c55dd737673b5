"""What a provider is: one method that turns a prompt into a ProviderResult. Free of Django."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from stapel_agent.exceptions import ProviderError, ProviderTimeout

from .model_facts import ModelFacts
from .wire.threads import in_own_thread

__all__ = ["LlmProvider", "ProviderError", "ProviderResult", "ProviderTimeout"]


@dataclass(frozen=True)
class ProviderResult:
    """A model's answer and what it cost.

    Token figures are disjoint: `input_tokens` excludes `cache_read_tokens` and `cache_write_tokens`;
    `thinking_tokens` is the part of `output_tokens` spent on thinking. `finish_reason` says why the
    model stopped, in OpenTelemetry's words: "stop", "length" (the token cap) or "content_filter".
    `metadata` (JSON) is kept in the ledger row beside the provider's name. `cache_write_1h_tokens` is the part of
    `cache_write_tokens` that is kept for an hour; `cost_usd` is the vendor's own figure for the call, if it has one.
    """

    text: str
    input_tokens: int = 0
    output_tokens: int = 0
    thinking_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    finish_reason: str = "stop"
    metadata: Mapping[str, Any] = field(default_factory=dict)
    cache_write_1h_tokens: int = 0
    cost_usd: Decimal | str | float | None = None


class LlmProvider:
    """What answers prompts. Subclass it, implement `complete()`, register it under a name.

    An instance is made without arguments for each request, so what is costly to build belongs in
    the class or the module. Raise `ProviderTimeout`, or another `ProviderError` whose text is fit
    for the caller; any other exception is answered as a failure too, with its text withheld.
    """

    vendor: str | None = None
    """Whose price list holds, an id of genai-prices or the URL of an API; without it only PRICES price a call."""
    default_models: Mapping[str, str] = MappingProxyType({})
    """Its models by size, for sizes whose profile in MODELS names another provider."""
    supports_schema = False
    """`complete()` takes `schema` (a JSON Schema object) and constrains the answer to it."""
    supports_images = False
    """`complete()` takes `images`, a tuple of `stapel_agent.images.InlineImage` and `LinkedImage`."""
    supports_max_tokens = False
    """`complete()` takes `max_tokens`, the cap on the answer's length."""
    supports_timeout = False
    """`complete()` takes `timeout`, the seconds this attempt has on the wall clock."""
    supports_effort = False
    """`complete()` takes `effort`, where one is wished: none, minimal, low, medium, high or max."""
    supports_options = False
    """`complete()` takes `options`, where there are some: fields to be merged into the vendor's request."""
    supports_prefix = False
    """`complete()` takes `prefix`, a `stapel_agent.types.Prefix`: how much of the system prompt other calls share."""
    supports_api_key = False
    """`complete()` takes `api_key`, one of `api_keys()`, where there are some."""
    options: Mapping[str, Any] = MappingProxyType({})
    """The options of every call of this provider, below those of a profile in MODELS."""

    def complete(self, *, prompt: str, model: str, system_prompt: str | None = None) -> ProviderResult:
        """Ask `model` once. Keywords that a `supports_*` attribute announces are passed as well."""
        raise NotImplementedError(f"{type(self).__name__} must implement complete()")

    async def acomplete(self, **arguments: Any) -> ProviderResult:
        """`complete()` for a caller on an event loop; by default in a thread of its own."""
        return await asyncio.wrap_future(in_own_thread(self.complete, **arguments))

    def api_keys(self) -> tuple[str, ...]:
        """The keys that calls take in turn; none where the provider finds its key by itself."""
        return ()

    def resolve_model(self, model_size: str, default: str) -> str:
        """This provider's name for `model_size`. `default` is that of MODELS, "" where MODELS has none for it."""
        return default

    def model_error(self, model_size: str, default: str) -> str | None:
        """Why this provider has no model of its own for `model_size`, with the fix, or None. Asked at check time."""
        return None

    def model_facts(self, model: str) -> ModelFacts | None:
        """What the vendor says of `model`, or None. Asked over the network, by `check --deploy` and `--ping` alone."""
        return None

    def configuration_error(self) -> str | None:
        """What this provider lacks to answer, with the mend, or None. Asked at check time; calls nobody."""
        return None
