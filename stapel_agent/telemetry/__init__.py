"""Metrics and OpenTelemetry spans."""

from .metrics import COOLING_DOWN, is_recorded, provider_call, request_timed, reused, unchanged, waiting
from .metrics import count as count_call
from .tracing import UNTRACED, Facts, is_traced, request_facts, request_span, span
from .tracing import describe as describe_span
from .tracing import fail as fail_span

__all__ = [
    "COOLING_DOWN",
    "UNTRACED",
    "Facts",
    "describe_span",
    "fail_span",
    "is_recorded",
    "is_traced",
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
