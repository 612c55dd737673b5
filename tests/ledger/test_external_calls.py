"""Calls made elsewhere are recorded in the same ledger."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pytest
from asgiref.sync import async_to_sync
from django.db import DatabaseError, connection, transaction

import stapel_agent
from stapel_agent.exceptions import LedgerUnavailable
from stapel_agent.ledger import row_writer
from stapel_agent.models import PromptLog
from tests.prices.price_list import listed

pytestmark = pytest.mark.django_db

LEAST = {"source": "embed", "provider": "house", "model": "house-embed-1"}


@pytest.fixture(params=["sync", "async"])
def record(request):
    """`record_call()`, once synchronously and once on an event loop."""
    return {"sync": stapel_agent.record_call, "async": async_to_sync(stapel_agent.arecord_call)}[request.param]


def test_record__least(record):
    """Source, provider and model are enough. The row's id is returned."""
    row = PromptLog.objects.get(pk=uuid.UUID(record(**LEAST)))
    assert (row.source, row.provider, row.model, row.model_size, row.status) == (*LEAST.values(), "", "success")
    assert (row.prompt, row.response, row.error_message, row.duration_ms, row.cache_key) == ("", None, None, None, None)
    assert (row.input_tokens, row.output_tokens, row.thinking_tokens) == (0, 0, 0)
    assert row.metadata == {"provider": "house"}


def test_record__everything(record):
    """Every column that a call of our own has can be given."""
    given = {
        **LEAST,
        "model_size": "small",
        "status": "timeout",
        "prompt": "p",
        "system_prompt": "s",
        "response": "r",
        "error_message": "slow",
        "input_tokens": 1,
        "output_tokens": 2,
        "thinking_tokens": 3,
        "cache_read_tokens": 4,
        "cache_write_tokens": 2**31 - 1,
        "duration_ms": 6,
        "user_id": "u",
        "workspace_id": "w",
    }
    record(**given, metadata={"dimensions": 8, "provider": "another"})
    row = PromptLog.objects.get()
    assert {name: getattr(row, name) for name in given} == given
    assert row.metadata == {"dimensions": 8, "provider": "house"}


def test_record__awkward_values(record):
    """Any text is stored in a form that every database accepts. Error messages are stored without credentials."""
    record(
        **LEAST,
        prompt="\x00",
        response="\ud800",
        user_id="u" * 100,
        error_message="Bearer abcdefghijklmnop",
        metadata={"a": "\x00", "b": float("nan"), "c": object},
    )
    row = PromptLog.objects.get()
    assert (row.prompt, row.response, row.error_message) == ("\ufffd", "\ufffd", "[redacted]")
    assert (len(row.user_id), row.metadata["user_id"], row.metadata["a"]) == (64, "u" * 100, "\ufffd")


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("wrong", "fix"),
    [
        ({"source": ""}, "source must be a string of 1 to 32 characters that a database can store, not ''$"),
        ({"source": "x" * 33}, "source must be a string of 1 to 32"),
        ({"provider": "a\x00"}, "provider must be a string of 1 to 64"),
        ({"provider": None}, "provider must be a string of 1 to 64"),
        ({"model": 7}, "model must be a string of 1 to 128 characters that a database can store, not 7$"),
        (
            {"status": "pending"},
            "status must be one of success, failure, timeout, error, because a call is recorded after it ended, "
            "not 'pending'$",
        ),
        ({"status": "fine"}, "status must be one of"),
        ({"status": None}, "status must be one of"),
        ({"input_tokens": -1}, "input_tokens must be a whole number from 0 to 2147483647, not -1$"),
        ({"output_tokens": 1.5}, "output_tokens must be"),
        ({"thinking_tokens": True}, "thinking_tokens must be"),
        ({"cache_read_tokens": None}, "cache_read_tokens must be a whole number from 0 to 2147483647, not None$"),
        ({"cache_write_tokens": 2**31}, "cache_write_tokens must be"),
        ({"duration_ms": -1}, "duration_ms must be a whole number of milliseconds, or None"),
        ({"user_id": 7}, "user_id must be a string or None"),
        ({"workspace_id": b"w"}, "workspace_id must be a string or None"),
        ({"prompt": None}, "prompt must be a string"),
        ({"response": {}}, "response must be a string or None, not a value of the type dict$"),
        ({"metadata": '{"api_key": "sk-ant-api03-AbCdEf0123"}'}, r"""metadata must be a map, not '{"\[redacted\]"""),
        ({"metadata": None}, "metadata must be a map"),
    ],
)
def test_record__wrong_value(record, wrong, fix):
    """If the ledger cannot store a value, the error names it and the fix, and nothing is written."""
    with pytest.raises(ValueError, match=f"^{fix}"):
        record(**{**LEAST, **wrong})
    assert not PromptLog.objects.exists()


@pytest.mark.parametrize("fields", [{}, {"source": "embed", "provider": "house"}, {**LEAST, "tokens": 5}])
def test_record__wrong_name(record, fields):
    """A missing or misspelt argument is a TypeError that names it."""
    with pytest.raises(
        TypeError, match=r"^a?record_call\(\) (needs source, provider, model: '|got an unexpected .* 'tokens')"
    ):
        record(**fields)


def test_record__ledger_unavailable(record, monkeypatch, caplog):
    """If the row cannot be written, the caller gets an error, and the log has its figures but not its texts."""

    def broken(*arguments):
        raise DatabaseError("disk full")

    monkeypatch.setattr(row_writer, "_insert_charged", broken)
    with pytest.raises(LedgerUnavailable, match=r"^the ledger cannot be written to \(DatabaseError\)"):
        record(**LEAST, prompt="secret-text", input_tokens=7)
    assert "(7 input and 0 output tokens) could not be recorded: DatabaseError: disk full" in caplog.text
    assert "secret-text" not in caplog.text


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer")
def test_record__rollback():
    """A rollback by the caller does not remove the row."""
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        stapel_agent.record_call(**LEAST)
        raise ZeroDivisionError
    assert PromptLog.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "cost"),
    [
        ({"cost_usd": "0.02"}, (Decimal("0.02"), "provider")),
        ({"provider": "openai", "model": "gpt-5", "input_tokens": 1_000_000}, (Decimal("1.25"), "price_list")),
        ({"input_tokens": 7}, (None, "unpriced")),
    ],
)
def test_record__cost(fields, cost):
    """The cost is the host's figure, or else comes from the price list."""
    with listed():
        stapel_agent.record_call(**{"source": "embed", "provider": "house", "model": "m", **fields})
    row = PromptLog.objects.get()
    assert (row.cost_usd, row.cost_basis) == cost
