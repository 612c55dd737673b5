"""Each migration on a ledger of the first release with 1e6 rows and running writers: how long an insert waits.

python -m benchmarks.migrations [--rows N] [--database postgresql|mariadb]

Reference: the longest insert of the same writers in the same database, for as long without a migration.
"""

import argparse
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.host import throwaway_database, verdict
from tests.__main__ import SERVICES

ROWS = 1_000_000
SEED_ROWS = 1000
WRITERS = 2
PAUSE_SECONDS = 0.005
LEAST_SECONDS = 2.0
"""The minimum time to watch writers: a migration may be over before one of them writes."""
MOST_WAIT_SECONDS = 1.0
UUIDS = {"postgresql": "gen_random_uuid()", "mysql": "UUID()"}
COLUMNS = (
    *("source", "model", "model_size", "prompt", "system_prompt", "response", "status", "input_tokens"),
    *("output_tokens", "thinking_tokens", "duration_ms", "user_id", "metadata", "created_at"),
)


@dataclass
class Watched:
    """What writers measured: the seconds of each insert, and the exceptions."""

    inserts: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def longest(self) -> float:
        return max(self.inserts, default=float("nan"))


def columns_of(number: int) -> dict[str, Any]:
    return {
        "source": ("llm_facade", "translate")[number % 2],
        "model": f"model-{number % 5}",
        "model_size": "small",
        "prompt": "lorem ipsum " * 20,
        "response": "lorem ipsum " * 20,
        "status": "failure" if number % 50 == 0 else "success",
        "input_tokens": number % 5000,
        "output_tokens": number % 700,
        "user_id": f"user-{number * 7919 % 5000}",
        "metadata": {"provider": "anthropic"},
    }


def fill(first_release: Any, rows: int) -> None:
    """Copy a thousand rows, and double them until there are enough."""
    from django.db import connection

    first_release.objects.bulk_create([first_release(**columns_of(number)) for number in range(min(SEED_ROWS, rows))])
    columns = ", ".join(COLUMNS)
    copy = f"INSERT INTO agent_prompt_log (id, {columns}) SELECT {UUIDS[connection.vendor]}, {columns} "  # noqa: S608
    with connection.cursor() as cursor:
        while (there := first_release.objects.count()) < rows:
            cursor.execute(f"{copy} FROM agent_prompt_log LIMIT {min(there, rows - there)}")
        cursor.execute(
            "ANALYZE agent_prompt_log" if connection.vendor == "postgresql" else "ANALYZE TABLE agent_prompt_log"
        )


def write(first_release: Any, watched: Watched, is_over: threading.Event) -> None:
    """Make calls as the first release writes and reads them, one after the other."""
    from django.db import connection

    number = 0
    while not is_over.wait(PAUSE_SECONDS):
        number += 1
        started_at = time.perf_counter()
        try:
            first_release.objects.create(**columns_of(number))
            watched.inserts.append(time.perf_counter() - started_at)
            latest = first_release.objects.filter(source="translate").order_by("-created_at")
            latest.values_list("response", flat=True).first()
        except Exception as fault:
            watched.faults.append(f"{type(fault).__name__}: {fault}")
    connection.close()


@contextmanager
def writers(first_release: Any) -> Iterator[Watched]:
    """Run writers during the block. Afterwards they have ended, and so have their last inserts."""
    watched, is_over = Watched(), threading.Event()
    threads = [threading.Thread(target=write, args=(first_release, watched, is_over)) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    watched.inserts.clear()
    try:
        yield watched
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def meanwhile(first_release: Any, work: Callable[[], None]) -> tuple[float, Watched]:
    """The seconds of `work`, and what writers measured during it, for at least LEAST_SECONDS."""
    with writers(first_release) as watched:
        started_at = time.perf_counter()
        work()
        seconds = time.perf_counter() - started_at
        time.sleep(max(0.2, LEAST_SECONDS - seconds))
    return seconds, watched


def migrate(name: str) -> Any:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    executor.migrate([("agent", name)])
    return executor


def later_migrations() -> list[str]:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes("agent"))
    return [migration.name for migration, _ in plan if migration.app_label == "agent"]


def measure(rows: int) -> None:
    executor = migrate("0001_initial")
    first_release = executor.loader.project_state([("agent", "0001_initial")]).apps.get_model("agent", "PromptLog")
    started_at = time.perf_counter()
    fill(first_release, rows)
    print(f"{rows:,} rows, made in {time.perf_counter() - started_at:.0f} s; {WRITERS} writers\n")
    print("| migration | seconds | longest insert, ms | without it, ms | ratio | inserts | failed |")
    print("|---|---:|---:|---:|---:|---:|---:|", flush=True)
    longest, faults = 0.0, list[str]()
    for name in later_migrations():
        seconds, watched = meanwhile(first_release, lambda name=name: migrate(name))  # type: ignore[misc]
        _, quiet = meanwhile(first_release, lambda seconds=seconds: time.sleep(seconds))  # type: ignore[misc]
        figures = f"{watched.longest * 1000:.0f} | {quiet.longest * 1000:.0f} | {watched.longest / quiet.longest:.1f}"
        print(f"| `{name}` | {seconds:.2f} | {figures} | {len(watched.inserts)} | {len(watched.faults)} |", flush=True)
        longest, faults = max([longest, *watched.inserts]), [*faults, *watched.faults, *quiet.faults]
    print()
    verdict(f"no insert waits longer than {MOST_WAIT_SECONDS:g} s", longest <= MOST_WAIT_SECONDS)
    verdict("no insert or read of the first release fails", not faults)
    for fault in dict.fromkeys(faults):
        print(f"  {fault[:200]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--database", choices=("postgresql", "mariadb"), default="postgresql")
    options = parser.parse_args()
    if not SERVICES[options.database]:
        print(f"not covered: {options.database}, which cannot be reached")
        return
    os.environ["DATABASE"] = options.database
    print(f"migrations on {options.database}", flush=True)
    with throwaway_database():
        measure(options.rows)


if __name__ == "__main__":
    main()
