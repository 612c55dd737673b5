"""The ledger's rows: one for every provider call, whole, whatever happens."""

import asyncio
import threading
import uuid

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import DatabaseError, transaction

from stapel_agent import ledger, services
from stapel_agent.models import PromptLog
from stapel_agent.providers.base import LlmProvider, ProviderResult

pytestmark = pytest.mark.django_db


def columns(row: PromptLog) -> dict:
    return {
        field.attname: getattr(row, field.attname)
        for field in PromptLog._meta.concrete_fields
        if field.attname not in {"id", "request_id", "cache_key", "created_at", "duration_ms"}
    }


def test_row__success(facade, scripted_model):
    """Every column of a successful call."""
    scripted_model.script(ProviderResult('{"a": 1}', 1, 2, 3, 4, 5, metadata={"total_cost_usd": 0.25}))
    facade.complete_json("say", "medium", system_prompt="s", user_id="u1", source="other", metadata={"ticket": 9})
    row = PromptLog.objects.get()
    assert columns(row) == {
        "source": "other",
        "model": "claude-sonnet-5",
        "model_size": "medium",
        "prompt": "say",
        "system_prompt": "s",
        "response": '{"a": 1}',
        "status": "success",
        "error_message": None,
        "input_tokens": 1,
        "output_tokens": 2,
        "thinking_tokens": 3,
        "cache_read_tokens": 4,
        "cache_write_tokens": 5,
        "user_id": "u1",
        "metadata": {"total_cost_usd": 0.25, "ticket": 9, "provider": "anthropic"},
    }
    assert isinstance(row.request_id, uuid.UUID)
    assert len(row.cache_key) == 64
    assert row.duration_ms >= 0


def test_row__unusable_answer(facade, scripted_model):
    """An answer that does not count is booked with its text and its tokens."""
    scripted_model.script("prose")
    facade.complete_json("say", "small")
    row = PromptLog.objects.get()
    assert (row.status, row.response, row.input_tokens, row.output_tokens) == ("failure", "prose", 10, 5)
    assert row.metadata == {"provider": "anthropic", "failure": "invalid_answer"}


@pytest.mark.parametrize(
    "metadata",
    [
        {"nan": float("nan"), "inf": float("-inf")},
        {"nul": "\x00", "lone": "\ud800", "\x00": 1},
        {"object": object(), "bytes": b"x", ("tuple",): 1},
        "no mapping",
        [1, 2],
        {"deep": None},
    ],
)
def test_row__odd_metadata(facade, scripted_model, metadata):
    """Metadata that a database would refuse never costs the row."""
    if isinstance(metadata, dict) and "deep" in metadata:
        for _ in range(100_000):
            metadata = {"deep": metadata}
    scripted_model.script(ProviderResult("{}", metadata=metadata))
    assert facade.complete_json("say", "small")["status"] == "ok"
    assert PromptLog.objects.get().metadata["provider"] == "anthropic"


def test_row__long_model_name(facade, scripted_model, agent):
    """A model name over the column's width is cut, not lost."""
    agent(MODELS={"small": "m" * 200})
    assert facade.complete("say", "small")["status"] == "ok"
    assert PromptLog.objects.get().model == "m" * 128


def test_row__big_prompt(facade, scripted_model):
    """Five megabytes each way are stored whole."""
    text = "é" * 2_500_000
    scripted_model.script(text)
    assert facade.complete(text, "small")["result"] == text
    row = PromptLog.objects.get()
    assert (row.prompt, row.response) == (text, text)


def test_row__caller_provider_name_wins_nothing(facade, scripted_model):
    """A caller's metadata cannot pass one provider's call off as another's."""
    facade.complete("say", "small", metadata={"provider": "other", "failure": "none"})
    assert PromptLog.objects.get().metadata["provider"] == "anthropic"


def test_row__database_fault(facade, scripted_model, monkeypatch, caplog):
    """A row that cannot be written is logged; the answer, which is paid for, is given."""

    def refuse(*arguments, **options):
        raise DatabaseError("value too long: postgres://user:hunter22@host")

    monkeypatch.setattr(PromptLog, "save", refuse)
    assert facade.complete("say", "small")["status"] == "ok"
    assert "was not written: DatabaseError" in caplog.text
    assert "hunter22" not in caplog.text


def test_row__fault_inside_the_callers_transaction(facade, scripted_model, monkeypatch):
    """A row that the database refuses does not break the caller's transaction."""
    facade.complete("say", "small")
    taken = PromptLog.objects.get()
    monkeypatch.setattr(ledger, "_row", lambda attempt: PromptLog(id=taken.id, prompt="p"))
    with transaction.atomic():
        assert facade.complete("say", "small")["status"] == "ok"
        assert PromptLog.objects.get() == taken


def test_row__cancelled_task(agent):
    """A task cancelled in mid-call leaves a row that says so, and the cancellation goes on."""
    asked = asyncio.Event()

    class Waiting(LlmProvider):
        async def acomplete(self, **arguments):
            asked.set()
            await asyncio.Event().wait()

    agent(PROVIDERS={"waiting": Waiting})

    async def cancelled_call():
        task = asyncio.create_task(services.acomplete("say", "small", provider="waiting"))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async_to_sync(cancelled_call)()
    row = PromptLog.objects.get()
    assert (row.status, row.error_message, row.metadata["failure"]) == ("error", "cancelled", "cancelled")


def test_row__cancelled_while_it_is_written(agent):
    """A task cancelled after the answer, while its row waits for the database, still leaves the row. Twice even."""

    asked, answered = asyncio.Event(), asyncio.Event()

    class Prompted(LlmProvider):
        async def acomplete(self, **arguments):
            asked.set()
            await answered.wait()
            return ProviderResult("paid", input_tokens=7)

    agent(PROVIDERS={"prompted": Prompted})
    held, release = threading.Event(), threading.Event()

    async def cancelled_call():
        task = asyncio.create_task(services.acomplete("say", "small", provider="prompted"))
        await asked.wait()
        holding = asyncio.ensure_future(sync_to_async(lambda: (held.set(), release.wait(10)))())
        await asyncio.to_thread(held.wait, 10)
        answered.set()
        for _ in range(2):
            await asyncio.sleep(0.05)
            task.cancel()
        release.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        await holding

    async_to_sync(cancelled_call)()
    assert [row.input_tokens for row in PromptLog.objects.all()] == [7]


def test_row__interrupted(agent):
    """A worker that is told to stop in mid-call leaves a row, and stops."""

    class Interrupted(LlmProvider):
        def complete(self, **arguments):
            raise SystemExit(0)

    agent(PROVIDERS={"interrupted": Interrupted})
    with pytest.raises(SystemExit):
        services.complete("say", "small", provider="interrupted")
    assert PromptLog.objects.get().status == "error"


def test_widths__are_those_of_the_columns():
    """What the facade refuses as too long is what the columns cannot hold."""
    assert {
        field: PromptLog._meta.get_field(field).max_length for field in services.LEDGER_WIDTHS
    } == services.LEDGER_WIDTHS
