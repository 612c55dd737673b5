"""Spans for OpenTelemetry, where the extra `otel` is installed: one for a request, one for each attempt.

An attempt's is a client span of the generative AI conventions, whose names are those of semantic conventions 1.41.
What was asked and answered is in it only where TRACE_CONTENT says so. A fault in here costs the span, not the call.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .conf import agent_settings
from .exceptions import AgentError
from .parsing import storable

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from .attempt import Attempt
    from .types import CompletionRequest

logger = logging.getLogger(__name__)

Facts = dict[str, Any]
"""Attributes by name; those that are None are left out."""


@contextmanager
def request_span(verb: str, request: CompletionRequest) -> Iterator[None]:
    """Around one request. A fault that leaves the block gives the span its error type, and goes on."""
    with _span(f"stapel_agent.{verb}", "INTERNAL", partial(_ours, request)) as span:
        try:
            yield
        except BaseException as fault:
            _fail(span, fault.failure if isinstance(fault, AgentError) else type(fault).__name__)
            raise


@contextmanager
def attempt_span(attempt: Attempt) -> Iterator[None]:
    """Around one attempt, which keeps its own fault."""
    with _span(f"chat {attempt.request.model}", "CLIENT", partial(_asked, attempt)) as span:
        try:
            yield
        finally:
            _describe(span, partial(_answered, attempt))
            _describe(span, partial(_content, attempt))
            if attempt.error is not None:
                _fail(span, attempt.error.failure)


@lru_cache(maxsize=1)
def _opentelemetry() -> tuple[ModuleType, ModuleType] | None:
    """Its modules `trace` and `context`."""
    try:
        from opentelemetry import context, trace
    except ImportError:
        return None
    return trace, context


@contextmanager
def _span(name: str, kind: str, facts: Callable[[], Facts]) -> Iterator[Span | None]:
    """A span that is the current one in the block; None where OpenTelemetry is not in use, or the host's own fails."""
    installed = _opentelemetry()
    if installed is None or not _is_set_up(installed[0]):
        yield None
        return
    trace, context = installed
    span = token = None
    with _harmless():
        tracer = trace.get_tracer("stapel_agent")
        span = tracer.start_span(storable(name), kind=trace.SpanKind[kind], attributes=_attributes(facts()))
        token = context.attach(trace.set_span_in_context(span))
    try:
        yield span
    finally:
        with _harmless():
            if token is not None:
                context.detach(token)
            if span is not None:
                span.end()


def _is_set_up(trace: ModuleType) -> bool:
    """Whether the host has said where spans go; until then nobody would see one."""
    with _harmless():
        return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    return False


@contextmanager
def _harmless() -> Iterator[None]:
    try:
        yield
    except Exception as fault:
        logger.error("tracing: %s; the call goes on without", type(fault).__name__)


def _describe(span: Span | None, facts: Callable[[], Facts]) -> None:
    if span is not None:
        with _harmless():
            if span.is_recording():
                span.set_attributes(_attributes(facts()))


def _fail(span: Span | None, failure: str) -> None:
    if span is not None and (installed := _opentelemetry()):
        with _harmless():
            span.set_attribute("error.type", failure)
            # Without the message, which may quote the answer.
            span.set_status(installed[0].StatusCode.ERROR)


def _attributes(facts: Facts) -> dict[str, Any]:
    return {name: storable(value) for name, value in facts.items() if value is not None}


def _ours(request: CompletionRequest) -> Facts:
    return {"stapel_agent.request_id": str(request.request_id), "stapel_agent.source": request.source}


def _asked(attempt: Attempt) -> Facts:
    request = attempt.request
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": request.provider,
        "gen_ai.request.model": request.model,
        "gen_ai.request.max_tokens": request.max_tokens if attempt.provider.supports_max_tokens else None,
        "gen_ai.output.type": "json" if request.schema is not None else None,
        **_ours(request),
    }


def _answered(attempt: Attempt) -> Facts:
    usage = attempt.usage
    if attempt.result is None and not usage:
        return {}
    return {
        "gen_ai.response.finish_reasons": [attempt.result.finish_reason] if attempt.result else None,
        # By the convention all of them, where ours leave out what a provider's cache has.
        "gen_ai.usage.input_tokens": usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read_tokens or None,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_write_tokens or None,
        "gen_ai.usage.reasoning.output_tokens": usage.thinking_tokens or None,
    }


def _content(attempt: Attempt) -> Facts:
    if agent_settings.TRACE_CONTENT is not True:
        return {}
    request, text = attempt.request, attempt.text
    finish_reason = attempt.result.finish_reason if attempt.result else "error"
    answer = {"role": "assistant", "parts": _parts(text or ""), "finish_reason": finish_reason}
    return {
        "gen_ai.system_instructions": _as_json(_parts(request.system_prompt)) if request.system_prompt else None,
        "gen_ai.input.messages": _as_json([{"role": "user", "parts": _parts(request.message)}]),
        "gen_ai.output.messages": None if text is None else _as_json([answer]),
    }


def _parts(text: str) -> list[dict[str, str]]:
    return [{"type": "text", "content": text}]


def _as_json(value: Any) -> str:
    return json.dumps(storable(value), ensure_ascii=False)
