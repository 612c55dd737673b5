"""When `call_finished` is sent, what receivers get, and that they can do no harm."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

import stapel_agent
from stapel_agent import ledger, services
from stapel_agent.exceptions import AccessDenied, ProviderTimeout
from stapel_agent.ledger import row_statements
from stapel_agent.models import PromptLog
from stapel_agent.providers.base import LlmProvider, ProviderResult
from stapel_agent.signals import call_finished
from stapel_agent.types import FinishedCall, Usage
from tests.scripted_chain import scripted_chain

pytestmark = pytest.mark.django_db


@contextmanager
def connected(receiver: Callable[..., Any]) -> Iterator[None]:
    call_finished.connect(receiver, sender=PromptLog)
    try:
        yield
    finally:
        call_finished.disconnect(receiver, sender=PromptLog)


@pytest.fixture
def told() -> Iterator[list[FinishedCall]]:
    """The calls that a receiver got."""
    calls: list[FinishedCall] = []

    def receiver(call: FinishedCall, **facts: Any) -> None:
        calls.append(call)

    with connected(receiver):
        yield calls


def test_call__whole(facade, scripted_model, told):
    """The signal has all facts of a call except the prompt and the answer."""
    scripted_model.script(ProviderResult("a secret answer", 1, 2, 1, 4, 5, metadata={"lane": 7}))
    whose = {"user_id": "u", "workspace_id": "w", "context": {"run": 9}}
    facade.complete("a secret prompt", "medium", system_prompt="a secret order", source="other", **whose)
    row = PromptLog.objects.get()
    assert told == [
        FinishedCall(
            id=row.pk,
            request_id=row.request_id,
            source="other",
            provider="anthropic",
            model="claude-sonnet-5",
            model_size="medium",
            status="success",
            failure=None,
            usage=Usage(1, 2, 1, 4, 5),
            cost_usd=row.cost_usd,
            duration_ms=row.duration_ms,
            user_id="u",
            workspace_id="w",
            metadata={"lane": 7, "context": {"run": 9}, "provider": "anthropic"},
        )
    ]
    assert "secret" not in repr(told)


def test_call__that_failed(facade, scripted_model, told):
    """The failure's name is in the signal. A message that quotes the answer is not."""
    scripted_model.script("secret prose")
    facade.complete_json("say", "small")
    assert [(call.status, call.failure, call.usage.output_tokens) for call in told] == [
        ("failure", "invalid_answer", 5)
    ]
    assert "secret" not in repr(told)


def test_call__estimated_cost(facade, agent, told):
    """The signal has the estimated cost of a call with an unknown outcome, like its row."""
    scripted_chain(agent, only=ProviderTimeout("slow"))
    agent(PRICES={"claude-haiku-4-5-20251001": {"input": "1", "output": "2"}})
    facade.complete("say", "small")
    row = PromptLog.objects.get()
    assert row.estimated_cost_usd
    assert [(call.cost_usd, call.estimated_cost_usd) for call in told] == [(None, row.estimated_cost_usd)]


def test_call__failure_in_the_callers_metadata(facade, scripted_model, told):
    """A `failure` in the caller's metadata is ignored."""
    facade.complete("say", "small", metadata={"failure": "none"})
    assert [(call.status, call.failure) for call in told] == [("success", None)]


def test_calls__each_attempt(facade, agent, told):
    """The signal is sent once per row, including retries and fallbacks."""
    scripted_chain(agent, first=AccessDenied("key"), second=[ProviderTimeout("slow"), "answer"])
    facade.complete("say", "small")
    facade.complete("say", "small")
    assert [(call.provider, call.status, call.failure) for call in told] == [
        ("first", "failure", "auth"),
        ("second", "timeout", "timeout"),
        ("first", "failure", "auth"),
        ("second", "success", None),
    ]


def test_calls__none_for_a_reused_answer(facade, scripted_model, agent, told):
    """Without a call and a row, no signal is sent."""
    agent(CACHE_LOOKUP={"llm_facade": True})
    for _ in range(2):
        facade.complete("say", "small")
    assert len(told) == PromptLog.objects.count() == 1


def test_calls__of_a_translation(facade, agent, scripted_model, told):
    """The signal is sent once per question to the model."""
    agent(TRANSLATE_CHUNK_ENTRIES=1, CACHE_LOOKUP={})
    scripted_model.script('{"1": "Hallo"}')
    facade.translate("en", "de", {"a": "Hello", "b": "Hello there"})
    assert {call.id for call in told} == set(PromptLog.objects.values_list("pk", flat=True))
    assert len(told) == 2


def test_receiver__sees_the_row_closed(facade, scripted_model):
    """Receivers run after the row is closed, and may use the ORM, also for calls on an event loop."""
    seen = []

    def receiver(call, sender, **facts):
        row = sender.objects.get(pk=call.id)
        seen.append((row.status, row.response))
        sender.objects.filter(pk=call.id).update(user_id="seen")

    scripted_model.script("fine")
    with connected(receiver):
        facade.complete("say", "small")
    assert seen == [("success", "fine")]
    assert PromptLog.objects.get().user_id == "seen"


def test_receiver__asynchronous(facade, scripted_model):
    """A receiver that is a coroutine function is awaited."""
    seen = []

    async def receiver(call, **facts):
        await asyncio.sleep(0)
        seen.append(call.status)

    with connected(receiver):
        facade.complete("say", "small")
    assert seen == ["success"]


def broken_row(**facts):
    PromptLog.objects.bulk_create([PromptLog(id=uuid.UUID(int=7), model="m")] * 2)


def broken_statement(**facts):
    with connection.cursor() as cursor:
        cursor.execute("SELECT nothing_at_all FROM nowhere")


def broken_savepoint(**facts):
    with transaction.atomic(savepoint=False):
        raise IntegrityError("in a block of the receiver's own")


def leaving(**facts):
    raise SystemExit(1)


def cancelled(**facts):
    raise asyncio.CancelledError


def closed(**facts):
    raise GeneratorExit


BROKEN = [broken_row, broken_statement, broken_savepoint, leaving, cancelled, closed]


@pytest.mark.any_database
@pytest.mark.parametrize("receiver", BROKEN, ids=lambda receiver: receiver.__name__)
def test_receiver__raises(facade, scripted_model, receiver, caplog):
    """If a receiver raises, the caller gets the answer, its transaction continues, and the log has the error."""
    with connected(receiver), transaction.atomic():
        PromptLog.objects.create(source="other", model="mine", model_size="", prompt="")
        assert facade.complete("say", "small")["status"] == "ok"
        assert sorted(PromptLog.objects.values_list("model", flat=True)) == ["claude-haiku-4-5-20251001", "mine"]
    assert PromptLog.objects.filter(status="success").count() == 1
    assert "Error calling" in caplog.text or "signal receivers" in caplog.text


@pytest.mark.parametrize("receiver", BROKEN, ids=lambda receiver: receiver.__name__)
def test_receiver__harms_no_recorded_call(receiver):
    """The caller gets the id of the row."""
    asked = {"source": "embed", "provider": "house", "model": "m"}
    with connected(receiver):
        ids = {stapel_agent.record_call(**asked), async_to_sync(stapel_agent.arecord_call)(**asked)}
    assert ids == {str(pk) for pk in PromptLog.objects.values_list("pk", flat=True)}


def test_receiver__interrupted(scripted_model):
    """Ctrl-C while a receiver runs in the caller's thread is for the caller."""

    def interrupted(**facts):
        raise KeyboardInterrupt

    with connected(interrupted), pytest.raises(KeyboardInterrupt):
        services.complete("say", "small")
    assert PromptLog.objects.get().status == "success"


def test_receiver__harms_no_other_receiver(facade, scripted_model):
    """Receivers after a broken one are called too."""
    calls = []

    def broken(**facts):
        raise ValueError("broken")

    def receiver(call, **facts):
        calls.append(call.status)

    with connected(broken), connected(receiver):
        facade.complete("say", "small")
    assert calls == ["success"]


def test_recorded__calls(told):
    """The signal is sent for recorded external calls."""
    asked = {"source": "embed", "provider": "house", "model": "m"}
    first = stapel_agent.record_call(**asked, input_tokens=4, duration_ms=2)
    second = async_to_sync(stapel_agent.arecord_call)(**asked, status="timeout")
    assert [(str(call.id), call.status, call.usage, call.duration_ms) for call in told] == [
        (first, "success", Usage(input_tokens=4), 2),
        (second, "timeout", Usage(), None),
    ]


def test_lost__calls(told):
    """The signal is sent when the row of a dead process is closed."""
    row = PromptLog.objects.create(source="other", model="m", model_size="", prompt="p", metadata={"provider": "x"})
    PromptLog.objects.update(status="pending", created_at=timezone.now() - timedelta(hours=1))
    assert ledger.close_lost() == 1
    assert [(call.id, call.provider, call.status, call.failure) for call in told] == [(row.pk, "x", "error", "lost")]


def test_unclosed__told_when_closed(facade, scripted_model, monkeypatch, told):
    """If a row is closed later, with another one, the signal is sent then, and once."""

    def refuse(*arguments, **options):
        raise DatabaseError("gone away")

    monkeypatch.setattr(row_statements, "_update", refuse)
    for name in ("first", "second"):
        facade.complete("say", "small", user_id=name)
    assert told == []
    monkeypatch.undo()
    facade.complete("say", "small", user_id="third")
    facade.complete("say", "small", user_id="fourth")
    assert [call.user_id for call in told] == ["third", "first", "second", "fourth"]


def test_cancelled__waits_for_no_receiver(agent):
    """A task that is cancelled during a call does not wait for the receiver, which still gets the signal."""
    asked, release, told = asyncio.Event(), threading.Event(), threading.Event()
    calls = []

    class Waiting(LlmProvider):
        async def acomplete(self, **arguments):
            asked.set()
            await asyncio.Event().wait()

    def receiver(call, **facts):
        release.wait(100)
        calls.append((call.status, call.failure))
        told.set()

    async def cancelled_call():
        task = asyncio.create_task(services.acomplete("say", "small", provider="waiting"))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not told.is_set()

    agent(PROVIDERS={"waiting": Waiting})
    with connected(receiver):
        async_to_sync(cancelled_call)()
        release.set()
        assert told.wait(100)
    assert calls == [("error", "cancelled")]
