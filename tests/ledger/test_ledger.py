"""Every provider call has exactly one complete row, whatever happens."""

import asyncio
import threading
import uuid
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core import checks
from django.core.management import CommandError, call_command
from django.db import DatabaseError, OperationalError, transaction
from django.utils import timezone

from stapel_agent import arguments, ledger, services, usage
from stapel_agent.exceptions import LedgerUnavailable
from stapel_agent.ledger import columns as rows
from stapel_agent.ledger import lost_calls, row_statements, row_writer
from stapel_agent.models import PromptLog
from stapel_agent.providers.base import LlmProvider, ProviderResult
from stapel_agent.signals import call_finished

pytestmark = pytest.mark.django_db


def columns(row: PromptLog) -> dict:
    return {
        field.attname: getattr(row, field.attname)
        for field in PromptLog._meta.concrete_fields
        if field.attname not in {"id", "request_id", "cache_key", "created_at", "duration_ms"}
    }


def test_row__success(facade, scripted_model):
    """Every column of a successful call."""
    scripted_model.script(ProviderResult('{"a": 1}', 1, 2, 3, 4, 5, metadata={"seed": 7}, cost_usd="0.25"))
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
        "cost_usd": Decimal("0.25"),
        "cost_basis": "provider",
        "estimated_cost_usd": None,
        "estimated_tokens": None,
        "seen_at": None,
        "user_id": "u1",
        "provider": "anthropic",
        "workspace_id": None,
        "scrubbed_at": None,
        "metadata": {"seed": 7, "ticket": 9, "provider": "anthropic"},
    }
    assert isinstance(row.request_id, uuid.UUID)
    assert len(row.cache_key) == 64
    assert row.duration_ms >= 0


@pytest.mark.parametrize(
    "metadata",
    [
        {"nan": float("nan"), "inf": float("-inf")},
        {"nul": "\x00", "lone": "\ud800", "\x00": 1},
        {"object": object(), "bytes": b"x", ("tuple",): 1},
        "no mapping",
        [1, 2],
    ],
)
def test_row__odd_metadata(facade, scripted_model, metadata):
    """Metadata that a database would reject does not prevent the row."""
    scripted_model.script(ProviderResult("{}", metadata=metadata))
    assert facade.complete_json("say", "small")["status"] == "ok"
    assert PromptLog.objects.get().metadata["provider"] == "anthropic"


def test_row__long_model_name(facade, scripted_model, agent):
    """A model name that is too long for its column is cut."""
    agent(MODELS={"small": "m" * 200})
    assert facade.complete("say", "small")["status"] == "ok"
    assert PromptLog.objects.get().model == "m" * 128


def test_row__big_prompt(facade, scripted_model):
    """Prompts and answers of five megabytes are stored in full."""
    text = "é" * 2_500_000
    scripted_model.script(text)
    assert facade.complete(text, "small")["result"] == text
    row = PromptLog.objects.get()
    assert (row.prompt, row.response) == (text, text)


def test_row__provider_in_the_callers_metadata(facade, scripted_model):
    """A caller's metadata cannot attribute a call to another provider."""
    facade.complete("say", "small", metadata={"provider": "other", "failure": "none"})
    assert PromptLog.objects.get().metadata["provider"] == "anthropic"


@pytest.mark.parametrize("length", [64, 65, 5000])
@pytest.mark.parametrize("column", ["user_id", "workspace_id"])
def test_row__long_id(facade, scripted_model, column, length):
    """An id that is too long for its column is cut and made unique by a digest. The metadata has the whole id."""
    first, second = "x" * length, "x" * (length - 1) + "y"
    assert {facade.complete("say", "small", **{column: name})["status"] for name in (first, second)} == {"ok"}
    written = PromptLog.objects.order_by("created_at")
    assert {len(getattr(row, column)) for row in written} == {64}
    assert len({getattr(row, column) for row in written}) == 2
    assert [row.metadata.get(column, getattr(row, column)) for row in written] == [first, second]


@pytest.mark.parametrize("victim", ["x" * 65, "a\x00b"])
def test_row__id_that_looks_shortened(facade, agent, scripted_model, victim):
    """A caller who takes the stored form of another's id as a name is somebody else, in rows, budgets and figures."""
    agent(BUDGETS=[{"scope": "user", "period": "day", "tokens": 10**6}])
    stored = rows.opaque_id(victim)
    for name in (victim, stored, rows.opaque_id(stored)):
        assert facade.complete("say", "small", user_id=name)["status"] == "ok"
    assert PromptLog.objects.values("user_id").distinct().count() == 3
    figures = [usage(user_id=name) for name in (stored, rows.opaque_id(stored))]
    assert [(found["totals"]["calls"], found["budgets"][0].spent_tokens > 0) for found in figures] == [(1, True)] * 2


@pytest.mark.parametrize("user_id", ["\ud800", "a\x00b"])
def test_row__user_id_that_cannot_be_stored(facade, scripted_model, user_id):
    """An id that no database can store is replaced by one that no other id gets."""
    assert facade.complete("say", "small", user_id=user_id)["status"] == "ok"
    row = PromptLog.objects.get()
    assert row.user_id == rows.opaque_id(user_id) != rows.opaque_id("\ufffd")
    assert row.metadata["user_id"] == user_id.replace("\ud800", "\ufffd").replace("\x00", "\ufffd")


def test_row__pending_while_the_provider_thinks(facade, agent):
    """The row exists, with everything that is known, before the provider is called."""
    seen = []

    class Looking(LlmProvider):
        def complete(self, **arguments):
            seen.append(columns(PromptLog.objects.get()))
            return ProviderResult("fine", input_tokens=1, output_tokens=1)

        async def acomplete(self, **arguments):
            return await sync_to_async(self.complete)(**arguments)

    agent(PROVIDERS={"looking": Looking})
    facade.complete("say", "small", provider="looking", user_id="u")
    (pending,) = seen
    closed = columns(PromptLog.objects.get())
    changed = {name: closed[name] for name in closed if closed[name] != pending[name]}
    assert (pending["status"], pending["response"], pending["input_tokens"]) == ("pending", None, None)
    assert changed == {
        "status": "success",
        "response": "fine",
        **dict.fromkeys(("input_tokens", "output_tokens"), 1),
        **dict.fromkeys(("thinking_tokens", "cache_read_tokens", "cache_write_tokens"), 0),
        "cost_basis": "unpriced",
        "estimated_tokens": None,
    }


def test_row__that_cannot_be_written(facade, scripted_model, monkeypatch, caplog):
    """If the row cannot be written, no provider is called. The answer says why, and the log has no secrets."""

    def refuse(*arguments, **options):
        raise DatabaseError("no space left: postgres://user:hunter22@host\nDETAIL: Failing row contains (say).")

    monkeypatch.setattr(row_statements, "insert_new", refuse)
    answer = facade.complete("say", "small")
    assert answer["status"] == "failure"
    assert answer["reason"].startswith("ledger_unavailable: the ledger cannot be written to (DatabaseError)")
    assert scripted_model.requests == []
    assert "no space left" in caplog.text
    assert "Failing row" not in caplog.text
    assert "hunter22" not in caplog.text + str(answer)


def test_row__that_cannot_be_closed(facade, scripted_model, monkeypatch, caplog):
    """If the row cannot be closed, the caller still gets the answer, and the row is closed with the next one."""

    def refuse(*arguments, **options):
        raise DatabaseError("gone away: postgres://user:hunter22@host")

    monkeypatch.setattr(row_statements, "_update", refuse)
    scripted_model.script("paid", "next", "last")
    assert facade.complete("say", "small")["result"] == "paid"
    assert facade.complete("say", "small")["result"] == "next"
    assert "(10 input and 5 output tokens) could not be closed" in caplog.text
    assert "hunter22" not in caplog.text
    assert [row.status for row in PromptLog.objects.all()] == ["pending"] * 2
    monkeypatch.undo()
    facade.complete("say", "small")
    written = PromptLog.objects.order_by("created_at")
    assert [(row.status, row.response, row.input_tokens) for row in written] == [
        ("success", text, 10) for text in ("paid", "next", "last")
    ]


@pytest.mark.parametrize("faults", [1, 2, 3])
def test_row__long_text_and_passing_faults(facade, scripted_model, monkeypatch, faults):
    """A long answer is stored in full, unless MySQL itself says that it is too large."""
    fault = OperationalError("database is locked")
    fault.__cause__ = DatabaseError(1205, "Lock wait timeout exceeded; try restarting transaction")
    left, update = iter([fault] * faults), row_statements._update

    def refuse_at_first(*arguments, **columns):
        for passing in left:
            raise passing
        return update(*arguments, **columns)

    monkeypatch.setattr(row_statements, "_update", refuse_at_first)
    scripted_model.script("x" * 300_000)
    for _ in range(faults + 1):
        assert facade.complete("say", "small")["status"] == "ok"
    rows = PromptLog.objects.all()
    assert [(row.status, len(row.response), row.metadata) for row in rows] == [
        ("success", 300_000, {"provider": "anthropic"})
    ] * (faults + 1)


def test_row__purged_in_mid_call(facade, agent, caplog):
    """A row that is deleted during its call stays deleted. The log says what was spent."""

    class Purging(LlmProvider):
        def complete(self, **arguments):
            PromptLog.objects.all().delete()
            return ProviderResult("paid", input_tokens=1)

        async def acomplete(self, **arguments):
            return await sync_to_async(self.complete)(**arguments)

    agent(PROVIDERS={"purging": Purging})
    assert facade.complete("first", "small", provider="purging")["status"] == "ok"
    assert PromptLog.objects.count() == 0
    assert "(1 input and 0 output tokens) was deleted while its call was running" in caplog.text


def test_row__fault_inside_the_callers_transaction(facade, scripted_model, monkeypatch):
    """A row that the database rejects does not break the caller's transaction."""
    facade.complete("say", "small")
    taken = PromptLog.objects.get()
    pending = rows.pending

    def taken_id(attempt):
        row = pending(attempt)
        row.id, row.user_id = taken.id, "x" * 99
        row.source = None
        return row

    monkeypatch.setattr(rows, "pending", taken_id)
    with transaction.atomic():
        assert facade.complete("say", "small")["reason"].startswith("ledger_unavailable")
        assert PromptLog.objects.get() == taken


def test_row__cancelled_while_it_is_written(agent):
    """A task that is cancelled after the answer, even twice, still closes its row."""

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
        holding = asyncio.ensure_future(sync_to_async(lambda: (held.set(), release.wait(100)))())
        await asyncio.to_thread(held.wait, 100)
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
    """A worker that is stopped during a call closes the row and stops."""

    class Interrupted(LlmProvider):
        def complete(self, **arguments):
            raise SystemExit(0)

    agent(PROVIDERS={"interrupted": Interrupted})
    with pytest.raises(SystemExit):
        services.complete("say", "small", provider="interrupted")
    assert PromptLog.objects.get().status == "error"


def test_widths__match_the_columns():
    """Values are rejected or cut at the lengths of their columns."""
    assert PromptLog._meta.get_field("source").max_length == arguments.SOURCE_LENGTH
    assert PromptLog._meta.get_field("user_id").max_length == rows.ID_LENGTH


@pytest.mark.parametrize("age", [None, 50])
def test_close_lost__rows_of_dead_processes(scripted_model, age):
    """Rows that are pending for longer than a provider may take are closed as lost. Newer and closed ones are not."""
    facts = {"source": "other", "model": "m", "model_size": "small", "prompt": "p"}
    now = timezone.now()
    ages = {"dead": 121, "middle-aged": 60, "young": 1, "closed": 500}
    for name, seconds in ages.items():
        status = "success" if name == "closed" else "pending"
        row = PromptLog.objects.create(**facts, status=status, user_id=name, metadata={"provider": "x"})
        PromptLog.objects.filter(pk=row.pk).update(created_at=now - timedelta(seconds=seconds))
    out = StringIO()
    call_command("close_lost_calls", *([] if age is None else ["--older-than", str(age)]), stdout=out)
    lost = PromptLog.objects.filter(status="error")
    expected = {"dead"} if age is None else {"dead", "middle-aged"}
    assert {row.user_id for row in lost} == expected
    assert out.getvalue() == ("closed 1 lost call\n" if age is None else "closed 2 lost calls\n")
    assert {row.error_message for row in lost} == {"lost: the process ended before the provider answered"}
    assert lost[0].metadata == {"provider": "x", "failure": "lost"}
    assert PromptLog.objects.get(user_id="closed").status == "success"


@pytest.mark.parametrize("age", ["-1", "nan", "inf", "1e300"])
def test_close_lost__age_zero(age):
    """An age that would include running calls, or exceed the calendar, is rejected."""
    with pytest.raises(CommandError, match="must be from 0"):
        call_command("close_lost_calls", "--older-than", age)


@pytest.mark.parametrize("command", ["close_lost_calls", "purge_prompt_logs --days 1"])
def test_commands_of_cron__print_only_their_own_checks(command):
    """The command reports no checks of other apps: cron mails every line of output."""

    def finding(app_configs, **options):
        return [checks.Warning("another app's", id="other.W001")]

    registered, told = checks.registry.registry.registered_checks, StringIO()
    checks.register(finding, "other")
    try:
        call_command(*command.split(), skip_checks=False, stdout=StringIO(), stderr=told)
    finally:
        registered.remove(finding)
    assert told.getvalue() == ""


def test_close_lost__its_process_knows_better(agent):
    """A call that was closed as lost too early gets its outcome anyway."""

    class Slow(LlmProvider):
        def complete(self, **arguments):
            assert ledger.close_lost(older_than=0) == 1
            return ProviderResult("late", input_tokens=3)

    agent(PROVIDERS={"slow": Slow})
    services.complete("say", "small", provider="slow")
    row = PromptLog.objects.get()
    assert (row.status, row.error_message, row.metadata) == ("success", None, {"provider": "slow"})


def lost_rows(number):
    """Rows of dead processes, when they are read."""
    facts = {"source": "other", "model": "m", "model_size": "small", "prompt": "p", "status": "pending"}
    facts["request_id"] = uuid.uuid4()
    ids = [PromptLog.objects.create(**facts).pk for _ in range(number)]
    return list(PromptLog.objects.filter(pk__in=ids))


def test_close_lost__batches(monkeypatch):
    """All lost rows, however many, are closed, counted and announced before the function returns."""
    monkeypatch.setattr(lost_calls, "LOST_BATCH", 2)
    told, lost = set(), {row.pk for row in lost_rows(5)}

    def hear(sender, call, **facts):
        told.add(call.id)

    call_finished.connect(hear)
    try:
        assert ledger.close_lost(older_than=0) == 5
    finally:
        call_finished.disconnect(hear)
    assert told == lost


def test_close_lost__all_closed_meanwhile(monkeypatch):
    """Rows that their processes close first are left alone, and looked at once."""
    lost_rows(2)
    monkeypatch.setattr(lost_calls, "_close_as_lost", lambda row, alias: 0)
    assert ledger.close_lost(older_than=0) == 0


def test_close_lost__of_a_request(monkeypatch):
    """A caller that takes over from a dead process leaves the announcement for later."""
    later = []
    monkeypatch.setattr(lost_calls, "announce_later", later.append)
    (row,) = lost_rows(1)
    lost_rows(1)
    assert ledger.close_lost(request_id=row.request_id) == 1
    assert later == [[row]]


@pytest.mark.parametrize("meanwhile", [{"status": "success"}, {"scrubbed_at": timezone.now()}], ids=["ended", "erased"])
def test_close_lost__row_that_has_changed(meanwhile):
    """A row that was closed or scrubbed since it was read is not overwritten."""
    (row,) = lost_rows(1)
    PromptLog.objects.update(**meanwhile)
    before = PromptLog.objects.values().get()
    assert lost_calls._close_as_lost(row, "default") == 0
    assert PromptLog.objects.values().get() == before


def test_record__already_inserted():
    """A row whose insert arrived before the connection broke exists once, and raises no error."""
    (row,) = lost_rows(1)
    again = PromptLog(**PromptLog.objects.values().get())
    assert row_writer.record(again) == row.pk
    assert PromptLog.objects.count() == 1


def test_record__rejected_values():
    """If the database rejects the values of a row, an error is raised, even though its key is free."""
    with pytest.raises(LedgerUnavailable, match="IntegrityError"), transaction.atomic():
        row_writer.record(PromptLog(source="other", model="m", model_size="small", prompt=None, status="success"))
    assert not PromptLog.objects.exists()


def test_metadata__too_deep(facade, scripted_model):
    """Foreign metadata that could not be read back is dropped. The answer and its row are kept."""
    deep: dict = {}
    for _ in range(100_000):
        deep = {"a": deep}
    scripted_model.script(ProviderResult("ok", 1, 1, metadata=deep))
    assert facade.complete("say", "small", metadata=deep)["status"] == "ok"
    assert PromptLog.objects.get().metadata == {"provider": "anthropic"}
