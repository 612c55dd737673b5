"""The simulation beside real processes: the same calls at the same moments, at the same processes.

Members of a NATS queue group, then one event loop with MAX_CONCURRENCY. The ledger is on PostgreSQL. What a call costs
besides its provider is measured beforehand: where no call waits for another.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from benchmarks.host import verdict
from benchmarks.simulation import Call, Fleet, Outcome, Simulation, poisson, queue_only
from tests.__main__ import SERVICES
from tests.hosts import Host, Server, own_database
from tests.settings import NATS_URL

CALLS = 200
MEAN_SECONDS = 0.5
MEMBERS, MEMBERS_LOAD = 3, 0.6
PLACES, PLACES_LOAD = 4, 0.8
AGENT = {
    "DEFAULT_PROVIDER": "waiting",
    "PROVIDERS": {"waiting": "benchmarks.waiting_provider.Provider"},
    "CACHE_LOOKUP": {},
}
PATIENCE = 60

ON_A_LOOP = """
async def timed(latency, after=0.0):
    await asyncio.sleep(after)
    started_at = time.perf_counter()
    answer = await services.acomplete(str(latency), "small")
    assert answer["status"] == "ok", answer
    return time.perf_counter() - started_at - latency
async def main():
    for number in range(10):
        await timed(number * 1e-6)
    return await asyncio.gather(*(timed(latency, at) for at, latency in {calls}))
say(asyncio.run(main()))
"""


def trace(rate: float) -> list[Call]:
    """Calls to make, exact to the microsecond, so that no two are the same question."""
    calls = poisson(rate, CALLS, lambda generator: generator.expovariate(1 / MEAN_SECONDS))
    return [replace(call, latency=round(call.latency, 6)) for call in calls]


@contextmanager
def members(server: Server, number: int) -> Iterator[str]:
    """`serve_functions` processes of one queue group. Yields the prefix of their subject."""
    prefix = f"scaling.{uuid.uuid4().hex}"
    host = Host(server, AGENT, {"DJANGO_SETTINGS_MODULE": "benchmarks.scaling_host", "HOST_SUBJECT_PREFIX": prefix})
    script = "from django.core.management import call_command\ncall_command('serve_functions', skip_checks=True)"
    for _ in range(number):
        host.start(script)
    try:
        yield prefix
    finally:
        host.stop()


async def asked(client: Any, prefix: str, latency: float, after: float = 0.0) -> tuple[float, int]:
    """The seconds that a call waited for anything but its provider, and the process that answered."""
    await asyncio.sleep(after)
    payload = json.dumps({"payload": {"prompt": f"{latency:.6f}", "model": "small"}}).encode()
    started_at = time.perf_counter()
    reply = json.loads((await client.request(f"{prefix}.llm.complete", payload, timeout=PATIENCE)).data)
    answer = reply["result"]
    assert answer["status"] == "ok", answer
    return time.perf_counter() - started_at - latency, answer["result"]["process"]


async def all_are_there(client: Any, prefix: str, number: int) -> None:
    from nats.errors import NoRespondersError

    seen: set[int] = set()
    until = time.monotonic() + PATIENCE
    while len(seen) < number:
        assert time.monotonic() < until, "the processes did not start"
        try:
            seen.add((await asked(client, prefix, len(seen) * 1e-6))[1])
        except NoRespondersError:
            await asyncio.sleep(0.2)


async def over_nats(prefix: str, calls: Sequence[Call], number: int) -> tuple[list[float], list[tuple[float, int]]]:
    """How long calls wait one at a time, and how long those of the trace wait."""
    import nats

    client = await nats.connect(NATS_URL)
    try:
        await all_are_there(client, prefix, number)
        alone = [(await asked(client, prefix, turn * 1e-6))[0] for turn in range(30)]
        return alone, await asyncio.gather(*(asked(client, prefix, call.latency, call.arrives_at) for call in calls))
    finally:
        await client.close()


def queue_group(server: Server) -> None:
    calls = trace(MEMBERS * MEMBERS_LOAD / MEAN_SECONDS)
    with members(server, MEMBERS) as prefix:
        alone, answers = asyncio.run(over_nats(prefix, calls, MEMBERS))
    numbers = {process: number for number, process in enumerate({process for _, process in answers})}
    routed = [replace(call, member=numbers[process]) for call, (_, process) in zip(calls, answers, strict=True)]
    told = f"{MEMBERS} `serve_functions`, {MEMBERS_LOAD:.0%} used"
    compare(told, queue_only(1, processes=MEMBERS), alone, routed, [wait for wait, _ in answers])


def event_loop(server: Server) -> None:
    calls = trace(PLACES * PLACES_LOAD / MEAN_SECONDS)
    script = ON_A_LOOP.format(calls=[(call.arrives_at, call.latency) for call in calls])
    limited = {**AGENT, "MAX_CONCURRENCY": {"waiting": PLACES}}
    work, waits = (Host(server, agent).run(script) for agent in (AGENT, limited))
    compare(f"one loop, `MAX_CONCURRENCY` {PLACES}, {PLACES_LOAD:.0%} used", queue_only(PLACES), work, calls, waits)


def compare(name: str, fleet: Fleet, work: list[float], calls: list[Call], waits: list[float]) -> None:
    cost = statistics.fmean(work)
    outcome = Simulation(replace(fleet, cpu_seconds=cost), calls).run()
    real = Outcome(waits[-len(outcome.waits) :])
    mean, p95 = outcome.mean / real.mean, outcome.p95 / real.p95
    cells = (f"{real.mean:.3f}", f"{outcome.mean:.3f}", f"{mean:.2f}", f"{real.p95:.3f}", f"{outcome.p95:.3f}")
    print(f"| {name} | {cost * 1000:.0f} | {' | '.join(cells)} | {p95:.2f} |", flush=True)
    verdict("simulated within a quarter of measured", abs(mean - 1) <= 0.25 and abs(p95 - 1) <= 0.25)


def main() -> None:
    absent = [name for name in ("postgresql", "nats") if not SERVICES[name]]
    if absent:
        print(f"not covered: {', '.join(absent)}, which cannot be reached")
        return
    print(f"{CALLS} calls of {MEAN_SECONDS} s on average, the first fifth left out\n")
    print("| fleet | work, ms | mean, s | simulated | ratio | p95, s | simulated | ratio |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    with own_database("postgresql") as server:
        queue_group(server)
        event_loop(server)


if __name__ == "__main__":
    main()
