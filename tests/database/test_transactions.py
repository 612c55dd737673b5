"""The ledger's transactions on a file of SQLite, which several threads write at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from stapel_agent.database.transactions import ledger_transaction

ALIAS = "file"


@pytest.fixture
def alias(django_db_blocker: Any, tmp_path: Path) -> Iterator[str]:
    """The alias of a database in a file, with one row."""
    own = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "file.sqlite3"), "OPTIONS": {}}
    connections.settings[ALIAS] = {**connections.settings["default"], **own}
    with django_db_blocker.unblock():
        with connections[ALIAS].cursor() as cursor:
            cursor.execute("CREATE TABLE account (spent integer)")
            cursor.execute("INSERT INTO account VALUES (0)")
        yield ALIAS
        connections[ALIAS].close()
    del connections[ALIAS]
    del connections.settings[ALIAS]


def test_ledger_transaction__two_that_read_before_they_write(alias: str) -> None:
    """Both succeed, one after the other: SQLite would reject the second one at once, without waiting."""
    both_have_read = threading.Barrier(2)

    def spend() -> None:
        try:
            with ledger_transaction(alias), connections[alias].cursor() as cursor:
                cursor.execute("SELECT spent FROM account")
                (spent,) = cursor.fetchone()
                with suppress(threading.BrokenBarrierError):
                    both_have_read.wait(0.5)
                cursor.execute("UPDATE account SET spent = %s", [spent + 1])
        finally:
            connections[alias].close()

    with ThreadPoolExecutor(2) as threads:
        for call in [threads.submit(spend) for _ in range(2)]:
            call.result()
    with connections[alias].cursor() as cursor:
        assert cursor.execute("SELECT spent FROM account").fetchone() == (2,)


@pytest.mark.parametrize("mode", [None, "EXCLUSIVE"])
def test_ledger_transaction__mode_of_the_host(alias: str, mode: str | None) -> None:
    """The host's own transactions keep their mode."""
    connection = connections[alias]
    connection.transaction_mode = mode
    with pytest.raises(KeyError), ledger_transaction(alias):
        raise KeyError
    assert connection.transaction_mode == mode
