"""Simulates many processes: how long calls wait for anything but their provider, at a given load.

python -m benchmarks.simulation

First a queue with a known answer, then the table of docs/scaling.md. benchmarks/simulated_and_real.py compares the same
model with real processes.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean, quantiles
from typing import Any, Literal

import simpy

LOADS = (1, 10, 100, 1000)
LEAST_CALLS, LEAST_SECONDS = 4000, 60
WARM_UP = 0.2
"""The share of the first calls that is left out, because they find an empty fleet."""
SEED = 20

ANSWER_SECONDS, ANSWER_SPREAD = 3.0, 0.8
"""Mean and sigma of a log-normal provider: half of its answers take less than 2.2 s, one in twenty more than 8.1 s."""
VENDOR_LIMIT = 66.0
"""Calls per second: 4,000 requests a minute, a common limit of vendors."""
CPU_SECONDS, DATABASE_SECONDS = 0.005, 0.00035
"""The processor seconds of a process per call, and of the database per write, by `benchmarks.scaling`."""
REFUSED_SECONDS = 0.05
RETRIES, FIRST_DELAY = 2, 0.5
OWN_CONNECTIONS = 4
"""These three are the package's values."""

WAIT_LIMIT, FAILED_LIMIT = 1.0, 0.01
"""A fleet is broken if one call in twenty waits longer, or more calls fail."""

Steps = Generator[Any, Any, None]


@dataclass(frozen=True)
class Fleet:
    """The processes that answer calls. `places` is how many calls a process may run at once.

    A call goes to a process "blindly", busy or not, as from a NATS queue group or a load balancer; or the next "free"
    process takes it from one queue.
    """

    name: str = ""
    machines: int = 1
    processes: int = 1  # per machine
    places: int = 1
    taken: Literal["blindly", "free"] = "blindly"
    cores: int = 2  # per machine
    database_cores: int = 2
    cpu_seconds: float = CPU_SECONDS
    database_seconds: float = DATABASE_SECONDS
    vendor_limit: float = math.inf
    patience: float = 120.0

    @property
    def members(self) -> int:
        return self.machines * self.processes


@dataclass(frozen=True)
class Call:
    """When it arrives, how long its provider takes, and which process gets it if it is sent blindly."""

    arrives_at: float
    latency: float
    member: int = 0


@dataclass
class Outcome:
    """The seconds that each answered call waited, why others failed, and the used share of each resource."""

    waits: list[float] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    used: dict[str, float] = field(default_factory=dict)

    @property
    def failed_share(self) -> float:
        return self.failed.total() / max(1, self.failed.total() + len(self.waits))

    @property
    def mean(self) -> float:
        return fmean(self.waits) if self.waits else math.inf

    @property
    def p95(self) -> float:
        return quantiles(self.waits, n=20)[18] if len(self.waits) > 1 else math.inf

    @property
    def is_broken(self) -> bool:
        return self.p95 > WAIT_LIMIT or self.failed_share > FAILED_LIMIT

    @property
    def busiest(self) -> str:
        return max(self.used, key=self.used.__getitem__)


class VendorLimit:
    """A limit of calls per second, with as many at once after a quiet second (the generic cell rate algorithm)."""

    def __init__(self, rate: float) -> None:
        self._interval = 1 / rate
        self._due = 0.0
        self.admitted = 0

    def admits(self, now: float) -> bool:
        due = max(self._due, now)
        if due - now > 1.0:
            return False
        self._due = due + self._interval
        self.admitted += 1
        return True


class Simulation:
    """One run of calls through a fleet."""

    def __init__(self, fleet: Fleet, calls: Sequence[Call], seed: int = SEED) -> None:
        self._fleet, self._calls = fleet, calls
        self._random = random.Random(seed)
        self._world = world = simpy.Environment()
        members = fleet.members
        shared = fleet.taken == "free"
        self._places = [
            simpy.Resource(world, fleet.places * (members if shared else 1)) for _ in range(1 if shared else members)
        ]
        self._interpreters = [simpy.Resource(world, 1) for _ in range(members)]
        self._connections = [simpy.Resource(world, OWN_CONNECTIONS) for _ in range(members)]
        self._machines = [simpy.Resource(world, fleet.cores) for _ in range(fleet.machines)]
        self._database = simpy.Resource(world, fleet.database_cores)
        self._limit = VendorLimit(fleet.vendor_limit)
        self._under_way = [0] * members
        self._held: Counter[str] = Counter()
        self._outcome = Outcome()
        self._first_counted = calls[int(len(calls) * WARM_UP)].arrives_at

    def run(self) -> Outcome:
        self._world.process(self._arrivals())
        self._world.run()
        fleet, seconds = self._fleet, self._world.now
        capacity = {
            "places": fleet.members * fleet.places,
            "processes": fleet.members,
            "cores": fleet.machines * fleet.cores,
            "database": fleet.database_cores,
        }
        self._outcome.used = {name: self._held[name] / most / seconds for name, most in capacity.items()}
        # Over the time in which calls arrive: the limit has no queue to work off afterwards.
        self._outcome.used["vendor"] = self._limit.admitted / fleet.vendor_limit / self._calls[-1].arrives_at
        return self._outcome

    def _arrivals(self) -> Steps:
        for call in self._calls:
            yield self._world.timeout(call.arrives_at - self._world.now)
            self._world.process(self._call(call))

    def _call(self, call: Call) -> Steps:
        arrived_at = self._world.now
        fault = ""
        places = self._places[call.member if len(self._places) > 1 else 0]
        with places.request() as place:
            yield place | self._world.timeout(self._fleet.patience)
            if not place.triggered:
                fault = "no place in time"
            else:
                fault = yield from self._attempts(call, self._member(call))
        if call.arrives_at >= self._first_counted:
            if fault:
                self._outcome.failed[fault] += 1
            else:
                self._outcome.waits.append(self._world.now - arrived_at - call.latency)

    def _member(self, call: Call) -> int:
        if self._fleet.taken == "blindly":
            return call.member
        return min(range(self._fleet.members), key=self._under_way.__getitem__)

    def _attempts(self, call: Call, member: int) -> Generator[Any, Any, str]:
        """Ask the provider until it answers. Returns the error, if any."""
        placed_at = self._world.now
        self._under_way[member] += 1
        fault = "refused by the vendor"
        for retries_made in range(RETRIES + 1):
            yield from self._work(member)
            if self._limit.admits(self._world.now):
                yield self._world.timeout(call.latency)
                fault = ""
            else:
                yield self._world.timeout(REFUSED_SECONDS)
            yield from self._work(member)
            if not fault or retries_made == RETRIES:
                break
            yield self._world.timeout(self._random.uniform(0, FIRST_DELAY * 2**retries_made))
        self._under_way[member] -= 1
        self._held["places"] += self._world.now - placed_at
        return fault

    def _work(self, member: int) -> Steps:
        """Before and after the provider: half of a call's work in its process, and one of its two writes."""
        fleet, seconds = self._fleet, self._fleet.cpu_seconds / 2
        machine = self._machines[member // fleet.processes]
        if seconds:
            with self._interpreters[member].request() as interpreter:
                yield interpreter
                with machine.request() as core:
                    yield core
                    yield self._world.timeout(seconds)
            self._held["processes"] += seconds
            self._held["cores"] += seconds
        if fleet.database_seconds:
            with self._connections[member].request() as connection:
                yield connection
                with self._database.request() as core:
                    yield core
                    yield self._world.timeout(fleet.database_seconds)
            self._held["database"] += fleet.database_seconds


def poisson(rate: float, count: int, latency: Callable[[random.Random], float], members: int = 1) -> list[Call]:
    """Independent calls: exponential gaps, and a random process for each."""
    generator = random.Random(SEED)
    calls, now = [], 0.0
    for _ in range(count):
        now += generator.expovariate(rate)
        calls.append(Call(now, latency(generator), generator.randrange(members)))
    return calls


def answers_of_a_model(generator: random.Random) -> float:
    middle = math.log(ANSWER_SECONDS) - ANSWER_SPREAD**2 / 2
    return generator.lognormvariate(middle, ANSWER_SPREAD)


def simulated(fleet: Fleet, rate: float) -> Outcome:
    """Simulate `rate` calls per second."""
    count = max(LEAST_CALLS, int(rate * LEAST_SECONDS))
    return Simulation(fleet, poisson(rate, count, answers_of_a_model, fleet.members)).run()


@dataclass(frozen=True)
class ErlangC:
    """The closed form of the M/M/c queue (Erlang, 1917): independent calls, exponential service, one queue."""

    places: int
    rate: float
    service_seconds: float

    @property
    def spare(self) -> float:
        """The unused capacity in calls per second."""
        return self.places / self.service_seconds - self.rate

    @property
    def waits(self) -> float:
        """The share of calls that wait at all."""
        load = self.rate * self.service_seconds
        blocked = 1.0  # Erlang B, by its recursion over the places
        for place in range(1, self.places + 1):
            blocked = load * blocked / (place + load * blocked)
        return blocked / (1 - load / self.places * (1 - blocked))

    @property
    def mean(self) -> float:
        return self.waits / self.spare

    @property
    def p95(self) -> float:
        return max(0.0, math.log(self.waits / 0.05) / self.spare)


def queue_only(places: int, **options: Any) -> Fleet:
    """A fleet in which only places and the provider cost time."""
    return Fleet(places=places, cpu_seconds=0.0, database_seconds=0.0, patience=math.inf, **options)


def known_queue(places: int, rate: float, count: int) -> tuple[ErlangC, Outcome]:
    """M/M/c twice: by its formula, and simulated."""
    calls = poisson(rate, count, lambda generator: generator.expovariate(1.0))
    return ErlangC(places, rate, 1.0), Simulation(queue_only(places), calls).run()


NATS = Fleet("8 `serve_functions` on one machine", processes=8)
LOOP = Fleet("1 ASGI process", places=1000)
TEN = replace(LOOP, machines=10, processes=2)
FLEETS = (
    replace(NATS, name="1 `serve_functions` process", processes=1),
    NATS,
    replace(NATS, name="the same 8 behind one queue", taken="free"),
    replace(NATS, name="512 `serve_functions` on 8 machines", machines=8, processes=64),
    replace(LOOP, name="1 ASGI process, `MAX_CONCURRENCY` 8", places=8),
    LOOP,
    replace(LOOP, name="2 ASGI processes on one machine", processes=2),
    replace(TEN, name="20 ASGI processes on 10 machines, one vendor's limit", vendor_limit=VENDOR_LIMIT),
    replace(TEN, name="the same without that limit"),
    replace(TEN, name="the same, a database of half a core", database_cores=1, database_seconds=2 * DATABASE_SECONDS),
)


def row(fleet: Fleet) -> Iterator[str]:
    """The cells of a row: the fleet, its figures, and what is used up first."""
    first_broken = "–"
    yield fleet.name
    for load in LOADS:
        outcome = simulated(fleet, load)
        if outcome.is_broken and first_broken == "–":
            first_broken = outcome.busiest
        yield described(outcome)
    yield first_broken


def needed(fleet: Fleet, load: float) -> int:
    """The fewest processes with which nothing is broken, to within a twentieth."""
    few, enough = 1, 2
    while simulated(replace(fleet, processes=enough, cores=enough), load).is_broken:
        few, enough = enough, enough * 2
    while enough - few > max(1, enough // 20):
        middle = (few + enough) // 2
        if simulated(replace(fleet, processes=middle, cores=middle), load).is_broken:
            few = middle
        else:
            enough = middle
    return enough


def described(outcome: Outcome) -> str:
    """The 95th percentile of the waits, "grows" if it grows as long as the load lasts, or the share that fails."""
    if outcome.failed_share > FAILED_LIMIT:
        return f"{outcome.failed_share:.0%} fail"
    return "grows" if outcome.p95 > LEAST_SECONDS / 3 else f"{outcome.p95:.2f} s"


def main() -> None:
    print("| M/M/c, 100 000 calls | simulated mean, s | closed form | ratio | p95 | closed form | ratio |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for places, rate in ((1, 0.6), (4, 3.2), (16, 14.0)):
        formula, outcome = known_queue(places, rate, 100_000)
        mean, p95 = f"{outcome.mean / formula.mean:.2f}", f"{outcome.p95 / formula.p95:.2f}"
        cells = f"{outcome.mean:.3f} | {formula.mean:.3f} | {mean} | {outcome.p95:.3f} | {formula.p95:.3f} | {p95}"
        print(f"| {places} places, {rate / places:.0%} used | {cells} |", flush=True)
    print("\n| fleet | " + " | ".join(f"{load}/s" for load in LOADS) + " | used up first |")
    print("|---|" + "---:|" * len(LOADS) + "---|")
    for fleet in FLEETS:
        print("| " + " | ".join(row(fleet)) + " |", flush=True)
    print(f"\n| processes of 1 place so that 95% wait <= {WAIT_LIMIT:g} s | taken blindly | by the free | ratio |")
    print("|---|---:|---:|---:|")
    for load in LOADS[:2]:
        blind, free = needed(NATS, load), needed(replace(NATS, taken="free"), load)
        print(f"| {load}/s, {load * ANSWER_SECONDS:g} under way | {blind} | {free} | {blind / free:.1f} |", flush=True)


if __name__ == "__main__":
    main()
