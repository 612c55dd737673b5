"""MAX_CONCURRENCY is never exceeded, callers are served in order, and no slot is ever lost."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from asgiref.sync import async_to_sync

from stapel_agent import services
from stapel_agent.asking import concurrency_limit
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
from tests.scripted_chain import (
    ANSWERED,
    asked,
    counting_provider,
    instead_of_sleep,
    is_free,
    rows,
    scripted_chain,
)

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

LIMIT = 3
BUSY = "busy: MAX_CONCURRENCY['first'] is 1, and no slot became free in time: raise it, or try again later"
SCHEMA = {"type": "object", "required": ["n"]}


@pytest.fixture(autouse=True)
def none_left():
    """Every slot is free before and after each test."""
    concurrency_limit._bulkheads.clear()
    yield
    assert {name: places._taken for name, places in concurrency_limit._bulkheads.items() if places._taken} == {}
    concurrency_limit._bulkheads.clear()


def until(condition, seconds=100):
    """Wait for other threads."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def waiting() -> int:
    """The number of callers in the queue."""
    return len(concurrency_limit._bulkheads["first"]._queue)


@pytest.fixture
def counting(agent):
    """A provider with three slots that counts its calls."""
    counting = counting_provider()
    agent(PROVIDERS={"first": counting}, DEFAULT_PROVIDER="first", MAX_CONCURRENCY={"first": LIMIT})
    return counting


QUESTION = CompletionRequest("say", "small", "first", "llm_facade", 9)


def walk(question=QUESTION) -> str:
    """A call without the ledger: with it, each thread would need its own database."""
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


# --- the limit


def test_bulkhead__threads_and_tasks_mixed(counting):
    """However many threads and tasks on two event loops ask, at most three calls run at once, and all are made."""
    with ThreadPoolExecutor(14) as threads:
        loops = [threads.submit(asyncio.run, gathered(awalk() for _ in range(20))) for _ in range(2)]
        texts = [threads.submit(walk) for _ in range(30)]
        assert [text for loop in loops for text in loop.result()] == ["answer"] * 40
        assert [text.result() for text in texts] == ["answer"] * 30
    assert (len(counting.prompts), counting.most, counting.now) == (70, LIMIT, 0)


def test_bulkhead__tasks_of_the_facade(counting, monkeypatch):
    """The facade's calls wait for a slot, and each is answered and recorded."""
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
    """A provider that the setting does not name has no limit."""
    agent(MAX_CONCURRENCY={"other": 1})
    asyncio.run(gathered(awalk() for _ in range(20)))
    assert counting.most == 20


def test_bulkhead__in_turn(counting, agent):
    """Threads and tasks get slots in the order in which they asked."""
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


# --- no slot in time


@pytest.fixture
def full(agent):
    """A chain whose first provider has one slot, which is taken."""
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
    """A call that gets no slot within an attempt's time fails with `busy`, without a call and without a row."""
    models = full(first="answer")
    assert facade.complete("say", "small") == {
        "status": "failure",
        "failure": failure_of(BUSY),
        "reason": BUSY,
        **TRACED,
    }
    assert (asked(models), rows()) == ({"first": 0}, [])


def test_busy__falls_back(facade, full, agent, monkeypatch):
    """If there is a fallback, the wait is at most the longest backoff. Its failure mentions the first provider."""
    monkeypatch.setattr("stapel_agent.asking.attempt_sequence.MAX_DELAY", 0.1)
    models = full(first="answer", second=["another", AccessDenied("key")])
    agent(CLI_TIMEOUT=60)
    assert facade.complete("say", "small") == {**ANSWERED, "result": "another"}
    assert (asked(models), rows()) == ({"first": 0, "second": 1}, [("second", "success", None)])
    assert facade.complete("say", "small")["reason"] == f"auth: key (before it, 'first': {BUSY})"


# --- no slot is lost


def test_place__cancelled_waiter(counting, agent):
    """Tasks that are cancelled while they wait, or when they get a slot, do not keep one."""
    agent(MAX_CONCURRENCY={"first": 1})

    async def cancelled_calls():
        for leaves_before in (False, True):
            held = Place("first")
            assert await held.atake(1)
            tasks = [asyncio.create_task(awalk()) for _ in range(3)]
            while waiting() < 3:
                await asyncio.sleep(0.005)
            if leaves_before:
                held.leave()  # the first one has got a slot, and does not know it yet
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
    """However a call ends, it releases its slot, and its retries and corrections get one."""
    scripted_chain(agent, first=fault)
    agent(MAX_CONCURRENCY={"first": 1}, CLI_TIMEOUT=5)
    with immediate():
        answer = facade.complete_json("say", "small", schema=SCHEMA)
    assert answer["status"] == "failure"
    assert not answer["reason"].startswith("busy")
    assert is_free()


def test_place__freed_after_an_unwritten_row(facade, agent, monkeypatch):
    """A call that is not made because its row cannot be written keeps no slot."""
    models = scripted_chain(agent, first="answer")
    agent(MAX_CONCURRENCY={"first": 1})
    with monkeypatch.context() as context:
        context.setattr(row_statements, "INSERT_OPENING", "INSERT INTO agent_no_such_table VALUES (1)")
        assert facade.complete("say", "small")["reason"].startswith("ledger_unavailable")
    assert (is_free(), asked(models)) == (True, {"first": 0})


def test_place__freed_after_a_cancelled_call(agent):
    """A task that is cancelled during a call keeps no slot, and neither does a worker that is stopped."""
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
    """A call that waits for a retry holds no slot."""
    models = scripted_chain(agent, first=[ProviderUnavailable("busy", retry_after=3), "answer"])
    agent(MAX_CONCURRENCY={"first": 1})
    seen = []
    instead_of_sleep(monkeypatch, lambda seconds: seen.append((seconds, is_free())))
    assert services.complete("say", "small")["result"] == "answer"
    assert (seen, asked(models)) == ([(3, True)], {"first": 2})


def test_place__freed_by_an_answer_out_of_the_cache(facade, agent):
    """A cached answer of a fallback holds a slot only for the lookup."""
    scripted_chain(agent, first=AccessDenied("key"), second="answer")
    agent(MAX_CONCURRENCY={"first": 1, "second": 1}, CACHE_LOOKUP={"llm_facade": True})
    assert facade.complete("say", "small")["result"] == facade.complete("say", "small")["result"] == "answer"
    assert is_free("first")
    assert is_free("second")
