"""A metrics backend that records measurements, and checks them against the declared metrics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stapel_core.observability import metrics
from stapel_core.observability.backends import MetricsBackend

from stapel_agent.telemetry import metrics as telemetry

PREFIX = "stapel_"
DECLARED = {f"{PREFIX}{metric.name}": metric for metric in telemetry.METRICS}


class Measurements(MetricsBackend):
    """The measurements by metric: `(amount, labels)`, with the labels' values in the declared order."""

    def __init__(self) -> None:
        self.told: dict[str, list[tuple[float, tuple[str, ...]]]] = {}
        self.buckets: dict[str, tuple[float, ...]] = {}
        self.modes: dict[str, str | None] = {}

    def of(self, metric: telemetry.Metric) -> list[tuple[float, tuple[str, ...]]]:
        return self.told.get(f"{PREFIX}{metric.name}", [])

    def counter(self, name: str, value: float = 1, labels: Any = None, **options: Any) -> None:
        self._tell(name, value, labels)

    def gauge(
        self, name: str, value: float, labels: Any = None, *, multiprocess_mode: Any = None, **options: Any
    ) -> None:
        self.modes[name] = multiprocess_mode
        self._tell(name, value, labels)

    def histogram(self, name: str, value: float, labels: Any = None, *, buckets: Any = None, **options: Any) -> None:
        self.buckets[name] = buckets
        self._tell(name, value, labels)

    def _tell(self, name: str, value: float, labels: dict[str, str]) -> None:
        declared = DECLARED[name].labels
        given = tuple(labels[label] for label in declared) if labels.keys() == set(declared) else ("wrong", *labels)
        self.told.setdefault(name, []).append((value, given))


@contextmanager
def measuring() -> Iterator[Measurements]:
    measurements = Measurements()
    metrics.set_backend(measurements)
    try:
        yield measurements
    finally:
        metrics.set_backend(None)
