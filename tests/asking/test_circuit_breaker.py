"""A provider that fails repeatedly is skipped for a while, if it has a fallback. Then one call tries it again."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import async_to_sync
from stapel_core.observability import metrics
from stapel_core.observability.backends import MetricsBackend

from stapel_agent import services
from stapel_agent.asking import circuit_breaker
from stapel_agent.asking.attempt_sequence import Attempts
from stapel_agent.asking.concurrency_limit import Place
from stapel_agent.completion import as_text
from stapel_agent.exceptions import (
    AccessDenied,
    AnswerInterrupted,
    AnswerRefused,
    OutOfCredit,
    ProviderDown,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
)
from stapel_agent.providers.base import LlmProvider, ProviderResult
from stapel_agent.types import CompletionRequest
from tests.scripted_chain import asked, provider_of, rows, scripted_chain

pytestmark = [pytest.mark.django_db, pytest.mark.any_database, pytest.mark.usefixtures("immediately")]

DENIED = AccessDenied("key")
CALLERS = 20


@pytest.fixture
def gauge():
    """The cooldown metrics that the host receives: name, value and labels."""
    told = []

    class Recorder(MetricsBackend):
        def gauge(self, name, value, labels=None, **options):
            if "cooling" in name:
                told.append((name, value, labels))

    metrics.set_backend(Recorder())
    yield told
    metrics.set_backend(None)


def ask(facade, times=1):
    for _ in range(times):
        answer = facade.complete("say", "small")
    return answer


def with_fallback(agent, provider, **keys):
    """Register `provider` as the first of a chain whose second provider answers."""
    models = scripted_chain(agent, second="answer")
    providers = {"first": provider, "second": provider_of(models["second"])}
    agent(PROVIDERS=providers, DEFAULT_PROVIDER="first", FALLBACKS={"first": ["second"]}, **keys)
    return models


# --- what counts as a failure


@pytest.mark.parametrize(("keys", "times"), [({}, 5), ({"COOLDOWN_FAILURES": 1}, 1), ({"COOLDOWN_FAILURES": 3}, 3)])
def test_cooldown__after_failures_in_a_row(facade, agent, keys, times):
    """The provider is skipped after exactly COOLDOWN_FAILURES failures."""
    models = scripted_chain(agent, first=DENIED, second="answer")
    agent(**keys)
    ask(facade, 8)
    assert asked(models) == {"first": times, "second": 8}


def test_cooldown__retries_count(facade, agent):
    """Each failed attempt counts, including retries, and all retries are made."""
    models = scripted_chain(agent, first=ProviderUnavailable("busy"), second="answer")
    agent(COOLDOWN_FAILURES=2)
    ask(facade, 2)
    assert asked(models) == {"first": 3, "second": 2}


AGAINST = [
    *(ProviderUnavailable("busy"), RateLimited("later"), ProviderDown("301"), OutOfCredit("pay"), DENIED),
    *(ProviderTimeout("slow"), ProviderError("broke"), ValueError("broke")),
]


@pytest.mark.parametrize("fault", AGAINST, ids=repr)
def test_cooldown__failures_of_the_provider(facade, agent, fault):
    """Every error that shows that the provider does not work counts, whether or not it leads to a fallback."""
    models = scripted_chain(agent, first=fault, second="answer")
    agent(COOLDOWN_FAILURES=2, RETRIES=0)
    ask(facade, 5)
    assert asked(models)["first"] == 2


@pytest.mark.parametrize(
    "reply",
    [
        "answer",
        RequestRejected("no"),
        AnswerRefused("no"),
        AnswerInterrupted("half"),
        ProviderResult("half", finish_reason="length"),
    ],
    ids=repr,
)
def test_cooldown__outcomes_that_end_it(facade, agent, reply):
    """An answer, even an unusable one, and a rejection of the request reset the count."""
    models = scripted_chain(agent, first=[DENIED, DENIED, reply] * 4, second="answer")
    agent(COOLDOWN_FAILURES=3)
    ask(facade, 12)
    assert asked(models)["first"] == 12


def test_cooldown__cancelled_calls_count_for_nothing(agent):
    """A cancelled caller counts neither as a failure nor as a success."""

    class Waiting(LlmProvider):
        calls = 0

        async def acomplete(self, **arguments):
            Waiting.calls += 1
            if Waiting.calls in (1, 4):
                raise DENIED
            if Waiting.calls < 4:
                await asyncio.Event().wait()

    async def call_often():
        for number in range(1, 6):
            task = asyncio.create_task(services.acomplete("say", "small"))
            while Waiting.calls < number and not task.done():
                await asyncio.sleep(0.01)
            if number in (2, 3):
                task.cancel()
            await asyncio.wait({task})

    models = with_fallback(agent, Waiting, COOLDOWN_FAILURES=2)
    async_to_sync(call_often)()
    assert (Waiting.calls, asked(models)) == (4, {"second": 3})


def test_cooldown__busy_counts_for_nothing(facade, agent):
    """`busy` does not count, because our own calls fill the provider."""
    models = scripted_chain(agent, first="answer", second="another")
    agent(COOLDOWN_FAILURES=1, MAX_CONCURRENCY={"first": 1}, DEADLINE=0.05)
    held = Place("first")
    assert held.take(1)
    ask(facade, 2)
    held.leave()
    agent(DEADLINE=None)
    assert ask(facade)["result"] == "answer"
    assert asked(models)["first"] == 1


# --- which providers are skipped


def test_cooldown__only_beside_a_fallback(facade, agent):
    """The only provider, and the last one of a chain, is always asked."""
    models = scripted_chain(agent, first=DENIED, second=DENIED)
    agent(COOLDOWN_FAILURES=1)
    ask(facade, 3)
    assert asked(models) == {"first": 1, "second": 3}
    agent(FALLBACKS={})
    assert ask(facade, 3)["reason"] == "auth: key"
    assert asked(models) == {"first": 4, "second": 3}


def test_cooldown__reason_and_rows(facade, agent):
    """A failure names the skipped providers. They have no row."""
    scripted_chain(agent, first=DENIED, second=DENIED, third=OutOfCredit("pay"))
    agent(COOLDOWN_FAILURES=1)
    assert ask(facade)["reason"] == (
        "out_of_credit: pay (before it, 'first': auth: key; before it, 'second': auth: key)"
    )
    assert ask(facade)["reason"] == (
        "out_of_credit: pay (skipped, cooling down: 'first'; skipped, cooling down: 'second')"
    )
    assert [provider for provider, *_ in rows()] == ["first", "second", "third", "third"]


# --- after the cooldown


def test_cooldown__ends_with_an_answer(facade, agent, gauge):
    """If the provider answers after the cooldown, it is the first again, and the metric shows both changes."""
    models = scripted_chain(agent, first=[DENIED, DENIED, "back"], second="answer")
    agent(COOLDOWN_FAILURES=2, COOLDOWN_SECONDS=0.1)
    ask(facade, 2)
    assert gauge == [("stapel_agent_provider_cooling_down", 1, {"provider": "first"})]
    time.sleep(0.15)
    assert ask(facade)["result"] == "back"
    assert gauge[1:] == [("stapel_agent_provider_cooling_down", 0, {"provider": "first"})]
    ask(facade, 3)
    assert (asked(models)["first"], len(gauge)) == (6, 2)


def test_cooldown__goes_on_after_a_failed_try(facade, agent, gauge):
    """After the cooldown, one more failure starts the next one, and the metric does not change."""
    models = scripted_chain(agent, first=DENIED, second="answer")
    agent(COOLDOWN_FAILURES=3, COOLDOWN_SECONDS=0.1)
    ask(facade, 3)
    time.sleep(0.15)
    agent(COOLDOWN_SECONDS=60)
    ask(facade, 4)
    assert asked(models) == {"first": 4, "second": 7}
    assert [value for _, value, _ in gauge] == [1]


def test_cooldown__tried_by_one_task(agent):
    """If many tasks come after the cooldown, one tries the provider, and the others skip it."""
    release = asyncio.Event()

    class Recovering(LlmProvider):
        calls = 0

        async def acomplete(self, **arguments):
            Recovering.calls += 1
            if Recovering.calls == 1:
                raise DENIED
            await release.wait()
            return ProviderResult("back")

    with_fallback(agent, Recovering, COOLDOWN_FAILURES=1, COOLDOWN_SECONDS=0.05)

    async def storm():
        await services.acomplete("say", "small")
        await asyncio.sleep(0.1)
        agent(COOLDOWN_SECONDS=60)
        tasks = [asyncio.create_task(services.acomplete("say", "small")) for _ in range(CALLERS)]
        deadline = time.monotonic() + 100
        while sum(task.done() for task in tasks) < CALLERS - 1 and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        release.set()
        return await asyncio.gather(*tasks)

    results = [answer["result"] for answer in async_to_sync(storm)()]
    assert sorted(results) == ["answer"] * (CALLERS - 1) + ["back"]
    assert Recovering.calls == 2


class SlowSettings:
    """Lets all other threads run before it returns a value."""

    COOLDOWN_FAILURES = 1
    COOLDOWN_SECONDS = property(lambda self: time.sleep(0.02) or 60)


def test_cooldown__tried_by_one_thread(agent, monkeypatch):
    """Of threads that come at the same moment, only one tries the provider."""
    released, together = threading.Event(), threading.Barrier(CALLERS)
    calls = []

    class Recovering(LlmProvider):
        def complete(self, **arguments):
            calls.append(threading.get_ident())
            if len(calls) == 1:
                raise DENIED
            assert released.wait(100)
            return ProviderResult("back")

    with_fallback(agent, Recovering, COOLDOWN_FAILURES=1, COOLDOWN_SECONDS=0.05)

    def walk(*, alone=False):
        if not alone:
            together.wait(100)
        attempts = Attempts(CompletionRequest("say", "small", "first", "llm_facade", 9), as_text)
        for attempt in attempts:
            with attempt:
                attempt.ask()
        return attempts.completion().text

    assert walk(alone=True) == "answer"
    time.sleep(0.1)
    monkeypatch.setattr(circuit_breaker, "agent_settings", SlowSettings())
    with ThreadPoolExecutor(CALLERS) as threads:
        texts = [threads.submit(walk) for _ in range(CALLERS)]
        while sum(text.done() for text in texts) < CALLERS - 1:
            time.sleep(0.01)
        released.set()
    assert sorted(text.result() for text in texts) == ["answer"] * (CALLERS - 1) + ["back"]
    assert len(calls) == 2
