"""OpenTelemetry spans, if the extra `otel` is installed: one for a request; `asking` adds one for each attempt.

An error here loses the span, never the call.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache, partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from stapel_agent.exceptions import AgentError
from stapel_agent.parsing import storable

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from stapel_agent.types import CompletionRequest

logger = logging.getLogger(__name__)

Facts = dict[str, Any]
"""Attributes by name; None leaves one out."""


UNTRACED = nullcontext(None)


def request_span(verb: str, request: CompletionRequest) -> AbstractContextManager[None]:
    """The span of one request. An exception that leaves the block sets the span's error type."""
    return _request_span(verb, request) if is_traced() else UNTRACED


@contextmanager
def _request_span(verb: str, request: CompletionRequest) -> Iterator[None]:
    with span(f"stapel_agent.{verb}", "INTERNAL", partial(request_facts, request)) as current:
        try:
            yield
        except BaseException as fault:
            fail(current, fault.failure if isinstance(fault, AgentError) else type(fault).__name__)
            raise


def is_traced() -> bool:
    """Whether the host has set up OpenTelemetry."""
    installed = _opentelemetry()
    return installed is not None and _is_set_up(installed[0])


@lru_cache(maxsize=1)
def _opentelemetry() -> tuple[ModuleType, ModuleType] | None:
    """OpenTelemetry's modules `trace` and `context`, or None."""
    try:
        from opentelemetry import context, trace
    except ImportError:
        return None
    return trace, context


@contextmanager
def span(name: str, kind: str, facts: Callable[[], Facts]) -> Iterator[Span | None]:
    """A span that is current in the block; None if OpenTelemetry is not in use or fails."""
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
    """Whether the host has set up a tracer provider."""
    try:
        return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    except Exception as fault:
        _report(fault)
        return False


@contextmanager
def _harmless() -> Iterator[None]:
    try:
        yield
    except Exception as fault:
        _report(fault)


def _report(fault: Exception) -> None:
    logger.error("tracing: %s; the call continues without a span", type(fault).__name__)


def describe(span: Span | None, facts: Callable[[], Facts]) -> None:
    if span is not None:
        with _harmless():
            if span.is_recording():
                span.set_attributes(_attributes(facts()))


def fail(span: Span | None, failure: str) -> None:
    if span is not None and (installed := _opentelemetry()):
        with _harmless():
            span.set_attribute("error.type", failure)
            # Without the message, which may quote the answer.
            span.set_status(installed[0].StatusCode.ERROR)


def _attributes(facts: Facts) -> dict[str, Any]:
    return {name: storable(value) for name, value in facts.items() if value is not None}


def request_facts(request: CompletionRequest) -> Facts:
    return {"stapel_agent.request_id": str(request.request_id), "stapel_agent.source": request.source}
