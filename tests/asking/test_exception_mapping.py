"""What a misbehaving server does to a call, and what the caller, the ledger and the next call see of it."""

import json
import time

import pytest
from django.db import transaction

from stapel_agent import cache
from stapel_agent.models import PromptLog
from stapel_agent.providers.wire import attempt_limits
from tests.answers import by
from tests.scripted_server import Reply, ScriptedServer

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

GOOD = json.dumps(
    {"choices": [{"message": {"content": "{}"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3}}
).encode()
HALF = GOOD[: len(GOOD) // 2]

# What the server does each time -> the failure's name, the row's status, and the number of attempts.
FAULTS = {
    "overloaded": (Reply(status=529), "overloaded", "failure", 3),
    "cut off in an error": (Reply(HALF, status=503, content_length=999, ending="close"), "overloaded", "failure", 3),
    "closed before the head": (Reply(raw=b"", ending="close"), "interrupted", "failure", 1),
    "reset before the head": (Reply(raw=b"", ending="reset"), "interrupted", "failure", 1),
    "closed in the head": (Reply(raw=b"HTTP/1.1 200 OK\r\nX: ", ending="close"), "interrupted", "failure", 1),
    "only a promise": (Reply(raw=b"HTTP/1.1 102 Processing\r\n\r\n", ending="close"), "interrupted", "failure", 1),
    "no HTTP": (Reply(raw=b"220 ready\r\n\r\n", ending="close"), "interrupted", "failure", 1),
    "gateway that gave up": (Reply(status=504), "interrupted", "failure", 1),
    "gateway that gave up, cut off": (
        Reply(HALF, status=524, content_length=999, ending="close"),
        "interrupted",
        "failure",
        1,
    ),
    "limit": (Reply(status=429, headers={"Retry-After": "0"}), "rate_limited", "failure", 3),
    "limit for longer than anybody waits": (
        Reply(status=429, headers={"Retry-After": "3600"}),
        "rate_limited",
        "failure",
        1,
    ),
    "no credit": (Reply(b"your credit is used up", status=403), "out_of_credit", "failure", 1),
    "cut off": (Reply(HALF, content_length=len(GOOD), ending="close"), "invalid_answer", "failure", 1),
    "reset in the body": (Reply(HALF, content_length=len(GOOD), ending="reset"), "invalid_answer", "failure", 1),
    "half of it, said to be all": (Reply(HALF), "invalid_answer", "failure", 1),
    "endless": (Reply(HALF, content_length=10**12, ending="endless"), "invalid_answer", "failure", 1),
    "head that drips": (Reply(GOOD, trickle="head", pause=0.05), "timeout", "timeout", 1),
    "body that drips": (Reply(GOOD, trickle="body", pause=0.05), "timeout", "timeout", 1),
    "silence": (Reply(raw=b"", ending="hang"), "timeout", "timeout", 1),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault__of_the_server(facade, agent, monkeypatch, fault):
    """Each is a named failure, limited in time and size, with one row for each attempt."""
    reply, failure, status, asked = FAULTS[fault]
    monkeypatch.setattr(attempt_limits, "MAX_ANSWER_BYTES", 300_000)
    monkeypatch.setattr("stapel_agent.asking.retries.FIRST_DELAY", 0.01)
    with ScriptedServer(reply) as server:
        agent(DEFAULT_PROVIDER="openai-compat", OPENAI_COMPAT_BASE_URL=server.url, CLI_TIMEOUT=3)
        answer = facade.complete_json("say", "small")
    assert answer["status"] == "failure"
    assert answer["reason"].startswith(f"{failure}: ")
    assert len(server.requests) == asked
    rows = PromptLog.objects.all()
    assert {(row.status, row.metadata["failure"], row.request_id) for row in rows} == {
        (status, failure, rows[0].request_id)
    }
    assert len(rows) == asked


def test_fault__that_passes(facade, agent, monkeypatch):
    """After two failed attempts, the third answers, with its cost. The ledger has all three."""
    monkeypatch.setattr("stapel_agent.asking.retries.FIRST_DELAY", 0.01)
    with ScriptedServer(Reply(status=500), Reply(status=409), Reply(GOOD)) as server:
        agent(DEFAULT_PROVIDER="openai-compat", OPENAI_COMPAT_BASE_URL=server.url)
        answer = facade.complete_json("say", "small")
    assert answer == {
        "status": "ok",
        "result": {},
        "usage": {"input_tokens": 3, "output_tokens": 0},
        **by("openai-compat"),
    }
    assert [row.status for row in PromptLog.objects.order_by("created_at")] == ["failure", "failure", "success"]


def test_deadline__covers_the_whole_request(facade, agent):
    """The caller waits no longer than the deadline, whatever the timeout and the number of retries."""
    with ScriptedServer(Reply(status=503, headers={"Retry-After": "2"})) as server:
        agent(DEFAULT_PROVIDER="openai-compat", OPENAI_COMPAT_BASE_URL=server.url, RETRIES=100, DEADLINE=5)
        started_at = time.monotonic()
        answer = facade.complete_json("say", "small")
        assert time.monotonic() - started_at < 60
    assert answer["reason"].startswith("overloaded: HTTP 503")
    assert 2 <= len(server.requests) <= 3


@pytest.mark.parametrize("step", ["should_cache", "lookup", "store"])
def test_fault__of_the_cache_policy(facade, agent, scripted_model, step):
    """A cache policy that raises prevents only the reuse, also inside the caller's transaction."""

    def broken(self, *arguments):
        raise RuntimeError("no cache")

    policy = type("Broken", (cache.PromptLogCachePolicy,), {step: broken})
    agent(CACHE_POLICY=policy, CACHE_LOOKUP={"llm_facade": True})
    with transaction.atomic():
        assert facade.complete("say", "small")["status"] == "ok"
        assert PromptLog.objects.count() == 1
