"""Which errors are retried, how often, and after which delay."""

import random
from itertools import count

import pytest

from stapel_agent.asking.attempt_sequence import MOST_REFUSED_FIELDS
from stapel_agent.asking.retries import immediate
from stapel_agent.exceptions import (
    AccessDenied,
    AnswerInterrupted,
    AnswerRefused,
    AnswerTruncated,
    InvalidAnswer,
    OutOfCredit,
    ParameterRefused,
    ProviderDown,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    ProviderUnreachable,
    RateLimited,
    RequestInterrupted,
    RequestRejected,
)
from stapel_agent.models import PromptLog
from stapel_agent.providers.base import LlmProvider, ProviderResult
from stapel_agent.providers.wire import attempt_limits
from stapel_agent.types import Usage
from tests.answers import TRACED, failure_of
from tests.scripted_chain import ANSWERED, asked, recorded_waits, scripted_chain
from tests.scripted_server import Reply, ScriptedServer

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
USAGE = {"prompt_tokens": 7, "completion_tokens": 3}
ANSWER = Reply.of({"choices": [{"message": {"content": "{}"}, "finish_reason": "stop"}], "usage": USAGE})
AMPLE = [{"scope": "all", "period": "month", "tokens": 10**7}]
HALF = ANSWER.body[: len(ANSWER.body) // 2]


@pytest.fixture
def waits(monkeypatch):
    """The delays before retries in seconds, at the maximum of the jitter."""
    monkeypatch.setattr(random, "uniform", lambda low, high: high)
    return recorded_waits(monkeypatch)


# --- which errors, and how often

PASSING = [ProviderUnavailable("busy"), ProviderUnreachable("refused"), RateLimited("later")]
BILLED = [
    ProviderTimeout("slow"),
    TimeoutError(),
    RequestInterrupted("gone"),
    AnswerInterrupted("half"),
    AnswerInterrupted("half", usage=Usage(3), text="ha"),
    ProviderUnavailable("busy", usage=Usage(3)),
    ProviderUnavailable("busy", text="ha"),
    RateLimited("later", usage=Usage(output_tokens=1)),
]
FINAL = [
    ProviderDown("301"),
    OutOfCredit("pay"),
    AccessDenied("key"),
    RequestRejected("no"),
    AnswerTruncated("cut"),
    AnswerRefused("no"),
    InvalidAnswer("no"),
    ProviderError("broke"),
    ValueError("broke"),
]
FINAL_AND_PAID = [
    RequestRejected("no", usage=Usage(3)),
    AccessDenied("key", usage=Usage(3)),
    AnswerRefused("no", usage=Usage(3), text="I cannot"),
    InvalidAnswer("no", text="prose"),
]


@pytest.mark.parametrize("fault", PASSING, ids=repr)
@pytest.mark.parametrize(("keys", "times"), [({}, 3), ({"RETRIES": 0}, 1), ({"RETRIES": 1}, 2), ({"RETRIES": 4}, 5)])
def test_retry__passing_fault(facade, scripted_model, agent, fault, keys, times):
    """A temporary error is retried RETRIES times, twice by default. Then it is the failure."""
    agent(**keys)
    scripted_model.script(fault)
    assert facade.complete("say", "small") == {
        "status": "failure",
        "failure": failure_of(f"{fault.failure}: {fault}"),
        "reason": f"{fault.failure}: {fault}",
        **TRACED,
    }
    assert len(scripted_model.requests) == times
    assert PromptLog.objects.filter(status="failure").count() == times


@pytest.mark.parametrize("fault", FINAL + FINAL_AND_PAID + BILLED, ids=repr)
def test_retry__never(facade, scripted_model, fault):
    """A permanent error, and one that may have been billed, is not retried."""
    scripted_model.script(fault, "answer")
    assert facade.complete("say", "small")["status"] == "failure"
    assert len(scripted_model.requests) == 1


@pytest.mark.parametrize(
    ("fault", "times"),
    [(fault, 3) for fault in PASSING + BILLED] + [(fault, 1) for fault in FINAL + FINAL_AND_PAID],
    ids=repr,
)
def test_retry__billed(facade, scripted_model, agent, fault, times):
    """A host may allow retries that could be billed twice. A permanent error is still not retried."""
    agent(RETRY_BILLED=True)
    scripted_model.script(fault)
    assert facade.complete("say", "small")["status"] == "failure"
    assert len(scripted_model.requests) == times


@pytest.mark.parametrize("result", ["length", "content_filter", "prose"])
def test_retry__billed_answer_that_does_not_count(facade, scripted_model, agent, result):
    """A complete answer is never requested again."""
    agent(RETRY_BILLED=True)
    reply = "prose" if result == "prose" else ProviderResult("half", output_tokens=1, finish_reason=result)
    scripted_model.script(*[reply] * 9, RequestRejected("enough"))
    assert facade.complete_json("say", "small")["status"] == "failure"
    assert len(scripted_model.requests) == 1


def test_retry__until_it_answers(facade, scripted_model):
    """After the first answer, no further attempt is made."""
    scripted_model.script(RateLimited("later"), ProviderUnavailable("busy"), "answer", "another")
    assert facade.complete("say", "small") == {**ANSWERED, "result": "answer"}
    assert len(scripted_model.requests) == 3
    assert len(set(map(repr, scripted_model.requests))) == 1, "the same question each time"


def test_retry__beside_a_correction(facade, scripted_model):
    """A correction does not use up a retry. An error after it repeats the corrected question."""
    scripted_model.script('{"n": "x"}', RateLimited("a"), RateLimited("b"), '{"n": 1}')
    assert facade.complete_json("say", "small", schema=SCHEMA)["result"] == {"n": 1}
    prompts = [request.prompt for request in scripted_model.requests]
    assert prompts[0] == "say"
    assert prompts[1].startswith("say\n\nAn earlier answer did not satisfy the JSON schema")
    assert prompts[1:] == [prompts[1]] * 3


def test_retry__after_a_refused_field(facade, agent, waits):
    """An attempt without a refused field is not a retry: all retries are left, and the first has the shortest delay."""
    models = scripted_chain(agent, only=[ParameterRefused("no such field"), *[ProviderUnavailable("busy")] * 3])
    assert facade.complete("say", "small")["failure"] == "overloaded"
    assert (waits, asked(models)) == ([0.5, 1], {"only": 4})


def test_retry__refused_fields_without_end(facade, agent):
    """A provider that refuses another field each time is asked only a few times."""

    class Picky(LlmProvider):
        refusals = count()

        def complete(self, **arguments):
            fault = ParameterRefused("no such field")
            fault.memory = (str(next(self.refusals)),)
            raise fault

    agent(PROVIDERS={"picky": Picky})
    assert facade.complete("say", "small", provider="picky")["failure"] == "rejected"
    assert next(Picky.refusals) == MOST_REFUSED_FIELDS + 1


def test_retry__after_another_key(facade, agent, waits):
    """An attempt with another key is not a retry: all retries are left, and the first has the shortest delay."""
    with ScriptedServer(Reply(b"slow down", status=429)) as server:
        entry = {"base_url": server.url, "api_key": ["key-a", "key-b"], "models": {"small": "m"}}
        agent(PROVIDERS={"only": entry}, DEFAULT_PROVIDER="only")
        assert facade.complete("say", "small")["failure"] == "rate_limited"
    assert (waits, len(server.requests)) == ([0.5, 1], 4)


LIMITED = {seconds: Reply(b"slow down", status=429, headers={"Retry-After": str(seconds)}) for seconds in (3, 7, 90)}
OUT_OF_CREDIT, REFUSED = Reply(b"no credit", status=402), Reply(b"no such key", status=401)


@pytest.mark.parametrize(
    ("replies", "wait", "key"),
    [
        ([LIMITED[7], OUT_OF_CREDIT], 7, "key-a"),
        ([OUT_OF_CREDIT, LIMITED[7]], 7, "key-b"),
        ([LIMITED[7], REFUSED], 7, "key-a"),
        ([LIMITED[3], LIMITED[7]], 3, "key-a"),
        ([LIMITED[7], LIMITED[3]], 3, "key-b"),
        ([LIMITED[3], LIMITED[90]], 3, "key-a"),
    ],
)
def test_retry__key_that_is_back_first(replies, wait, key, facade, agent, waits):
    """If every key fails, the call waits for the one whose rate limit ends first, whatever the others' errors are."""
    agent(DEADLINE=60)
    with ScriptedServer(*replies, ANSWER) as server:
        entry = {"base_url": server.url, "api_key": ["key-a", "key-b"], "models": {"small": "m"}}
        agent(PROVIDERS={"only": entry}, DEFAULT_PROVIDER="only")
        assert facade.complete("say", "small")["status"] == "ok"
    assert waits == [wait]
    assert server.requests[-1].headers["authorization"] == f"Bearer {key}"


def test_retry__no_key_is_back(facade, agent, waits):
    """A key that is refused is not asked again, and its error is reported."""
    with ScriptedServer(REFUSED, OUT_OF_CREDIT) as server:
        entry = {"base_url": server.url, "api_key": ["key-a", "key-b"], "models": {"small": "m"}}
        agent(PROVIDERS={"only": entry}, DEFAULT_PROVIDER="only")
        assert facade.complete("say", "small")["failure"] == "out_of_credit"
    assert (waits, len(server.requests)) == ([], 2)


# --- delays


def test_backoff__exponential_with_full_jitter(facade, agent, waits, monkeypatch):
    """Each delay is drawn from zero to a bound that doubles, up to eight seconds."""
    drawn = []
    monkeypatch.setattr(random, "uniform", lambda low, high: drawn.append((low, high)) or high / 4)
    scripted_chain(agent, only=ProviderUnavailable("busy"))
    agent(RETRIES=6)
    facade.complete("say", "small")
    assert drawn == [(0, 0.5), (0, 1), (0, 2), (0, 4), (0, 8), (0, 8)]
    assert waits == [0.125, 0.25, 0.5, 1, 2, 2]


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (3, [3, 3]),
        (0.25, [0.25, 0.25]),
        (0, []),
        (-5, []),
        (None, [0.5, 1]),
        ("soon", [0.5, 1]),
        (float("nan"), [0.5, 1]),
    ],
)
def test_retry_after__of_a_provider(facade, agent, waits, stated, expected):
    """The delay that a provider's exception states replaces the backoff, unless it is not a number."""
    models = scripted_chain(agent, only=RateLimited("later", retry_after=stated))
    facade.complete("say", "small")
    assert (waits, asked(models)) == (expected, {"only": 3})


@pytest.mark.parametrize("stated", [9.5, 121, float("inf"), 10**400], ids=["9.5", "121", "inf", "10**400"])
@pytest.mark.parametrize("keys", [{"CLI_TIMEOUT": 9}, {"DEADLINE": 9}])
def test_retry_after__longer_than_anybody_waits(facade, agent, waits, keys, stated):
    """If the delay is longer than the deadline, or without one than an attempt, the error is returned at once."""
    models = scripted_chain(agent, only=RateLimited("later", retry_after=stated))
    agent(**keys)
    assert facade.complete("say", "small") == {
        "status": "failure",
        "failure": "rate_limited",
        "reason": "rate_limited: later",
        **TRACED,
    }
    assert (waits, asked(models)) == ([], {"only": 1})


@pytest.mark.parametrize(
    ("stated", "expected", "times"), [(8, [8, 8], {"first": 3, "second": 1}), (8.5, [], {"first": 1, "second": 1})]
)
def test_retry_after__beside_a_fallback(facade, agent, waits, stated, expected, times):
    """If there is a fallback, the delay is at most the longest backoff."""
    models = scripted_chain(agent, first=RateLimited("later", retry_after=stated), second="answer")
    assert facade.complete("say", "small")["result"] == "answer"
    assert (waits, asked(models)) == (expected, times)


def test_backoff__not_beyond_the_deadline(facade, agent, waits, monkeypatch):
    """A backoff that is longer than the deadline is not started. The failure is the provider's, not a timeout."""
    monkeypatch.setattr(random, "uniform", lambda low, high: high * 100)
    models = scripted_chain(agent, only=ProviderUnavailable("busy"))
    agent(DEADLINE=90)
    assert facade.complete("say", "small")["reason"] == "overloaded: busy"
    assert (waits, asked(models)) == ([50], {"only": 2})


def test_immediate__inside_the_block(facade, agent, waits):
    """Retries wait again after the block."""
    scripted_chain(agent, only=ProviderUnavailable("busy"))
    with immediate():
        facade.complete("say", "small")
    assert waits == []
    facade.complete("say", "small")
    assert waits == [0.5, 1]


# --- over HTTP

STATUSES = {
    **dict.fromkeys([409, 425, 429, 498, 500, 502, 503, 529], 3),
    **dict.fromkeys([301, 302, 307, 400, 401, 402, 403, 404, 413, 422, 501, 505, 525], 1),
}


@pytest.fixture
def hasty(agent):
    """The openai-compat provider, with retries that do not wait."""
    agent(DEFAULT_PROVIDER="openai-compat", CLI_TIMEOUT=30)
    with immediate():
        yield


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(("status", "times"), STATUSES.items())
def test_http__status(facade, agent, status, times):
    """The status decides whether to retry, whatever RETRY_BILLED says, because nothing was billed."""
    for billed in (False, True):
        with ScriptedServer(Reply.of({"error": "so it is"}, status=status)) as server:
            agent(OPENAI_COMPAT_BASE_URL=server.url, RETRY_BILLED=billed)
            assert facade.complete("say", "small")["status"] == "failure"
        assert len(server.requests) == times


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("provider", ["openai-compat", pytest.param("anthropic", marks=pytest.mark.sdk)])
@pytest.mark.parametrize("status", [409, 429, 503])
@pytest.mark.parametrize("ending", ["close", "hang", "endless"])
def test_http__undelivered_body_of_an_error(facade, agent, monkeypatch, provider, status, ending):
    """If the status says that the work was not done, the call is retried and costs nothing, whatever its body is."""
    monkeypatch.setattr(attempt_limits, "MAX_ANSWER_BYTES", 300_000)
    with ScriptedServer(Reply(b"{", status=status, content_length=10**12, ending=ending)) as server:
        urls = {"OPENAI_COMPAT_BASE_URL": server.url, "ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": "sk-ant-x"}
        agent(**urls, RETRIES=1, CLI_TIMEOUT=1 if ending == "hang" else 30, BUDGETS=AMPLE)
        answer = facade.complete("say", "small", provider=provider)
    failure = "rate_limited" if status == 429 else "overloaded"
    assert answer["failure"] == failure
    assert answer["reason"].startswith(f"{failure}: HTTP {status}: ")
    assert len(server.requests) == 2
    rows = PromptLog.objects.values_list("metadata__failure", "cost_usd", "estimated_tokens", "estimated_cost_usd")
    assert list(rows) == [(failure, 0, None, None)] * 2


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(("billed", "times"), [(False, 1), (True, 2)])
@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        (Reply(raw=b"", ending="hang"), "timeout"),
        (Reply(raw=b"", ending="close"), "interrupted"),
        (Reply(raw=b"", ending="reset"), "interrupted"),
        *[(Reply(b"gone", status=status), "interrupted") for status in (408, 504, 520, 521, 522, 523, 524)],
        (Reply(HALF, content_length=len(ANSWER.body), ending="hang"), "timeout"),
        (Reply(HALF, content_length=len(ANSWER.body), ending="close"), "invalid_answer"),
        (Reply(HALF, content_length=len(ANSWER.body), ending="reset"), "invalid_answer"),
    ],
    ids=repr,
)
def test_http__maybe_billed(facade, agent, reply, failure, billed, times):
    """A request that was sent in full but got no complete answer is only repeated if the host allows it."""
    with ScriptedServer(reply) as server:
        seconds = 0.3 if failure == "timeout" else 30
        agent(OPENAI_COMPAT_BASE_URL=server.url, CLI_TIMEOUT=seconds, RETRIES=1, RETRY_BILLED=billed)
        assert facade.complete("say", "small")["reason"].startswith(f"{failure}: ")
        assert PromptLog.objects.count() == times
        if failure != "timeout":  # after a timeout, the server may not have read the request yet
            assert len(server.requests) == times
