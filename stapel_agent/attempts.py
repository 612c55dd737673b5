"""One provider asked once is an Attempt; Attempts walks the providers of one request."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from .conf import agent_settings
from .exceptions import (
    AnswerRefused,
    AnswerTruncated,
    AttemptCancelled,
    InvalidRequest,
    ProviderBug,
    ProviderError,
    ProviderTimeout,
    SchemaMismatch,
)
from .parsing import storable
from .providers.base import LlmProvider, ProviderResult
from .providers.registry import registry
from .redaction import redact
from .types import Completion, CompletionRequest, Usage

logger = logging.getLogger(__name__)

MESSAGE_LENGTH = 1000
"""Characters of a provider's message that reach the caller and the ledger."""

Reader = Callable[[str], Any]
"""What a verb makes of an answer's text; raises an AnswerError where it is not what was asked for."""


class Attempt:
    """One call of one provider, as a context manager: it times the call and names its outcome.

    An exception inside ends the attempt and becomes its `error`; only what is no `Exception`
    (a cancelled task, an interrupt) leaves the block.
    """

    def __init__(self, request: CompletionRequest, provider: LlmProvider, read: Reader) -> None:
        self.request = request
        self.provider = provider
        self.result: ProviderResult | None = None
        self.error: ProviderError | None = None
        self.value: Any = None
        self.duration_ms = 0
        self._read = read

    @property
    def arguments(self) -> dict[str, Any]:
        """The keywords of `complete()`: the three that every provider takes, and those this one declares."""
        request = self.request
        optional = {
            "schema": request.schema,
            "max_tokens": request.max_tokens,
            "timeout": agent_settings.CLI_TIMEOUT,
        }
        declared = {name: value for name, value in optional.items() if getattr(self.provider, f"supports_{name}")}
        return {"prompt": request.message, "model": request.model, "system_prompt": request.system_prompt, **declared}

    @property
    def seconds(self) -> float | None:
        """How long a caller on an event loop waits; None where the provider itself keeps the time."""
        return None if self.provider.supports_timeout else agent_settings.CLI_TIMEOUT

    @property
    def usage(self) -> Usage:
        """What this attempt has spent, whether or not its answer counts."""
        if self.result is None:
            return (self.error and self.error.usage) or Usage()
        result = self.result
        return Usage(
            result.input_tokens,
            result.output_tokens,
            result.thinking_tokens,
            result.cache_read_tokens,
            result.cache_write_tokens,
        )

    @property
    def text(self) -> str | None:
        """What the model wrote, whether or not it counts."""
        if self.result is None:
            return self.error.text if self.error else None
        return self.result.text

    def take(self, result: ProviderResult) -> None:
        """Accept the provider's answer. Raises what is wrong with it."""
        self._stop_clock()
        if not isinstance(result, ProviderResult) or not isinstance(result.text, str):
            raise ProviderBug(f"provider {self.request.provider!r} returned no ProviderResult with a text")
        self.result = result
        if result.finish_reason == "length":
            raise AnswerTruncated(f"truncated at {self.usage.output_tokens or self.request.max_tokens} tokens")
        if result.finish_reason == "content_filter":
            raise AnswerRefused("the model, or its vendor's content filter, refused to answer")
        self.value = self._read(result.text)

    def __enter__(self) -> Self:
        self._started_at = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if self.result is None:
            self._stop_clock()
        if fault is not None:
            self.error = _named(fault, self.request.provider)
        return isinstance(fault, Exception)

    def _stop_clock(self) -> None:
        self.duration_ms = round((time.perf_counter() - self._started_at) * 1000)


def _named(fault: BaseException, provider: str) -> ProviderError:
    """The fault as one of ours, safe to keep and to show. A foreign one is logged whole, and told by its type alone."""
    if not isinstance(fault, Exception):
        return AttemptCancelled("cancelled")
    if isinstance(fault, ProviderError):
        try:
            return _sanitised(fault)
        except Exception as broken:
            fault = broken
    logger.error("provider %r raised:\n%s", provider, redact("".join(traceback.format_exception(fault))))
    if isinstance(fault, TimeoutError):
        return ProviderTimeout(f"provider {provider!r} timed out")
    return ProviderBug(f"provider {provider!r} raised {type(fault).__name__}")


def _sanitised(fault: ProviderError) -> ProviderError:
    """The same kind of fault with a plain text and plain values: a host's subclass may hold anything."""
    ours = ProviderError.__module__
    kind: type[ProviderError] = next(base for base in type(fault).__mro__ if base.__module__ == ours)
    own = kind(redact(storable(str(fault)))[:MESSAGE_LENGTH])
    usage, text = getattr(fault, "usage", None), getattr(fault, "text", None)
    own.usage = usage if isinstance(usage, Usage) else None
    own.text = text if isinstance(text, str) else None
    if isinstance(own, SchemaMismatch):
        own.correction = getattr(fault, "correction", "")
    return own


class Attempts:
    """The attempts one request is worth, made while iterating, and what came of them.

    Raises an AgentError at once where no provider is to be asked at all.
    """

    def __init__(self, request: CompletionRequest, read: Reader) -> None:
        self._read = read
        self._made: list[Attempt] = []
        self._provider, self.request = _prepare(request)

    def __iter__(self) -> Iterator[Attempt]:
        attempt = Attempt(self.request, self._provider, self._read)
        self._made.append(attempt)
        yield attempt

    def completion(self) -> Completion:
        """The answer of the last attempt. Raises its error, with all that was spent, if there is none."""
        spent = sum((attempt.usage for attempt in self._made), Usage())
        last = self._made[-1]
        if last.error is not None:
            last.error.usage = spent
            last.error.text = last.text
            raise last.error
        return Completion(
            text=last.text or "",
            provider=last.request.provider,
            model=last.request.model,
            usage=spent,
            value=last.value,
        )


class _Broken(LlmProvider):
    """Stands in for a provider that cannot be made, so that its fault is an attempt like any other."""

    supports_schema = True

    def __init__(self, fault: Exception) -> None:
        self.fault = fault

    def complete(self, **arguments: Any) -> ProviderResult:
        raise self.fault


def _prepare(request: CompletionRequest) -> tuple[LlmProvider, CompletionRequest]:
    """The provider that is asked, and the request with that provider's own name for the model."""
    models = agent_settings.MODELS
    if not request.prompt:
        raise InvalidRequest("prompt must not be empty")
    if request.model_size not in models:
        raise InvalidRequest(f"unknown model size {request.model_size!r}; MODELS has: {', '.join(sorted(models))}")
    model = models[request.model_size]
    provider_class = registry.load(request.provider)
    try:
        provider = provider_class()
        model = provider.resolve_model(request.model_size, model)
    except Exception as fault:
        provider = _Broken(fault)
    if request.schema is not None and not provider.supports_schema:
        raise InvalidRequest(
            f"provider {request.provider!r} cannot constrain an answer to a schema; name one that can, or send none"
        )
    return provider, replace(request, model=str(model))
