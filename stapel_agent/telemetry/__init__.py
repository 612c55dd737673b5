"""Metrics and OpenTelemetry spans."""

from .metrics import COOLING_DOWN, provider_call, request_timed, reused, unchanged, waiting
from .metrics import count as count_call
from .tracing import Facts, request_facts, request_span, span
from .tracing import describe as describe_span
from .tracing import fail as fail_span

__all__ = [
    "COOLING_DOWN",
    "Facts",
    "describe_span",
    "fail_span",
    "request_facts",
    "span",
    "count_call",
    "provider_call",
    "request_span",
    "request_timed",
    "reused",
    "unchanged",
    "waiting",
]
