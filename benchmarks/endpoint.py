"""Processor time of `POST llm/complete` on one ASGI process, and how many requests of many clients it answers.

Reference: bare Django views that wait as long as the provider, in the same process behind the same middleware. One is
synchronous, as most views are. One is asynchronous, and one of that kind also inserts a row before it waits and updates
it afterwards: no call in the ledger can cost less.
"""

import asyncio
import os
import statistics
import sys

from benchmarks.host import show, verdict
from benchmarks.scaling import processor_seconds
from benchmarks.waiting import COMPLETE, client, load, served
from tests.__main__ import SERVICES
from tests.hosts import Host, Server, own_database

TARGETS = {"bare": "/bare", "async": "/bare-async", "written": "/bare-written", "endpoint": COMPLETE}
CLIENTS, SECONDS, ROUNDS = 8, 0.7, 10
CROWD, CROWD_SECONDS = 600, 8
LEAN = {"HOST_LEAN": "1"}


def processor_time(server: Server, environment: dict[str, str]) -> dict[str, float]:
    """Milliseconds of a process's processor time per request, by target: the median of turns."""
    times: dict[str, list[float]] = {name: [] for name in TARGETS}
    with served(Host(server, environment={**environment, "HOST_SECONDS": "0.001"})) as (port, process):
        for turn in range(ROUNDS + 1):
            for name, target in TARGETS.items():
                before = processor_seconds(process)
                answers = asyncio.run(answered(port, target))
                if turn:
                    times[name].append((processor_seconds(process) - before) / answers * 1000)
    return {name: statistics.median(spent) for name, spent in times.items()}


async def answered(port: int, target: str) -> int:
    """The number of requests of a few clients that were answered in a while."""
    loop = asyncio.get_running_loop()
    until = loop.time() + SECONDS
    return sum(map(len, await asyncio.gather(*(client(port, target, number, until) for number in range(CLIENTS)))))


def cost(server: Server, label: str, environment: dict[str, str]) -> float:
    times = processor_time(server, environment)
    bare, on_loop, written, endpoint = (times[name] for name in TARGETS)
    show(f"bare view, {label} (reference)", bare)
    show(f"bare async view, {label} (reference)", on_loop, note=f"= {on_loop / bare:.2f}x the bare view")
    show("the same, with an INSERT and an UPDATE (reference)", written, note=f"= {written / bare:.2f}x the bare view")
    note = f"= {endpoint / bare:.2f}x the bare view, {endpoint / on_loop:.2f}x the async one"
    show(f"POST llm/complete, {label}", endpoint, note=note)
    return endpoint / bare


def crowd(server: Server) -> None:
    """Many clients, and a provider of one second."""
    rates = {}
    for name, target in TARGETS.items():
        with served(Host(server)) as (port, _):
            asyncio.run(load(port, target, 10, 4))
            rates[name] = asyncio.run(load(port, target, CROWD, CROWD_SECONDS))
    bare, on_loop, written, endpoint = (rates[name] for name in TARGETS)
    show(f"bare view that waits 1 s, {CROWD} clients (reference)", bare, "requests/s")
    show(f"bare async view that waits 1 s, {CROWD} clients (reference)", on_loop, "requests/s")
    show("the same, with an INSERT and an UPDATE (reference)", written, "requests/s")
    show(
        f"POST llm/complete, 1 s provider, {CROWD} clients",
        endpoint,
        "requests/s",
        f"= {endpoint / bare:.2f}x the bare view",
    )


if __name__ == "__main__":
    if not SERVICES["postgresql"]:
        sys.exit("not covered: postgresql, which cannot be reached")
    os.environ.setdefault("WORKERS", "1")
    print("\nendpoint on postgresql", flush=True)
    with own_database("postgresql") as database:
        lean = cost(database, "the middleware of services", LEAN)
        whole = cost(database, "sessions, messages and JWT", {})
        verdict("<= 1.6x the bare view's processor time", max(lean, whole) <= 1.6)
        crowd(database)
