"""MAX_CONCURRENCY: never more calls at a provider than it says, in their turn, and no place is ever lost."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from asgiref.sync import async_to_sync

from stapel_agent import services
from stapel_agent.asking import circuit_breaker, concurrency_limit
from stapel_agent.asking.attempt_sequence import Attempts
from stapel_agent.asking.concurrency_limit import Place
from stapel_agent.asking.retries import immediate
from stapel_agent.completion import as_text
from stapel_agent.exceptions import AccessDenied, ProviderTimeout, ProviderUnavailable, RateLimited, RequestRejected
from stapel_agent.ledger import row_statements
from stapel_agent.models import PromptLog
from stapel_agent.providers.base import LlmProvider, ProviderResult
from stapel_agent.types import CompletionRequest
from tests.answers import TRACED, failure_of
from tests.scripted_chain import ANSWERED, asked, counting_provider, instead_of_sleep, rows, scripted_chain

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

LIMIT = 3
BUSY = "busy: MAX_CONCURRENCY calls to provider 'first' are already running"
SCHEMA = {"type": "object", "required": ["n"]}


@pytest.fixture(autouse=True)
def none_left():
    """Each test begins and ends with every place free."""
    concurrency_limit._bulkheads.clear()
    yield
    assert {name: places._taken for name, places in concurrency_limit._bulkheads.items() if places._taken} == {}
    concurrency_limit._bulkheads.clear()
    circuit_breaker.clear()


def is_free(name="first") -> bool:
    """Whether a call could be made at once."""
    place = Place(name)
    try:
        return place.take(0)
    finally:
        place.leave()


def until(condition, seconds=100):
    """Wait for what other threads do."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def waiting() -> int:
    """How many are in the queue."""
    return len(concurrency_limit._bulkheads["first"]._queue)


@pytest.fixture
def counting(agent):
    """A provider that counts, with three places."""
    counting = counting_provider()
    agent(PROVIDERS={"first": counting}, DEFAULT_PROVIDER="first", MAX_CONCURRENCY={"first": LIMIT})
    return counting


QUESTION = CompletionRequest("say", "small", "first", "llm_facade", 9)


def walk(question=QUESTION) -> str:
    """A call without the ledger, which other threads would need databases of their own for."""
    attempts = Attempts(question, as_text)
    for attempt in attempts:
        with attempt:
            attempt.ask()
    return attempts.completion().text


async def awalk(question=QUESTION) -> str:
    attempts = Attempts(question, as_text)
    async for attempt in attempts:
        with attempt:
            await attempt.aask()
    return attempts.completion().text


async def gathered(calls):
    return await asyncio.gather(*calls)


# --- never more than that


def test_bulkhead__threads_and_tasks_mixed(counting):
    """However many threads, and tasks on two event loops, ask at once: no more than three are let in, and all are."""
    with ThreadPoolExecutor(14) as threads:
        loops = [threads.submit(asyncio.run, gathered(awalk() for _ in range(20))) for _ in range(2)]
        texts = [threads.submit(walk) for _ in range(30)]
        assert [text for loop in loops for text in loop.result()] == ["answer"] * 40
        assert [text.result() for text in texts] == ["answer"] * 30
    assert (len(counting.prompts), counting.most, counting.now) == (70, LIMIT, 0)


def test_bulkhead__tasks_of_the_facade(counting, monkeypatch):
    """The facade's calls wait for their turn, and each is answered and written down."""
    together = asyncio.Barrier(LIMIT)

    async def acomplete(self, **arguments):
        with self._counted(arguments["prompt"]):
            await together.wait()
        return ProviderResult("answer")

    monkeypatch.setattr(counting, "acomplete", acomplete)
    answers = async_to_sync(gathered)(services.acomplete("say", "small") for _ in range(12))
    assert [answer["status"] for answer in answers] == ["ok"] * 12
    assert (len(counting.prompts), counting.most) == (12, LIMIT)
    assert PromptLog.objects.filter(status="success").count() == 12


def test_bulkhead__no_limit(counting, agent):
    """A provider that the setting does not name takes them all."""
    agent(MAX_CONCURRENCY={"other": 1})
    asyncio.run(gathered(awalk() for _ in range(20)))
    assert counting.most == 20


def test_bulkhead__in_turn(counting, agent):
    """Who came first is let in first, whether a thread or a task."""
    agent(MAX_CONCURRENCY={"first": 1})
    held = Place("first")
    assert held.take(1)

    def call(number):
        question = replace(QUESTION, prompt=str(number))
        assert (walk(question) if number % 2 else asyncio.run(awalk(question))) == "answer"

    with ThreadPoolExecutor(10) as threads:
        for number in range(10):
            threads.submit(call, number)
            until(lambda number=number: waiting() == number + 1)
        held.leave()
    assert counting.prompts == [str(number) for number in range(10)]


# --- no place in time


@pytest.fixture
def full(agent):
    """A chain whose first provider has one place, which is taken."""
    held = []

    def fill(**replies):
        models = scripted_chain(agent, **replies)
        agent(MAX_CONCURRENCY={"first": 1}, CLI_TIMEOUT=0.1)
        held.append(Place("first"))
        assert held[0].take(1)
        return models

    yield fill
    for place in held:
        place.leave()


def test_busy__no_row_and_no_call(facade, full):
    """Who finds no place in an attempt's time fails as busy; nobody is asked, and nothing is written down."""
    models = full(first="answer")
    assert facade.complete("say", "small") == {
        "status": "failure",
        "failure": failure_of(BUSY),
        "reason": BUSY,
        **TRACED,
    }
    assert (asked(models), rows()) == ({"first": 0}, [])


def test_busy__within_the_deadline(facade, full, agent):
    """The deadline bounds the wait as well."""
    full(first="answer")
    agent(CLI_TIMEOUT=60, DEADLINE=1)
    assert facade.complete("say", "small")["reason"].startswith("busy")


def test_busy__falls_back(facade, full, agent, monkeypatch):
    """Where there is another one, nobody waits for longer than the longest backoff; its failure tells of the first."""
    monkeypatch.setattr("stapel_agent.asking.attempt_sequence.MAX_DELAY", 0.1)
    models = full(first="answer", second=["another", AccessDenied("key")])
    agent(CLI_TIMEOUT=60)
    assert facade.complete("say", "small") == {**ANSWERED, "result": "another"}
    assert (asked(models), rows()) == ({"first": 0, "second": 1}, [("second", "success", None)])
    assert facade.complete("say", "small")["reason"] == f"auth: key (before it, 'first': {BUSY})"


# --- no place is lost


def test_place__cancelled_waiter(counting, agent):
    """Tasks that are cancelled while they wait, or as their turn comes, leave nothing behind."""
    agent(MAX_CONCURRENCY={"first": 1})

    async def cancelled_calls():
        for leaves_before in (False, True):
            held = Place("first")
            assert await held.atake(1)
            tasks = [asyncio.create_task(awalk()) for _ in range(3)]
            while waiting() < 3:
                await asyncio.sleep(0.005)
            if leaves_before:
                held.leave()  # the turn of the first has come, and it does not know yet
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            assert all(task.cancelled() for task in tasks)
            held.leave()
            assert is_free()
        return await awalk()

    assert (asyncio.run(cancelled_calls()), counting.prompts) == ("answer", ["say"])


FAULTS = [
    RateLimited("later"),
    AccessDenied("key"),
    RequestRejected("no"),
    ProviderTimeout("slow"),
    ValueError("broke"),
    ProviderResult(None),
    ProviderResult("half", finish_reason="length"),
    "prose",
    '{"m": 1}',
]


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
def test_place__freed_after_a_fault(facade, agent, fault):
    """Whatever ends a call, its place is free again, and its retries and corrections found one."""
    scripted_chain(agent, first=fault)
    agent(MAX_CONCURRENCY={"first": 1}, CLI_TIMEOUT=5)
    with immediate():
        answer = facade.complete_json("say", "small", schema=SCHEMA)
    assert answer["status"] == "failure"
    assert not answer["reason"].startswith("busy")
    assert is_free()


def test_place__freed_after_an_unwritten_row(facade, agent, monkeypatch):
    """Nor does a call that is not made for want of a row keep its place."""
    models = scripted_chain(agent, first="answer")
    agent(MAX_CONCURRENCY={"first": 1})
    with monkeypatch.context() as context:
        context.setattr(row_statements, "INSERT_OPENING", "INSERT INTO agent_no_such_table VALUES (1)")
        assert facade.complete("say", "small")["reason"].startswith("ledger_unavailable")
    assert (is_free(), asked(models)) == (True, {"first": 0})


def test_place__freed_after_a_cancelled_call(agent):
    """Nor does a task that is cancelled while the provider answers, or a worker that is told to stop then."""
    under_way = asyncio.Event()

    class Hanging(LlmProvider):
        def complete(self, **arguments):
            raise SystemExit(0)

        async def acomplete(self, **arguments):
            under_way.set()
            await asyncio.Event().wait()

    agent(PROVIDERS={"first": Hanging}, DEFAULT_PROVIDER="first", MAX_CONCURRENCY={"first": 1})

    async def cancelled_call():
        task = asyncio.create_task(services.acomplete("say", "small"))
        await under_way.wait()
        assert not is_free()
        task.cancel()
        await asyncio.wait({task})
        return is_free()

    assert async_to_sync(cancelled_call)()
    with pytest.raises(SystemExit):
        services.complete("say", "small")
    assert is_free()


def test_place__free_during_a_backoff(agent, monkeypatch):
    """Who waits for a retry holds no place meanwhile."""
    models = scripted_chain(agent, first=[ProviderUnavailable("busy", retry_after=3), "answer"])
    agent(MAX_CONCURRENCY={"first": 1})
    seen = []
    instead_of_sleep(monkeypatch, lambda seconds: seen.append((seconds, is_free())))
    assert services.complete("say", "small")["result"] == "answer"
    assert (seen, asked(models)) == ([(3, True)], {"first": 2})


def test_place__freed_by_an_answer_out_of_the_cache(facade, agent):
    """A fallback's earlier answer needs a place no longer than it takes to find it."""
    scripted_chain(agent, first=AccessDenied("key"), second="answer")
    agent(MAX_CONCURRENCY={"first": 1, "second": 1}, CACHE_LOOKUP={"llm_facade": True})
    assert facade.complete("say", "small")["result"] == facade.complete("say", "small")["result"] == "answer"
    assert is_free("first")
    assert is_free("second")
