"""The simulation of many processes agrees with queues whose answer is known, and is reproducible."""

import math
import random

import pytest

from benchmarks.simulation import (
    FLEETS,
    LOADS,
    Call,
    ErlangC,
    Fleet,
    Simulation,
    VendorLimit,
    answers_of_a_model,
    described,
    known_queue,
    poisson,
    queue_only,
    simulated,
)
from tests.documents import table


@pytest.mark.parametrize(("places", "rate"), [(1, 0.6), (16, 14.0)])
def test_simulation__known_queue(places, rate):
    """The waits of M/M/c agree with Erlang's formula within four per cent."""
    formula, outcome = known_queue(places, rate, 40_000)
    assert outcome.mean == pytest.approx(formula.mean, rel=0.04)
    assert outcome.p95 == pytest.approx(formula.p95, rel=0.04)


def test_erlang__one_place():
    """With one place, the formula is that of M/M/1: the share that waits equals the utilisation."""
    formula = ErlangC(places=1, rate=0.6, service_seconds=1.0)
    assert formula.waits == pytest.approx(0.6)
    assert formula.mean == pytest.approx(0.6 / 0.4)
    assert formula.p95 == pytest.approx(math.log(0.6 / 0.05) / 0.4)


def test_simulation__same_again():
    """The same fleet and calls give the same outcome, to the last digit. Other calls give another one."""
    fleet = Fleet(processes=4, places=2, vendor_limit=3.0)
    assert simulated(fleet, 4) == simulated(fleet, 4)
    assert simulated(fleet, 4) != simulated(fleet, 5)


def test_simulation__blind_or_free():
    """Two calls sent to one process wait for each other. They do not if a free process takes the second."""
    calls = [Call(0.0, 1.0), Call(0.5, 1.0), Call(9.0, 1.0), Call(9.5, 1.0), Call(20.0, 1.0)]
    fleet = queue_only(1, processes=2)
    blind = Simulation(fleet, calls).run()
    free = Simulation(queue_only(1, processes=2, taken="free"), calls).run()
    assert blind.waits == pytest.approx([0.5, 0.0, 0.5, 0.0])
    assert free.waits == pytest.approx([0.0, 0.0, 0.0, 0.0])


def test_simulation__patience():
    """A call that finds no place in time fails, and uses none."""
    calls = [Call(0.0, 1.0), Call(1.0, 50.0), Call(1.1, 1.0), Call(60.0, 1.0), Call(61.5, 1.0)]
    outcome = Simulation(Fleet(places=1, patience=5.0, cpu_seconds=0.0, database_seconds=0.0), calls).run()
    assert (outcome.failed, outcome.waits) == ({"no place in time": 1}, pytest.approx([0.0, 0.0, 0.0]))


def test_simulation__vendor_limit():
    """Far above the vendor's limit, as many calls are answered as it allows, and the others are refused."""
    outcome = simulated(Fleet(places=1000, cpu_seconds=0.0, vendor_limit=10.0), 100)
    assert set(outcome.failed) == {"refused by the vendor"}
    assert 1 - outcome.failed_share == pytest.approx(0.1, abs=0.02)
    assert outcome.busiest == "vendor"


def test_vendor_limit__after_a_pause():
    """After a quiet second, the limit allows an extra second's worth of calls, and no more."""
    limit = VendorLimit(4.0)
    assert [limit.admits(100.0) for _ in range(7)] == [True] * 5 + [False] * 2
    assert [limit.admits(100.25) for _ in range(2)] == [True, False]


def test_simulation__interpreter():
    """One process cannot do more than a second's work in a second, however many places it has."""
    outcome = simulated(Fleet(places=10_000, cpu_seconds=0.02, database_seconds=0.0), 100)
    assert outcome.is_broken and outcome.busiest == "processes"
    assert not simulated(Fleet(places=10_000, cpu_seconds=0.02, database_seconds=0.0), 25).is_broken


def test_answers__mean():
    """The provider's answers take as long as the table says."""
    generator = random.Random(1)
    answers = sorted(answers_of_a_model(generator) for _ in range(50_000))
    assert sum(answers) / len(answers) == pytest.approx(3.0, rel=0.03)
    assert (answers[25_000], answers[47_500]) == (pytest.approx(2.2, rel=0.03), pytest.approx(8.1, rel=0.03))


def test_poisson__members():
    """Calls arrive at the requested rate, and each process gets its share."""
    calls = poisson(10.0, 20_000, answers_of_a_model, members=4)
    assert calls[-1].arrives_at == pytest.approx(2000, rel=0.03)
    assert sum(call.member == 3 for call in calls) == pytest.approx(5000, rel=0.05)


def test_fleets__table():
    """The documented table matches the simulation at the lowest load, and has the same fleets."""
    told_of = {name: cells for name, *cells in table("docs/scaling.md", "simulated fleets")}
    assert list(told_of) == [fleet.name for fleet in FLEETS]
    for fleet in FLEETS:
        assert told_of[fleet.name][0] == described(simulated(fleet, LOADS[0]))
