"""The same key from the same caller gets the first answer again, is refused, or may try again."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.core.management import call_command
from django.db import DatabaseError
from django.utils import timezone

from stapel_agent import services, sharing
from stapel_agent.exceptions import ProviderTimeout
from stapel_agent.models import IdempotencyRecord, PromptLog
from stapel_agent.providers.base import LlmProvider, ProviderResult
from stapel_agent.sharing import idempotency, idempotency_records, leases
from stapel_agent.testing import translating
from tests.answers import TRACED, by

pytestmark = pytest.mark.django_db

CONFLICT = {
    "status": "failure",
    "failure": "rejected",
    "reason": "rejected: the idempotency_key was used before with another payload: choose a new one",
}


def age(**fields) -> None:
    """Set the age of all records."""
    moment = timezone.now() - timedelta(**fields)
    IdempotencyRecord.objects.update(created_at=moment, seen_at=moment)


def under_way(**columns) -> IdempotencyRecord:
    """The record of a call with key "k" that another process has begun."""
    services.complete("say", "small", idempotency_key="k")
    IdempotencyRecord.objects.update(answer=None, **columns)
    return IdempotencyRecord.objects.get()


@pytest.mark.parametrize("verb", ["complete", "complete_json"])
def test_key__same_payload(facade, scripted_model, verb):
    """The first answer is returned again, complete, without a call and without a row."""
    scripted_model.script('{"n": 1} and prose', '{"n": 2}')
    first, second = (getattr(facade, verb)("say", "small", idempotency_key="k") for _ in range(2))
    assert first == second
    assert first["usage"] == {"input_tokens": 10, "output_tokens": 5}
    assert (len(scripted_model.requests), PromptLog.objects.count()) == (1, 1)
    assert first["request_id"] == str(PromptLog.objects.get().request_id)


def test_key__translation(facade, scripted_model):
    """A translation's keys are returned unchanged and in order, even those that a database could not store."""
    scripted_model.script(translating(str.upper))
    entries = {"b": "x", "nul\x00": "y", "a": "z", "lone\ud800": "ключ"}
    first, second = (facade.translate("en", "de", entries, idempotency_key="k") for _ in range(2))
    result = {key: text.upper() for key, text in entries.items()}
    assert (
        first == second == {"status": "ok", "result": result, "usage": {"input_tokens": 10, "output_tokens": 5}, **by()}
    )
    assert list(second["result"]) == list(entries)
    assert len(scripted_model.requests) == 1


def test_key__of_no_entries(facade, scripted_model):
    """An empty map of entries is answered as usual."""
    for _ in range(2):
        assert facade.translate("en", "de", {}, idempotency_key="k") == {"status": "ok", "result": {}}
    assert scripted_model.requests == []


@pytest.mark.any_database
@pytest.mark.parametrize(
    "other",
    [
        {"prompt": "other"},
        {"model_size": "large"},
        {"system_prompt": "s"},
        {"provider": "openai-compat"},
        {"source": "other"},
        {"schema": {"type": "object"}},
        {"max_tokens": 9},
        {"context": {"run": 1}},
        {"metadata": {"run": 1}},
        {"skip_cache": True},
    ],
    ids=lambda other: next(iter(other)),
)
def test_key__another_payload(facade, scripted_model, other):
    """Any other payload with a used key is refused, and no provider is called."""
    facade.complete_json("say", "small", idempotency_key="k")
    again = {"prompt": "say", "model_size": "small", "idempotency_key": "k", **other}
    assert facade.complete_json(**again) == CONFLICT
    assert len(scripted_model.requests) == 1


def test_key__another_verb(facade, scripted_model):
    """The same text to another verb is another payload."""
    facade.complete_json("say", "small", idempotency_key="k")
    assert facade.complete("say", "small", idempotency_key="k") == CONFLICT


@pytest.mark.any_database
@pytest.mark.parametrize("other", [{"user_id": "2"}, {"workspace_id": "2"}, {"caller": "service"}])
def test_key__another_caller(facade, scripted_model, other):
    """Another caller's key is another key, even if it is the same text."""
    facade.complete("say", "small", idempotency_key="k")
    facade.complete("say", "small", idempotency_key="k", **other)
    assert len(scripted_model.requests) == 2


def test_key__callers_cannot_be_forged(facade, scripted_model):
    """No caller can get another one's answer by the way its ids and key are joined."""
    for ids in ({"user_id": "1"}, {"workspace_id": "1"}, {"caller": "1"}, {"user_id": "null"}, {"caller": "[null, 1]"}):
        facade.complete("say", "small", idempotency_key="k", **ids)
    assert len(scripted_model.requests) == 5


def test_key__absent_options(facade, scripted_model):
    """An option that is None counts as left out."""
    facade.complete("say", "small", idempotency_key="k")
    facade.complete("say", "small", idempotency_key="k", provider=None, context=None, user_id=None)
    assert len(scripted_model.requests) == 1


@pytest.mark.parametrize("reply", [ProviderTimeout("slow"), ProviderResult("cut", 1, 2, finish_reason="length")])
def test_key__failure_may_be_tried_again(facade, scripted_model, reply):
    """A failure, paid or not, is not kept: the next request calls a provider, with this payload or another."""
    scripted_model.script(reply, "answer", "another")
    assert facade.complete("say", "small", idempotency_key="k")["status"] == "failure"
    assert not IdempotencyRecord.objects.exists()
    assert facade.complete("say more", "small", idempotency_key="k")["result"] == "answer"


def test_key__is_nowhere(facade, scripted_model):
    """The key and the payload are stored as digests only."""
    facade.complete("the prompt", "small", idempotency_key="the-key", user_id="the-user")
    record = IdempotencyRecord.objects.values().get()
    row = PromptLog.objects.values().get()
    assert "the-key" not in f"{record} {row}"
    assert "the prompt" not in str(record)
    assert json.loads(record["answer"])["result"] == "{}"


@pytest.mark.parametrize("key", ["k" * 255, "\x00", "\ud800", "ключ 鍵", " ", "a\nb"])
def test_key__any_characters(facade, scripted_model, key):
    """A key is any text of up to 255 characters."""
    first, second = (facade.complete("say \ud800", "small", idempotency_key=key) for _ in range(2))
    assert (first, len(scripted_model.requests)) == (second, 1)


@pytest.mark.parametrize("key", ["", "k" * 256, 7, b"k", ["k"]])
def test_key__invalid(facade, scripted_model, key):
    """An invalid key is refused with the fix, and not quoted."""
    answer = facade.complete("say", "small", idempotency_key=key)
    assert answer["reason"].startswith("rejected: idempotency_key is invalid: A string of 1 to 255 characters.")
    assert scripted_model.requests == []


def test_key__arguments_without_a_json_form(facade, scripted_model):
    """Arguments that cannot be compared with a later payload are refused before anything is spent."""
    answer = facade.complete("say", "small", idempotency_key="k", metadata={"a": float, 1: 2})
    assert answer["reason"].startswith("rejected: a call with an idempotency_key takes only")
    assert scripted_model.requests == []


def test_ttl__expired(facade, scripted_model, agent):
    """After IDEMPOTENCY_TTL, the key is new, for any payload."""
    agent(IDEMPOTENCY_TTL=60)
    facade.complete("say", "small", idempotency_key="k")
    age(seconds=50)
    assert facade.complete("other", "small", idempotency_key="k") == CONFLICT
    age(seconds=70)
    assert facade.complete("other", "small", idempotency_key="k")["status"] == "ok"
    assert (len(scripted_model.requests), IdempotencyRecord.objects.count()) == (2, 1)


def test_under_way__process_died(facade, scripted_model):
    """If the process of a record no longer renews it, the next caller takes over, and closes its row as lost."""
    record = under_way(seen_at=timezone.now() - timedelta(seconds=leases.SILENCE_SECONDS + 1))
    PromptLog.objects.update(status="pending")
    scripted_model.script("anew")
    assert facade.complete("say", "small", idempotency_key="k")["result"] == "anew"
    lost, paid = PromptLog.objects.order_by("created_at")
    assert (lost.status, lost.metadata["failure"], paid.status) == ("error", "lost", "success")
    assert IdempotencyRecord.objects.get().lease != record.lease


def test_under_way__where_nobody_can_wait(facade, scripted_model):
    """A caller in a transaction that hides the first call's end is refused, because waiting cannot help."""
    under_way(seen_at=timezone.now() + timedelta(seconds=60))
    scripted_model.script("anew")
    answer = facade.complete("say", "small", idempotency_key="k")
    assert answer["reason"].startswith("rejected: the call with this idempotency_key is under way")
    assert (scripted_model.requests, IdempotencyRecord.objects.count()) == ([], 1)


def test_under_way__another_payload(facade, scripted_model):
    """Another payload is refused at once while the first call is under way."""
    under_way(seen_at=timezone.now() + timedelta(seconds=60))
    assert facade.complete("other", "small", idempotency_key="k") == CONFLICT


def test_under_way__within_itself(facade, agent):
    """A provider that makes the call it is answering is refused, and does not wait for itself."""
    inner = []

    class Recursive(LlmProvider):
        def complete(self, **arguments):
            inner.append(services.complete("say", "small", provider="recursive", idempotency_key="k"))
            return ProviderResult("outer")

        async def acomplete(self, **arguments):
            inner.append(await services.acomplete("say", "small", provider="recursive", idempotency_key="k"))
            return ProviderResult("outer")

    agent(PROVIDERS={"recursive": Recursive})
    assert facade.complete("say", "small", provider="recursive", idempotency_key="k")["result"] == "outer"
    (answer,) = inner
    assert "the call that makes this one" in answer["reason"]
    assert facade.complete("say", "small", idempotency_key="other")["status"] in {"ok", "failure"}


def test_ledger__unavailable(facade, scripted_model, monkeypatch):
    """If the key cannot be looked up, no provider is called, because it might be the second time."""

    def broken(*arguments):
        raise DatabaseError("no such table")

    monkeypatch.setattr(idempotency.Once, "_take", broken)
    answer = facade.complete("say", "small", idempotency_key="k")
    assert answer == {
        "status": "failure",
        "failure": "ledger_unavailable",
        "reason": "ledger_unavailable: the idempotency_key cannot be looked up (DatabaseError), so no provider was "
        "called: check that the ledger's database is reachable and migrated",
        **TRACED,
    }
    assert scripted_model.requests == []


def test_keep__fault(facade, scripted_model, monkeypatch, caplog):
    """A paid answer that cannot be kept is still returned, and the key is free again."""

    def broken(*arguments):
        raise DatabaseError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(idempotency.Once, "_write", broken)
        assert facade.complete("say", "small", idempotency_key="k")["status"] == "ok"
    assert "idempotency: DatabaseError; the key may be used again" in caplog.text
    assert not IdempotencyRecord.objects.exists()


def test_once__leaves_nothing_behind(facade, scripted_model):
    """After a call, no record without an answer, no lease and no marker is left."""
    facade.complete("say", "small", idempotency_key="k")
    assert (idempotency._holders, idempotency._held_here.get(), leases._led) == ({}, frozenset(), {})


@pytest.mark.django_db(transaction=True)
def test_acomplete__tasks_with_one_key(scripted_model, agent):
    """Tasks with the same key make one call, and all get its answer, also on SQLite."""

    class Slow(LlmProvider):
        calls = 0

        async def acomplete(self, **arguments):
            Slow.calls += 1
            await asyncio.sleep(0.2)
            return ProviderResult(f"answer {Slow.calls}", 3, 4)

    async def race():
        return await asyncio.gather(
            *(services.acomplete("say", "small", provider="slow", idempotency_key="k") for _ in range(5))
        )

    agent(PROVIDERS={"slow": Slow})
    answers = async_to_sync(race)()
    usage = {"input_tokens": 3, "output_tokens": 4}
    assert answers == [{"status": "ok", "result": "answer 1", "usage": usage, **by("slow")}] * 5
    assert len({answer["request_id"] for answer in answers}) == 1


@pytest.mark.django_db(transaction=True)
def test_acomplete__deadline_while_waiting(scripted_model, agent):
    """A caller waits for another one's answer until its deadline at most."""
    under_way(seen_at=timezone.now() + timedelta(seconds=60))
    agent(DEADLINE=1)
    answer = async_to_sync(services.acomplete)("say", "small", idempotency_key="k")
    assert answer["reason"] == "timeout: no answer to the idempotency_key within the DEADLINE of 1 s"
    assert IdempotencyRecord.objects.count() == 1


@pytest.mark.parametrize("how", ["command", "sweep", "answers"])
def test_sweep__expired_records(scripted_model, agent, monkeypatch, how):
    """Expired records are removed in batches, by the command and by later answers."""
    monkeypatch.setattr(idempotency_records, "SWEPT_BATCH", 3)
    for number in range(7):
        services.complete("say", "small", idempotency_key=f"old {number}")
    age(days=2)
    IdempotencyRecord.objects.filter(pk=IdempotencyRecord.objects.first().pk).update(
        seen_at=timezone.now(), answer=None
    )
    services.complete("say", "small", idempotency_key="new")
    if how == "answers":
        monkeypatch.setattr(idempotency, "SWEEPING_SHARE", 1)
        for number in range(2):
            services.complete("say", "small", idempotency_key=f"newer {number}")
    elif how == "command":
        call_command("close_lost_calls", verbosity=0)
    else:
        sharing.sweep_idempotency()
    left = {"answers": 2, "command": 0, "sweep": 0}[how]
    assert IdempotencyRecord.objects.count() == 2 + left
    assert IdempotencyRecord.objects.filter(answer=None).count() == 1
