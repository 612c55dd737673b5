"""A sequence of attempts leaves a row for each, the sum of what was spent, and one failure name on every surface."""

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from stapel_agent import exceptions, ledger, services
from stapel_agent.asking.concurrency_limit import Place
from stapel_agent.exceptions import (
    AccessDenied,
    AgentError,
    AnswerInterrupted,
    InvalidAnswer,
    OutOfCredit,
    ProviderBug,
    ProviderDown,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    ProviderUnreachable,
    RateLimited,
    RequestInterrupted,
    RequestRejected,
    exception_named,
)
from stapel_agent.ledger import row_statements
from stapel_agent.models import PromptLog
from stapel_agent.providers.base import LlmProvider, ProviderResult
from stapel_agent.types import Usage
from tests.answers import TRACED, by
from tests.documents import table
from tests.scripted_chain import asked, rows, scripted_chain

pytestmark = [pytest.mark.django_db, pytest.mark.any_database, pytest.mark.usefixtures("immediately")]

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


# --- rows


def test_rows__one_for_each_attempt(facade, agent):
    """Each retry, fallback and correction has its own row and outcome, under one request id."""
    scripted_chain(
        agent, first=[RateLimited("a"), ProviderUnavailable("b"), AccessDenied("c")], second=['{"n": "x"}', '{"n": 1}']
    )
    assert facade.complete_json("say", "small", schema=SCHEMA, user_id="ada")["status"] == "ok"
    found = list(PromptLog.objects.order_by("created_at"))
    assert [(row.metadata, row.status, row.error_message, row.response, row.input_tokens) for row in found] == [
        ({"provider": "first", "failure": "rate_limited"}, "failure", "a", None, 0),
        ({"provider": "first", "failure": "overloaded"}, "failure", "b", None, 0),
        ({"provider": "first", "failure": "auth"}, "failure", "c", None, 0),
        (
            {"provider": "second", "failure": "invalid_answer"},
            "failure",
            "the answer does not satisfy the schema: $.n: 'x' is not of type 'integer'",
            '{"n": "x"}',
            10,
        ),
        ({"provider": "second"}, "success", None, '{"n": 1}', 10),
    ]
    assert len({row.request_id for row in found}) == 1
    assert {row.user_id for row in found} == {"ada"}


def test_rows__cancelled_in_a_backoff(agent, monkeypatch):
    """If the caller is cancelled between two attempts, the rows of the first stay, and no further attempt is made."""
    models = scripted_chain(agent, first=RateLimited("later", retry_after=5), second="answer")

    async def cancelled_call():
        task = asyncio.create_task(services.acomplete("say", "small"))
        while not models["first"].requests:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.wait({task})
        return task.cancelled()

    with monkeypatch.context() as context:
        context.setattr("stapel_agent.asking.retries._wait", True)
        assert async_to_sync(cancelled_call)()
    assert (rows(), asked(models)) == ([("first", "failure", "rate_limited")], {"first": 1, "second": 0})


# --- what was spent


def test_usage__sum_of_the_attempts(facade, agent):
    """The usage of an answer is the sum over its attempts. Each row has the usage of its own attempt."""
    agent(RETRY_BILLED=True, RETRIES=0)
    models = scripted_chain(
        agent,
        first=OutOfCredit("pay", usage=Usage(100, 20, 3, 4, 5)),
        second=['{"n": "x"}', ProviderResult('{"n": 1}', 7, 6, 5, 4, 3)],
    )
    answer = facade.complete_json("say", "small", schema=SCHEMA)
    assert answer == {
        "status": "ok",
        "result": {"n": 1},
        "usage": {"input_tokens": 117, "output_tokens": 31, "thinking_tokens": 8},
        **by("second"),
    }
    spent = PromptLog.objects.order_by("created_at").values_list(
        *("input_tokens", "output_tokens", "thinking_tokens", "cache_read_tokens", "cache_write_tokens")
    )
    assert list(spent) == [(100, 20, 3, 4, 5), (10, 5, 0, 0, 0), (7, 6, 5, 4, 3)]
    assert asked(models) == {"first": 1, "second": 2}


def test_usage__of_a_failure(facade, agent):
    """A failure states the same sum, and the last text that was paid for."""
    agent(RETRY_BILLED=True, RETRIES=0)
    first = ProviderUnavailable("broke off", usage=Usage(3, 2), text="ha")
    scripted_chain(agent, first=first, second=RequestRejected("no", usage=Usage(1)))
    assert facade.complete("say", "small") == {
        "status": "failure",
        "failure": "rejected",
        "reason": "rejected: no (before it, 'first': overloaded: broke off)",
        "comment": "ha",
        "usage": {"input_tokens": 4, "output_tokens": 2},
        **TRACED,
    }


def test_usage__of_repeated_half_answers(facade, agent):
    """If the host allows asking again after an incomplete answer, both attempts are paid for and reported."""
    scripted_chain(agent, only=[AnswerInterrupted("half", usage=Usage(9, 1)), "answer"])
    agent(RETRY_BILLED=True)
    assert facade.complete("say", "small")["usage"] == {"input_tokens": 19, "output_tokens": 6}


@pytest.mark.parametrize(
    ("first", "cost"),
    [
        (ProviderResult('{"n": "x"}', 10, 5, cost_usd="0.25"), {"cost_usd": "0.5"}),
        (RateLimited("later"), {"cost_usd": "0.25"}),
        (ProviderResult('{"n": "x"}'), {}),
        (ProviderTimeout("late"), {}),
    ],
)
def test_usage__cost(facade, agent, first, cost):
    """An answer states its cost if that of each attempt is known. What states no tokens is not free."""
    agent(RETRY_BILLED=True, SCHEMA_RETRIES=1)
    scripted_chain(agent, only=[first, ProviderResult('{"n": 1}', 10, 5, cost_usd="0.25")])
    usage = facade.complete_json("say", "small", schema=SCHEMA)["usage"]
    assert {name: figure for name, figure in usage.items() if name == "cost_usd"} == cost


# --- reasons


@pytest.mark.parametrize(
    ("replies", "reason"),
    [
        ({"a": AccessDenied("key")}, "auth: key"),
        ({"a": RateLimited("later")}, "rate_limited: later"),
        ({"a": AccessDenied("key"), "b": OutOfCredit("pay")}, "out_of_credit: pay (before it, 'a': auth: key)"),
        ({"a": AccessDenied("key"), "b": ProviderTimeout("slow")}, "timeout: slow (before it, 'a': auth: key)"),
        (
            {"a": ProviderDown("301"), "b": RateLimited("later"), "c": ValueError("secret")},
            "provider_bug: provider 'c' raised ValueError "
            "(before it, 'a': overloaded: 301; before it, 'b': rate_limited: later)",
        ),
        ({"a": [RateLimited("one"), RateLimited("two"), RateLimited("three")]}, "rate_limited: three"),
        (
            {"a": [RateLimited("one"), RateLimited("two"), AccessDenied("three")], "b": RequestRejected("no")},
            "rejected: no (before it, 'a': auth: three)",
        ),
        ({"a": AccessDenied("sk-ant-api03-0123456789abcdef")}, "auth: [redacted]"),
    ],
)
def test_reason__tells_the_circumstances(facade, agent, replies, reason):
    """The reason begins with the last error, then names each provider that declined before. It has no credentials."""
    scripted_chain(agent, **replies)
    assert facade.complete("say", "small")["reason"] == reason


# --- failure names

FAILURES = {cells[0].strip("`"): cells for cells in table("docs/failures.md", "failures") if cells[1] != "none"}
RAISED = {
    "timeout": [ProviderTimeout("so it is"), TimeoutError()],
    "interrupted": [RequestInterrupted("so it is")],
    "unreachable": [ProviderUnreachable("so it is")],
    "overloaded": [ProviderUnavailable("so it is"), ProviderDown("so it is")],
    "rate_limited": [RateLimited("so it is")],
    "out_of_credit": [OutOfCredit("so it is")],
    "auth": [AccessDenied("so it is")],
    "rejected": [RequestRejected("so it is")],
    "truncated": [ProviderResult("half", finish_reason="length")],
    "refused": [ProviderResult("no", finish_reason="content_filter")],
    "invalid_answer": [InvalidAnswer("so it is"), AnswerInterrupted("so it is"), '{"n": "x"}', "prose"],
    "provider_bug": [ProviderError("so it is"), ProviderBug("so it is"), ProviderResult(None), ValueError("secret")],
}
WITHOUT_A_ROW = {"busy", "ledger_unavailable"}
WITHOUT_A_CALLER = {"cancelled", "lost"}
OF_BUDGETS = {"over_budget"}
"""Tested in test_budgets.py."""


def statuses(name) -> set[str]:
    """The statuses that the documented table gives for a failure."""
    return {status.strip("` ") for status in FAILURES[name][2].split(",")}


@pytest.mark.parametrize(("name", "reply"), [(name, reply) for name in RAISED for reply in RAISED[name]], ids=repr)
def test_failure__row_and_reason(facade, agent, name, reply):
    """The failure's name begins the reason and is in the rows, which have a documented status."""
    scripted_chain(agent, only=reply)
    reason = facade.complete_json("say", "small", schema=SCHEMA)["reason"]
    assert reason.startswith((f"{name}: ", f"{name} at "))
    assert {failure for *_, failure in rows()} == {name}
    assert {status for _, status, _ in rows()} <= statuses(name)


def test_failure__busy(facade, agent):
    """`busy` begins the reason, and no row is written."""
    scripted_chain(agent, only="answer")
    agent(MAX_CONCURRENCY={"only": 1}, CLI_TIMEOUT=0.05)
    held = Place("only")
    assert held.take(1)
    reason = facade.complete("say", "small")["reason"]
    held.leave()
    assert (reason.partition(":")[0], rows(), statuses("busy")) == ("busy", [], {"no row"})


def test_failure__ledger_unavailable(facade, agent, monkeypatch):
    """`ledger_unavailable` begins the reason. No row is written, and no call, retry or fallback is made."""
    models = scripted_chain(agent, first="answer", second="answer")
    with monkeypatch.context() as context:
        context.setattr(row_statements, "INSERT_OPENING", "INSERT INTO agent_no_such_table VALUES (1)")
        reason = facade.complete("say", "small")["reason"]
    assert reason.startswith("ledger_unavailable: ")
    assert (rows(), asked(models), statuses("ledger_unavailable")) == ([], {"first": 0, "second": 0}, {"no row"})


def test_failure__cancelled(agent):
    """`cancelled` is in the row of a cancelled caller, whose cancellation continues."""
    asked_for = asyncio.Event()

    class Hanging(LlmProvider):
        async def acomplete(self, **arguments):
            asked_for.set()
            await asyncio.Event().wait()

    async def cancelled_call():
        task = asyncio.create_task(services.acomplete("say", "small", provider="hanging"))
        await asked_for.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    agent(PROVIDERS={"hanging": Hanging})
    async_to_sync(cancelled_call)()
    assert rows() == [("hanging", statuses("cancelled").pop(), "cancelled")]
    assert PromptLog.objects.get().error_message == "cancelled"


def test_failure__lost():
    """`lost` is in the row that a dead process left behind."""
    facts = {"source": "other", "model": "m", "model_size": "small", "prompt": "p", "metadata": {"provider": "x"}}
    row = PromptLog.objects.create(**facts, status="pending")
    PromptLog.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(hours=1))
    assert ledger.close_lost() == 1
    assert rows() == [("x", statuses("lost").pop(), "lost")]


def test_failure__table_is_whole():
    """The documented names match the exceptions, and each is tested in this module."""
    assert set(FAILURES) == {*RAISED, *WITHOUT_A_ROW, *WITHOUT_A_CALLER, *OF_BUDGETS}
    for name, cells in FAILURES.items():
        kinds = [getattr(exceptions, kind.strip("` ")) for kind in cells[1].split(",")]
        assert {kind.failure for kind in kinds} == {name}
    assert {exception_named(name).failure for name in FAILURES} - {"provider_bug"} == set(FAILURES) - {
        "ledger_unavailable",  # without a row, so it is never read from one
        "over_budget",  # never shared with other callers
        "provider_bug",
    }
    assert exception_named("rejected") is RequestRejected
    ours = [kind for kind in vars(exceptions).values() if isinstance(kind, type) and issubclass(kind, AgentError)]
    assert {kind.failure for kind in ours} == set(FAILURES)
