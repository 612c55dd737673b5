"""The base class of providers: one method that turns a prompt into a ProviderResult. Does not import Django."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from stapel_agent.exceptions import ProviderError, ProviderTimeout

from .model_facts import ModelFacts
from .wire.call_thread import in_own_thread

__all__ = ["LlmProvider", "ProviderError", "ProviderResult", "ProviderTimeout"]


@dataclass(frozen=True)
class ProviderResult:
    """A model's answer and what it cost.

    A token count that is None is unknown, and so is an `output_tokens` of 0 if there is a text: budgets are then
    charged an estimate. `unsplit_tokens` are input and output together, if the vendor states only their sum.
    `input_tokens` excludes `cache_read_tokens` and `cache_write_tokens`. `thinking_tokens` is the part of
    `output_tokens` spent on thinking. `cache_write_1h_tokens` is the part of `cache_write_tokens` cached for an hour.
    `finish_reason` says why the model stopped, in OpenTelemetry's words: "stop", "length" (the token cap) or
    "content_filter". `metadata` (JSON) is stored in the ledger row. `cost_usd` is the vendor's own figure for the call,
    if it reports one.
    """

    text: str
    input_tokens: int | None = 0
    output_tokens: int | None = 0
    thinking_tokens: int | None = 0
    cache_read_tokens: int | None = 0
    cache_write_tokens: int | None = 0
    finish_reason: str = "stop"
    metadata: Mapping[str, Any] = field(default_factory=dict)
    cache_write_1h_tokens: int = 0
    cost_usd: Decimal | str | float | None = None
    unsplit_tokens: int = 0


class LlmProvider:
    """Answers prompts. Subclass it, implement `complete()`, and register it under a name.

    Each request creates an instance without arguments, so keep expensive objects in the class or the module.
    Raise `ProviderTimeout` or another `ProviderError` with a text that the caller may see. Any other exception is
    reported as a failure too, without its text.
    """

    vendor: str | None = None
    """The vendor's price list: an id of genai-prices or the URL of an API. If None, only PRICES sets prices."""
    default_models: Mapping[str, str] = MappingProxyType({})
    """Models by size, for sizes whose profile in MODELS names another provider."""
    supports_schema = False
    """`complete()` takes `schema` (a JSON Schema object) and constrains the answer to it."""
    supports_images = False
    """`complete()` takes `images`, a tuple of `stapel_agent.images.InlineImage` and `LinkedImage`."""
    supports_max_tokens = False
    """`complete()` takes `max_tokens`, the cap on the answer's length."""
    supports_timeout = False
    """`complete()` takes `timeout`, the wall clock limit of this attempt in seconds."""
    supports_effort = False
    """`complete()` takes `effort`, if one is set: none, minimal, low, medium, high or max."""
    supports_options = False
    """`complete()` takes `options`, if there are any: fields to merge into the vendor's request."""
    supports_prefix = False
    """`complete()` takes `prefix`, a `stapel_agent.types.Prefix`: the part of the system prompt that calls share."""
    supports_api_key = False
    """`complete()` takes `api_key`, one of `api_keys()`, if there are any."""
    options: Mapping[str, Any] = MappingProxyType({})
    """Options for every call to this provider. The options of a profile in MODELS take precedence."""

    def complete(self, *, prompt: str, model: str, system_prompt: str | None = None) -> ProviderResult:
        """Call `model` once. Keywords declared by a `supports_*` attribute are passed too."""
        raise NotImplementedError(f"{type(self).__name__} must implement complete()")

    async def acomplete(self, **arguments: Any) -> ProviderResult:
        """`complete()` for a caller on an event loop. By default, runs it in a separate thread."""
        return await asyncio.wrap_future(in_own_thread(self.complete, **arguments))

    def api_keys(self) -> tuple[str, ...]:
        """Return the keys that calls use in turn. Empty if the provider finds its key itself."""
        return ()

    def resolve_model(self, model_size: str, default: str) -> str:
        """Return this provider's model for `model_size`. `default` is the model from MODELS, or "" if it has none."""
        return default

    def model_error(self, model_size: str, default: str) -> str | None:
        """Return why this provider has no model for `model_size`, with the fix, or None. Called by system checks."""
        return None

    def model_facts(self, model: str) -> ModelFacts | None:
        """Return the vendor's facts on `model`, or None. Called over the network by `check --deploy` and `--ping`."""
        return None

    def configuration_error(self) -> str | None:
        """Return what this provider lacks, with the fix, or None. Called by system checks; must not call the vendor."""
        return None

    def finish_reason_fix(self, reason: str) -> str | None:
        """Return what to do if this unknown finish reason means a complete answer, or None."""
        return f"let {type(self).__name__} return 'stop' for it"
