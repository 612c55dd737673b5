"""The metrics of this package, reported through stapel-core, which never raises.

Labels take few values: a host's providers, models and sources; never a user, a request or a text.

A new metric is declared here, added to METRICS, and described in docs/operations.md. `count()` counts what a finished
row says. Anything that is only known while a provider is asked has a function of its own, which `asking` calls.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter as Tally
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import ClassVar

from stapel_core.observability import metrics

from stapel_agent.types import CompletionRequest, FinishedCall

CALL_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 13, 20, 30, 45, 60, 90, 120, 180, 240, 300)
OVERHEAD_BUCKETS = (0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5)
TOKEN_KINDS = ("input", "output", "cache_read", "cache_write")


def is_recorded() -> bool:
    """Whether the host records metrics. Otherwise they are not prepared."""
    try:
        return bool(getattr(metrics.get_backend(), "available", True))
    except Exception:  # from a host's class
        return True


@dataclass(frozen=True)
class Metric:
    """A metric: its name without stapel-core's prefix, the names of its labels, and its description."""

    name: str
    labels: tuple[str, ...]
    description: str
    buckets: tuple[float, ...] = ()

    kind: ClassVar[str]


class Counter(Metric):
    kind = "counter"

    def add(self, amount: float = 1, /, **labels: str) -> None:
        metrics.counter(self.name, amount, labels, description=self.description)


class Histogram(Metric):
    kind = "histogram"

    def observe(self, seconds: float, /, **labels: str) -> None:
        metrics.histogram(self.name, seconds, labels, description=self.description, buckets=self.buckets)


@dataclass(frozen=True)
class Gauge(Metric):
    """`of_processes` says how the values of a host's processes are combined."""

    of_processes: str = "livesum"

    kind = "gauge"

    def show(self, value: int, /, **labels: str) -> None:
        metrics.gauge(self.name, value, labels, description=self.description, multiprocess_mode=self.of_processes)


ASKED = ("provider", "model", "source")

CALLS = Counter("agent_calls_total", (*ASKED, "status"), "calls to providers, including retries and fallbacks")
TOKENS = Counter("agent_tokens_total", (*ASKED, "kind"), "tokens: `input`, `output`, `cache_read` or `cache_write`")
COST = Counter("agent_cost_usd_total", ASKED, "US dollars, for calls whose cost is known")
ESTIMATED_COST = Counter(
    "agent_estimated_cost_usd_total", ASKED, "US dollars that calls with an unknown outcome may have cost at most"
)
CALL_SECONDS = Histogram("agent_call_seconds", (*ASKED, "status"), "how long a provider took", CALL_BUCKETS)
OVERHEAD_SECONDS = Histogram(
    "agent_overhead_seconds", ("source",), "a request's time, without the time it waits for others", OVERHEAD_BUCKETS
)
IN_FLIGHT = Gauge("agent_calls_in_flight", ("provider",), "calls to providers in progress")
CACHE_HITS = Counter(
    "agent_cache_hits_total",
    (*ASKED, "kind"),
    "reused answers, or texts of translations: `kept` before, or `shared` in flight",
)
UNCHANGED = Counter("agent_translations_unchanged_total", ASKED, "texts that came back untranslated and were accepted")
COOLING_DOWN = Gauge(
    "agent_provider_cooling_down", ("provider",), "1 while the provider is skipped, else 0", of_processes="livemax"
)

METRICS: tuple[Metric, ...] = (
    *(CALLS, TOKENS, COST, ESTIMATED_COST, CALL_SECONDS, OVERHEAD_SECONDS),
    *(IN_FLIGHT, CACHE_HITS, UNCHANGED, COOLING_DOWN),
)


def count(call: FinishedCall) -> None:
    """Measure a finished call to a provider."""
    asked = {"provider": call.provider, "model": call.model, "source": call.source}
    CALLS.add(**asked, status=call.status)
    if call.duration_ms is not None:
        CALL_SECONDS.observe(call.duration_ms / 1000, **asked, status=call.status)
    for kind in TOKEN_KINDS:
        if tokens := getattr(call.usage, f"{kind}_tokens"):
            TOKENS.add(tokens, **asked, kind=kind)
    if call.cost_usd:
        COST.add(float(call.cost_usd), **asked)
    if call.estimated_cost_usd:
        ESTIMATED_COST.add(float(call.estimated_cost_usd), **asked)


def reused(request: CompletionRequest, kind: str, answers: int = 1) -> None:
    """Measure answers that cost nothing: `kept` ones come from the cache, `shared` ones from another caller."""
    CACHE_HITS.add(answers, provider=request.provider, model=request.model, source=request.source, kind=kind)


def unchanged(request: CompletionRequest, texts: int) -> None:
    """Measure texts that came back untranslated."""
    UNCHANGED.add(texts, provider=request.provider, model=request.model, source=request.source)


UNTIMED = nullcontext(None)


def request_timed(source: str) -> AbstractContextManager[None]:
    """Measure one request, including its work in other threads and tasks."""
    return _request_timed(source) if is_recorded() else UNTIMED


@contextmanager
def _request_timed(source: str) -> Iterator[None]:
    clock, outer = RequestClock(), _request_clock.get()
    _request_clock.set(clock)
    started_at = time.perf_counter()
    try:
        yield
    finally:
        _request_clock.set(outer)
        OVERHEAD_SECONDS.observe(time.perf_counter() - started_at - clock.waited_seconds, source=source)


@contextmanager
def provider_call(provider: str) -> Iterator[None]:
    """Measure the wait for a provider's answer."""
    in_flight.change(provider, 1)
    try:
        with waiting():
            yield
    finally:
        in_flight.change(provider, -1)


def waiting() -> AbstractContextManager[None]:
    """Mark a wait for others, which does not count as overhead of this package."""
    clock = _request_clock.get()
    return UNTIMED if clock is None else _waiting(clock)


@contextmanager
def _waiting(clock: RequestClock) -> Iterator[None]:
    clock.change_waits(1)
    try:
        yield
    finally:
        clock.change_waits(-1)


class RequestClock:
    """The seconds a request has waited for others; overlapping waits count once."""

    def __init__(self) -> None:
        self.waited_seconds = 0.0
        self._lock = threading.Lock()
        self._waits = 0
        self._since = 0.0

    def change_waits(self, by: int) -> None:
        with self._lock:
            now = time.perf_counter()
            if self._waits:
                self.waited_seconds += now - self._since
            self._waits += by
            self._since = now


class InFlight:
    """How many calls of each provider are under way in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls = Tally[str]()

    def change(self, provider: str, by: int) -> None:
        with self._lock:
            self._calls[provider] += by
            if is_recorded():
                IN_FLIGHT.show(self._calls[provider], provider=provider)

    def start_anew(self) -> None:
        """Forget the parent's calls in a forked child."""
        self.__init__()  # type: ignore[misc]


_request_clock: ContextVar[RequestClock | None] = ContextVar("request_clock", default=None)
in_flight = InFlight()
os.register_at_fork(after_in_child=in_flight.start_anew)
