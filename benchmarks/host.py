"""Shared by the benchmarks: a throwaway database on each available engine, and a fair stopwatch."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import django
from django.conf import settings

from tests.__main__ import SERVICES

ENGINES = ("sqlite", "postgresql")


def on_each_engine(module: str, measure: Callable[[], None], engines: Sequence[str] = ENGINES) -> None:
    """Run `measure` in a separate process for each database engine, on a throwaway database."""
    if "BENCHMARK_ENGINE" in os.environ:
        with throwaway_database():
            measure()
        return
    for engine in engines:
        if engine != "sqlite" and not SERVICES[engine]:
            print(f"\nnot covered: {engine}, which cannot be reached")
            continue
        print(f"\n{module.rpartition('.')[2]} on {engine}", flush=True)
        environment = {**os.environ, "BENCHMARK_ENGINE": engine, "DATABASE": engine}
        subprocess.run([sys.executable, "-m", module], env=environment, check=True)


@contextmanager
def throwaway_database() -> Iterator[None]:
    start_django()
    from django.db import connection

    with tempfile.TemporaryDirectory() as folder:
        if connection.vendor == "sqlite":
            connection.settings_dict["TEST"]["NAME"] = f"{folder}/benchmark.sqlite3"
        else:
            connection.settings_dict["TEST"]["NAME"] = f"agent_benchmark_{os.getpid()}"
        name = connection.settings_dict["NAME"]
        connection.creation.create_test_db(verbosity=0, serialize=False)
        try:
            yield
        finally:
            if connection.vendor == "postgresql":
                end_other_sessions()
            connection.creation.destroy_test_db(name, verbosity=0)


def end_other_sessions() -> None:
    """End the ledger's own sessions in other threads: PostgreSQL does not drop a database that has connections."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def start_django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    settings.DEBUG = False


def milliseconds(
    *steps: Callable[[], object], rounds: int = 400, warm_up: int = 30, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """The median of each step in milliseconds. Steps are measured in turns, so that a busy moment affects them all."""
    times: list[list[float]] = [[] for _ in steps]
    for turn in range(warm_up + rounds):
        for step, spent in zip(steps, times, strict=True):
            started_at = clock()
            step()
            if turn >= warm_up:
                spent.append(clock() - started_at)
    return [statistics.median(spent) * 1000 for spent in times]


def show(label: str, figure: float, unit: str = "ms", note: str = "") -> None:
    print(f"  {label:<58}{figure:>9.3f} {unit}  {note}".rstrip(), flush=True)


def verdict(target: str, met: bool) -> None:
    print(f"  target {target}: {'met' if met else 'MISSED'}", flush=True)
