"""What is measured for each call, with which labels."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from decimal import Decimal
from functools import partial

import pytest
from asgiref.sync import async_to_sync
from stapel_core.observability import metrics as facade
from stapel_core.observability.backends import MetricsBackend

from stapel_agent import record_call, services
from stapel_agent.exceptions import AccessDenied, ProviderTimeout
from stapel_agent.models import PromptLog
from stapel_agent.providers.base import LlmProvider, ProviderResult
from stapel_agent.sharing.single_flight import SingleFlight
from stapel_agent.telemetry import metrics
from stapel_agent.testing import scripted_provider
from stapel_agent.types import FinishedCall, Usage
from tests.measured import Measurements, measuring
from tests.scripted_chain import scripted_chain

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

SMALL = ("anthropic", "claude-haiku-4-5-20251001", "llm_facade")


@pytest.fixture
def measured() -> Iterator[Measurements]:
    """The metrics of one test."""
    with measuring() as measurements:
        yield measurements


@pytest.fixture
def clock(monkeypatch):
    """A clock that advances by the given seconds."""

    class Clock:
        now = 100.0

        def perf_counter(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(metrics, "time", clock)
    return clock


def test_call__measured(facade, scripted_model, measured):
    """A call counts once, with its tokens of each kind and its time. No label names the caller or a text."""
    scripted_model.script(ProviderResult("answer", 1, 2, 1, 4, 5))
    facade.complete("say", "small", user_id="user-7", workspace_id="acme", context={"run": 9})
    assert measured.of(metrics.CALLS) == [(1, (*SMALL, "success"))]
    assert measured.of(metrics.TOKENS) == [
        (tokens, (*SMALL, kind)) for kind, tokens in zip(metrics.TOKEN_KINDS, (1, 2, 4, 5), strict=True)
    ]
    ((seconds, labels),) = measured.of(metrics.CALL_SECONDS)
    assert (0 <= seconds < 10, labels) == (True, (*SMALL, "success"))
    assert measured.of(metrics.IN_FLIGHT) == [(1, ("anthropic",)), (0, ("anthropic",))]
    ((seconds, labels),) = measured.of(metrics.OVERHEAD_SECONDS)
    assert (0 <= seconds < 10, labels) == (True, ("llm_facade",))
    assert not any(word in str(measured.told) for word in ("user-7", "acme", "run", "say", "wrong"))


def test_calls__by_status(facade, agent, measured):
    """Each attempt counts, with the status of its row."""
    scripted_chain(agent, first=AccessDenied("key"), second=ProviderTimeout("slow"), third="unused")
    facade.complete("say", "small")
    assert [labels for _, labels in measured.of(metrics.CALLS)] == [
        ("first", SMALL[1], "llm_facade", "failure"),
        ("second", SMALL[1], "llm_facade", "timeout"),
    ]
    assert [value for value, _ in measured.of(metrics.IN_FLIGHT)] == [1, 0, 1, 0]
    assert len(measured.of(metrics.OVERHEAD_SECONDS)) == 1


def test_calls__made_elsewhere(measured):
    """Recorded external calls are measured too."""
    record_call(source="embed", provider="house", model="m", input_tokens=9, duration_ms=1500)
    asked = ("house", "m", "embed")
    assert measured.of(metrics.CALLS) == [(1, (*asked, "success"))]
    assert measured.of(metrics.TOKENS) == [(9, (*asked, "input"))]
    assert measured.of(metrics.CALL_SECONDS) == [(1.5, (*asked, "success"))]


@pytest.mark.parametrize(("cost", "told"), [(Decimal("0.0125"), [0.0125]), (Decimal(0), []), (None, [])])
def test_cost__where_it_is_known(measured, cost, told):
    """Dollars are summed up for calls with a known cost."""
    facts = {"source": "llm_facade", "provider": "anthropic", "model": SMALL[1], "model_size": "small"}
    facts |= {"status": "success", "failure": None, "usage": Usage(), "duration_ms": None, "metadata": {}}
    whose = {"user_id": None, "workspace_id": None}
    metrics.count(FinishedCall(id=uuid.uuid4(), request_id=None, cost_usd=cost, **facts, **whose))
    assert measured.of(metrics.COST) == [(amount, SMALL) for amount in told]


def test_cost__estimated(facade, agent, measured):
    """Estimated costs of calls with an unknown outcome are summed up separately."""
    scripted_chain(agent, only=ProviderTimeout("slow"))
    agent(PRICES={SMALL[1]: {"input": "1", "output": "2"}})
    facade.complete("say", "small")
    estimate = float(PromptLog.objects.get().estimated_cost_usd)
    assert measured.of(metrics.ESTIMATED_COST) == [(estimate, ("only", *SMALL[1:]))]
    assert measured.of(metrics.COST) == []


def test_hits__of_the_cache(facade, scripted_model, agent, measured):
    """A cached answer is a hit and not a call. A miss is not a hit."""
    agent(CACHE_LOOKUP={"llm_facade": True})
    for _ in range(3):
        facade.complete("say", "small")
    assert measured.of(metrics.CACHE_HITS) == [(1, (*SMALL, "kept"))] * 2
    assert len(measured.of(metrics.CALLS)) == 1
    assert len(measured.of(metrics.OVERHEAD_SECONDS)) == 3


def test_hits__of_a_translation(facade, scripted_model, measured):
    """Each cached text counts as a hit."""
    scripted_model.script('{"1": "Hallo", "2": "Welt"}', '{"1": "Neu"}')
    facade.translate("en", "de", {"a": "Hello", "b": "World"})
    facade.translate("en", "de", {"a": "Hello", "b": "World", "c": "New"})
    assert measured.of(metrics.CACHE_HITS) == [(2, (*SMALL[:2], "translate", "kept"))]


@pytest.mark.parametrize(
    ("ask", "reply", "hits"),
    [
        (partial(services.acomplete, "say", "small"), "answer", (1, "llm_facade")),
        (partial(services.atranslate, "en", "de", {"a": "A", "b": "B"}), '{"1": "Ä", "2": "Be"}', (2, "translate")),
    ],
)
def test_hits__shared_in_flight(agent, measured, monkeypatch, ask, reply, hits):
    """An answer that is shared with another caller is a hit, and so is each of its texts."""
    release, following = asyncio.Event(), asyncio.Semaphore(0)
    awaited = SingleFlight._await_outcome

    async def seen_to_await(flight, ahead):
        following.release()
        return await awaited(flight, ahead)

    monkeypatch.setattr(SingleFlight, "_await_outcome", seen_to_await)

    class Waiting(LlmProvider):
        async def acomplete(self, **arguments):
            await release.wait()
            return ProviderResult(reply)

    async def main():
        calls = [asyncio.create_task(ask(provider="waiting")) for _ in range(3)]
        for _ in range(2):
            await following.acquire()
        release.set()
        return await asyncio.gather(*calls)

    agent(PROVIDERS={"waiting": Waiting}, CACHE_LOOKUP={"llm_facade": True, "translate": True})
    assert {answer["status"] for answer in async_to_sync(main)()} == {"ok"}
    number, source = hits
    assert measured.of(metrics.CACHE_HITS) == [(number, ("waiting", SMALL[1], source, "shared"))] * 2


def test_overhead__is_our_own_time(clock, measured):
    """Waits for others do not count as overhead. Overlapping waits, also in threads of the call, count once."""
    with metrics.request_timed("translate"):
        clock.now += 1
        with metrics.waiting():
            clock.now += 10
            with metrics.waiting():
                clock.now += 20
            clock.now += 5
        clock.now += 2
        with metrics.provider_call("anthropic"):
            clock.now += 7
    assert measured.of(metrics.OVERHEAD_SECONDS) == [(3.0, ("translate",))]


def test_overhead__of_a_call_within_a_call(clock, measured):
    """If a provider calls the facade, the inner call is a wait of the outer one."""
    with metrics.request_timed("outer"):
        clock.now += 1
        with metrics.provider_call("asking"), metrics.request_timed("inner"):
            clock.now += 5
        clock.now += 1
    assert measured.of(metrics.OVERHEAD_SECONDS) == [(5.0, ("inner",)), (2.0, ("outer",))]


def test_overhead__without_the_providers_time(facade, agent, clock, measured):
    """The provider's time does not count as overhead, including retries, in any thread."""

    class Slow(LlmProvider):
        def complete(self, **arguments):
            clock.now += 30
            return ProviderResult("answer")

    agent(PROVIDERS={"slow": Slow})
    facade.complete("say", "small", provider="slow")
    assert measured.of(metrics.OVERHEAD_SECONDS) == [(0.0, ("llm_facade",))]


def test_in_flight__while_the_provider_thinks(facade, agent, measured):
    """The gauge counts running calls of all threads of the process."""
    seen = []

    class Looking(LlmProvider):
        def complete(self, **arguments):
            with metrics.provider_call("looking"):
                seen.append(measured.of(metrics.IN_FLIGHT)[-1])
            return ProviderResult("answer")

    agent(PROVIDERS={"looking": Looking})
    facade.complete("say", "small", provider="looking")
    assert seen == [(2, ("looking",))]
    assert measured.of(metrics.IN_FLIGHT)[-1] == (0, ("looking",))


def test_in_flight__of_a_forked_child(measured):
    """A forked child starts without its parent's running calls."""
    parents = metrics.InFlight()
    parents.change("parents", 1)
    parents.start_anew()
    parents.change("parents", 1)
    assert measured.of(metrics.IN_FLIGHT) == [(1, ("parents",))] * 2


def test_backend__options(facade, scripted_model, measured):
    """Histograms cover the times of models. Gauges of processes are added up, and a flag is raised if any raises it."""
    facade.complete("say", "small")
    metrics.COOLING_DOWN.show(1, provider="anthropic")
    assert measured.buckets["stapel_agent_call_seconds"][-1] == 300
    assert measured.buckets["stapel_agent_overhead_seconds"][0] == 0.001
    assert measured.modes == {
        "stapel_agent_calls_in_flight": "livesum",
        "stapel_agent_provider_cooling_down": "livemax",
    }


def test_metrics__all_declared():
    """The list of metrics has every metric of the module, with a unique name."""
    declared = [value for value in vars(metrics).values() if isinstance(value, metrics.Metric)]
    assert declared == list(metrics.METRICS)
    assert len({metric.name for metric in declared}) == len(declared)


def test_backend__that_fails(facade, scripted_model):
    """If the host's metrics backend raises, the answer is not affected."""
    with measuring() as broken:
        broken._tell = None
        assert facade.complete("say", "small")["status"] == "ok"


@pytest.mark.parametrize("available", [True, False])
def test_metrics__prepared_for_a_backend_that_records(monkeypatch, available):
    """Without a backend that records, such as Prometheus without its client, no metric is prepared."""
    told = []

    class Backend(MetricsBackend):
        def counter(self, name, *facts, **more):
            told.append(name)

        gauge = histogram = counter

    Backend.available = available
    monkeypatch.setattr(facade, "_override", Backend())
    with scripted_provider("Paris"):
        assert services.complete("capital?", "small")["status"] == "ok"
    assert ("stapel_agent_calls_total" in told) is available
    assert bool(told) is available
