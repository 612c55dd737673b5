"""DEADLINE limits a whole call of the facade: attempts, retries, fallbacks and every wait."""

import asyncio
import random
import re
import threading
import time
from contextlib import contextmanager

import pytest
from asgiref.sync import async_to_sync

from stapel_agent import services
from stapel_agent.asking.concurrency_limit import Place
from stapel_agent.asking.retries import immediate
from stapel_agent.deadline import Deadline
from stapel_agent.exceptions import AccessDenied, ProviderTimeout, ProviderUnavailable, RateLimited
from stapel_agent.providers.base import LlmProvider, ProviderResult
from tests.answers import TRACED, failure_of
from tests.scripted_chain import ANSWERED, asked, is_free, rows, scripted_chain
from tests.scripted_server import Reply, ScriptedServer

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

SECONDS = 1
AT_MOST = 60
"""A deadline that a test should meet, and the seconds by which it has, however busy the machine is."""
SCHEMA = {"type": "object", "required": ["n"]}
OVER = f"timeout: the DEADLINE of {SECONDS:g} s has passed"


@contextmanager
def in_time():
    """The block takes as long as the deadline, and not much longer."""
    started_at = time.monotonic()
    yield
    assert SECONDS * 0.9 <= time.monotonic() - started_at < AT_MOST


@pytest.fixture
def blocking(agent):
    """A provider without timeouts, blocked until the test ends."""

    class Blocking(LlmProvider):
        release = threading.Event()

        def complete(self, *, prompt, model, system_prompt=None):
            self.release.wait(30)
            return ProviderResult("late")

    agent(PROVIDERS={"blocking": Blocking}, DEFAULT_PROVIDER="blocking")
    yield Blocking
    Blocking.release.set()


BOUNDS = [{"DEADLINE": SECONDS}, {"DEADLINE": 60, "CLI_TIMEOUT": SECONDS}]


@pytest.mark.parametrize("keys", BOUNDS, ids=str)
def test_deadline__provider_ignores_the_timeout(facade, agent, blocking, keys, caplog):
    """A blocked `complete()` is left running. The caller gets a failure that names the setting, and there is a row."""
    agent(**keys)
    with in_time():
        answer = facade.complete("say", "small")
    bound = "CLI_TIMEOUT" if "CLI_TIMEOUT" in keys else "DEADLINE"
    reason = f"timeout: provider 'blocking' timed out: {bound} is {SECONDS} s"
    assert (answer, caplog.text) == (
        {"status": "failure", "failure": failure_of(reason), "reason": reason, **TRACED},
        "",
    )
    assert rows() == [("blocking", "timeout", "timeout")]


def test_deadline__abandoned_call_keeps_its_place(facade, agent, blocking):
    """A call that is left running keeps its slot at the provider until it ends."""
    agent(DEADLINE=SECONDS, MAX_CONCURRENCY={"blocking": 1})
    assert facade.complete("say", "small")["reason"].startswith("timeout: ")
    assert not is_free("blocking")
    assert facade.complete("say", "small")["reason"].startswith("busy: ")
    assert len(rows()) == 1
    blocking.release.set()
    until = time.monotonic() + AT_MOST
    while not is_free("blocking"):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_deadline__provider_that_answers_in_time(facade, agent):
    """With a deadline, a provider without the keyword is called without it, and its answer or error is returned."""
    seen = []

    class Plain(LlmProvider):
        def complete(self, **arguments):
            seen.append(sorted(arguments))
            if len(seen) == 2:
                raise RateLimited("later")
            return ProviderResult("answer", 10, 5)

    agent(PROVIDERS={"plain": Plain}, DEFAULT_PROVIDER="plain", DEADLINE=60, RETRIES=0)
    assert facade.complete("say", "small") == {**ANSWERED, "result": "answer"}
    assert facade.complete("say", "small")["reason"] == "rate_limited: later"
    assert seen == [["model", "prompt", "system_prompt"]] * 2


@pytest.mark.parametrize("keys", BOUNDS, ids=str)
def test_deadline__native_task(agent, keys):
    """An `acomplete()` that never ends is cancelled."""
    cancelled = []

    class Hanging(LlmProvider):
        async def acomplete(self, **arguments):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(True)
                raise

    agent(PROVIDERS={"hanging": Hanging}, DEFAULT_PROVIDER="hanging", **keys)
    with in_time():
        answer = async_to_sync(services.acomplete)("say", "small")
    bound = "CLI_TIMEOUT" if "CLI_TIMEOUT" in keys else "DEADLINE"
    assert (answer["reason"], cancelled) == (f"timeout: provider 'hanging' timed out: {bound} is {SECONDS} s", [True])
    assert rows() == [("hanging", "timeout", "timeout")]


@pytest.mark.parametrize("keys", BOUNDS, ids=str)
@pytest.mark.parametrize("reply", [Reply(raw=b"", ending="hang"), Reply(b"{}" * 999, trickle="body")])
def test_deadline__http(facade, agent, reply, keys):
    """A silent or trickling server gets only the time that is left. The failure names the setting."""
    with ScriptedServer(reply) as server:
        agent(DEFAULT_PROVIDER="openai-compat", OPENAI_COMPAT_BASE_URL=server.url, **keys)
        with in_time():
            answer = facade.complete("say", "small")
    bound = "CLI_TIMEOUT" if "CLI_TIMEOUT" in keys else "DEADLINE"
    reason = rf"timeout: no complete answer within [01](\.\d+)? s \({bound} is {SECONDS} s\)"
    assert re.fullmatch(reason, answer["reason"])


def test_deadline__own_timeout(facade, agent):
    """A timeout that a provider raises before its time is up is reported as it is."""

    class Hasty(LlmProvider):
        supports_timeout = True

        def complete(self, **arguments):
            raise ProviderTimeout("the model is asleep")

    agent(PROVIDERS={"hasty": Hasty}, DEFAULT_PROVIDER="hasty", DEADLINE=60)
    assert facade.complete("say", "small")["reason"] == "timeout: the model is asleep"


@pytest.mark.parametrize(
    ("keys", "least", "most"),
    [
        ({"CLI_TIMEOUT": 9}, 9, 9),
        ({"CLI_TIMEOUT": 9, "DEADLINE": 90}, 9, 9),
        ({"CLI_TIMEOUT": 90, "DEADLINE": 40}, 20, 39.9999),
    ],
)
def test_deadline__what_an_attempt_has(facade, agent, keys, least, most):
    """An attempt has CLI_TIMEOUT seconds, or the rest of the deadline."""
    models = scripted_chain(agent, only="answer")
    agent(**keys)
    facade.complete("say", "small")
    assert least <= models["only"].requests[0].timeout <= most


def test_deadline__shrinks(facade, agent):
    """Each attempt, at any provider, has less time than the one before it."""

    def slowly(fault):
        def reply(request):
            time.sleep(0.02)
            raise fault

        return reply

    replies = [slowly(ProviderUnavailable("busy"))]
    models = scripted_chain(agent, first=replies, second=[slowly(AccessDenied("key"))], third="answer")
    agent(DEADLINE=60)
    with immediate():
        assert facade.complete("say", "small")["result"] == "answer"
    timeouts = [request.timeout for model in models.values() for request in model.requests]
    assert timeouts == sorted(timeouts, reverse=True)
    assert (len(timeouts), len(set(timeouts)), asked(models)["first"]) == (5, 5, 3)


def late(reply):
    """`reply`, after the deadline."""

    def wait(request):
        time.sleep(SECONDS + 0.05)
        if isinstance(reply, Exception):
            raise reply
        return reply

    return wait


def test_deadline__fallback_is_not_asked_after_it(facade, agent):
    """If a provider declines too late, no fallback is asked. The failure says so."""
    models = scripted_chain(agent, first=late(AccessDenied("key")), second="answer")
    agent(DEADLINE=SECONDS)
    assert facade.complete("say", "small")["reason"] == f"{OVER} (before it, 'first': auth: key)"
    assert (asked(models), rows()) == ({"first": 1, "second": 0}, [("first", "failure", "auth")])


def test_deadline__passed_with_a_free_slot(facade, agent):
    """A deadline that has passed does not count as a busy provider, and the slot stays free."""
    scripted_chain(agent, first=late(AccessDenied("key")), second="answer")
    agent(DEADLINE=SECONDS, MAX_CONCURRENCY={"first": 1, "second": 1})
    assert facade.complete("say", "small")["reason"] == f"{OVER} (before it, 'first': auth: key)"
    assert is_free("second")


def test_deadline__correction_is_not_asked_after_it(facade, agent):
    """A late answer that needs a correction is the failure, with its cost."""
    models = scripted_chain(agent, only=late('{"m": 1}'))
    agent(DEADLINE=SECONDS)
    assert facade.complete_json("say", "small", schema=SCHEMA) == {
        "status": "failure",
        "failure": failure_of(OVER),
        "reason": OVER,
        "comment": '{"m": 1}',
        "usage": {"input_tokens": 10, "output_tokens": 5},
        **TRACED,
    }
    assert (asked(models), len(rows())) == ({"only": 1}, 1)


def test_deadline__cost_of_a_correction_that_was_not_asked_for(facade, agent):
    """What was spent before the deadline is known: the provider was not called after it."""

    def slow(request):
        time.sleep(SECONDS)
        return ProviderResult("no JSON", 10, 5, cost_usd="0.25")

    models = scripted_chain(agent, only=slow)
    agent(DEADLINE=SECONDS)
    answer = facade.complete_json("say", "small", schema=SCHEMA)
    assert (answer["failure"], asked(models)) == ("timeout", {"only": 1})
    assert answer["usage"] == {"input_tokens": 10, "output_tokens": 5, "cost_usd": "0.25"}


def test_deadline__answer_that_came_late_counts(facade, agent):
    """An answer that a provider gave, and that is paid for, is an answer, even if it is late."""
    scripted_chain(agent, only=late("answer"))
    agent(DEADLINE=SECONDS)
    assert facade.complete("say", "small") == {**ANSWERED, "result": "answer"}


def test_deadline__many_retries(facade, agent, monkeypatch):
    """However many retries are allowed, the delays add up to less than the deadline."""
    monkeypatch.setattr(random, "uniform", lambda low, high: 0.13)
    models = scripted_chain(agent, only=ProviderUnavailable("busy"))
    agent(DEADLINE=SECONDS, RETRIES=1000)
    started_at = time.monotonic()
    reason = facade.complete("say", "small")["reason"]
    assert time.monotonic() - started_at < AT_MOST
    assert reason in ("overloaded: busy", OVER)
    assert 2 <= asked(models)["only"] <= 9


@pytest.mark.parametrize("others", [{}, {"second": "answer"}], ids=["alone", "with a fallback"])
def test_deadline__full_provider(facade, agent, others):
    """Waiting for a slot ends at the deadline, and so does the call."""
    models = scripted_chain(agent, first="answer", **others)
    agent(DEADLINE=SECONDS, MAX_CONCURRENCY={"first": 1})
    held = Place("first")
    assert held.take(1)
    with in_time():
        answer = facade.complete("say", "small")
    held.leave()
    assert answer["reason"].startswith("timeout: the DEADLINE" if others else "busy: ")
    assert (set(asked(models).values()), rows()) == ({0}, [])


def test_deadline__follower(agent):
    """A caller waits for another one's answer until its own deadline. The other call continues."""
    asked_for, answered = asyncio.Event(), asyncio.Event()

    class Slow(LlmProvider):
        async def acomplete(self, **arguments):
            asked_for.set()
            await answered.wait()
            return ProviderResult("answer", 10, 5)

    agent(PROVIDERS={"slow": Slow}, DEFAULT_PROVIDER="slow", CACHE_LOOKUP={"llm_facade": True})

    async def calls():
        asyncio.get_running_loop().call_later(AT_MOST, answered.set)
        leader = asyncio.create_task(services.acomplete("say", "small"))
        await asked_for.wait()
        agent(DEADLINE=SECONDS)
        with in_time():
            follower = await services.acomplete("say", "small")
        answered.set()
        return await leader, follower

    leader, follower = async_to_sync(calls)()
    assert leader == {**ANSWERED, "result": "answer"}
    reason = f"timeout: no answer within the DEADLINE of {SECONDS:g} s"
    assert follower == {"status": "failure", "failure": failure_of(reason), "reason": reason, **TRACED}


def test_deadline__time_to_store():
    """Even after the deadline, a moment is left to store what is paid for."""
    assert (Deadline().left_to_store, Deadline(0).left_to_store) == (None, 1)
    assert 80 < Deadline(90).left_to_store <= 90


def test_deadline__none(facade, agent):
    """Without a deadline, a call takes as long as its attempts."""
    models = scripted_chain(agent, first=late(AccessDenied("key")), second="answer")
    agent(CLI_TIMEOUT=SECONDS)
    assert facade.complete("say", "small")["result"] == "answer"
    assert asked(models) == {"first": 1, "second": 1}
