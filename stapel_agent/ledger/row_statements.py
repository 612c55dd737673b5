"""The statements that write one row: its insert, and the update with its outcome.

In SQL, because the ORM takes longer to build these statements than the database to run them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from django.db import DataError, IntegrityError, OperationalError, connections, transaction
from django.db.models import CharField, IntegerField, TextField

from stapel_agent.budgets import settling
from stapel_agent.database import is_test_run, stored_now
from stapel_agent.models import PromptLog, PromptStatus

from . import columns

logger = logging.getLogger(__name__)

DROPPED = frozenset({1153, 2006, 2013, 2020})
"""MySQL's error numbers for a packet that is too large, and for the connection that such a packet may end."""

WIDER_TABLES = "on MySQL and MariaDB, convert its tables to utf8mb4"

TABLE = PromptLog._meta.db_table
FIELDS = {field.name: field for field in PromptLog._meta.concrete_fields}
CONVERTED = frozenset(
    name for name, field in FIELDS.items() if not isinstance(field, CharField | TextField | IntegerField)
)
"""The fields whose values databases store in different ways. Texts and numbers are the same to all of them."""


def _insert_into(names: Sequence[str]) -> str:
    places = ", ".join(["%s"] * len(names))
    return f"INSERT INTO {TABLE} ({', '.join(names)}) VALUES ({places})"  # noqa: S608


def _update_of(names: Sequence[str]) -> str:
    return f"UPDATE {TABLE} SET {', '.join(f'{name} = %s' for name in names)} WHERE id = %s"  # noqa: S608


INSERT, INSERT_OPENING = _insert_into(tuple(FIELDS)), _insert_into(columns.OPENING_FIELDS)
UPDATE = _update_of(columns.OUTCOME_FIELDS)
UPDATE_UNSCRUBBED = f"{UPDATE} AND scrubbed_at IS NULL"


def insert(row: PromptLog, alias: str) -> None:
    """Insert a row, unless an earlier try has: its connection may have been lost afterwards."""
    try:
        insert_new(row, alias)
    except IntegrityError:
        if not has_arrived(row, alias):
            raise


def insert_new(row: PromptLog, alias: str) -> None:
    """Insert a row. Raises IntegrityError if an earlier try inserted it and then lost its connection.

    The primary key ensures this except in a table that is partitioned by `created_at`, which changes with each try.
    """
    if row.created_at is not None and has_arrived(row, alias):
        raise IntegrityError(f"row {row.pk} already exists")
    if not is_test_run():  # a test may set the host's clock and count its queries
        row.opened_at = stored_now(alias)  # type: ignore[attr-defined]
    is_opening = row.status == PromptStatus.PENDING
    names, statement = (columns.OPENING_FIELDS, INSERT_OPENING) if is_opening else (tuple(FIELDS), INSERT)
    FIELDS["created_at"].pre_save(row, True)
    _execute(statement, dict(zip(names, attrgetter(*names)(row), strict=True)), alias)
    row._state.adding, row._state.db = False, alias


def has_arrived(row: PromptLog, alias: str) -> bool:
    """Whether the row exists although its insert failed: the connection may have been lost after the insert."""
    if connections[alias].needs_rollback:  # no query is possible here, and there was no earlier try
        return False
    row._state.adding = not PromptLog.objects.using(alias).filter(pk=row.pk).exists()
    return not row._state.adding


def update_outcome(row: PromptLog, alias: str) -> int:
    """Update a row with its outcome. Returns the number of rows: 0 if it was deleted.

    Leaves out the text if it is larger than the database accepts, or has a character that the database cannot store.
    """
    try:
        return write_outcome(row, alias)
    except OperationalError as fault:
        if not _is_too_long(row, fault, alias):
            raise
        connections[alias].close()
        reason = "it is larger than the database accepts"
    except DataError:
        if connections[alias].in_atomic_block:
            raise
        reason = f"the database cannot store it; {WIDER_TABLES}"
    shortened = columns.without_text(row)
    found = write_outcome(shortened, alias)
    row.response, row.error_message, row.metadata = shortened.response, shortened.error_message, shortened.metadata
    logger.error("ledger row %s (%s) has no text: %s", row.pk, columns.spent(row), reason)
    return found


def write_outcome(row: PromptLog, alias: str) -> int:
    """Update a row with its outcome, without the texts if the row was scrubbed in the meantime."""
    with settling(row, alias):
        return _update(UPDATE_UNSCRUBBED, row, columns.outcome(row), alias) or _update(
            UPDATE, row, columns.scrubbed_outcome(row), alias
        )


def _update(statement: str, row: PromptLog, values: Mapping[str, Any], alias: str) -> int:
    return _execute(statement, {**values, "id": row.pk}, alias)


def _execute(statement: str, values: Mapping[str, Any], alias: str) -> int:
    """Run a statement and return the number of rows. After an error, a surrounding block can only be rolled back."""
    connection = connections[alias]
    prepared = [
        FIELDS[name].get_db_prep_save(value, connection) if name in CONVERTED and value is not None else value
        for name, value in values.items()
    ]
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, prepared)
            return int(cursor.rowcount)
    except Exception:
        if connection.in_atomic_block:
            transaction.set_rollback(True, using=alias)
        raise


def _is_too_long(row: PromptLog, fault: Exception, alias: str) -> bool:
    """Whether the text is too long for MySQL or MariaDB, which then drops the connection twice in a row."""
    connection = connections[alias]
    is_dropped = next(iter(getattr(fault.__cause__, "args", ())), None) in DROPPED and not connection.in_atomic_block
    if not (connection.vendor == "mysql" and is_dropped and columns.is_long(row)):
        return False
    mark = object()
    return vars(row).setdefault("_was_dropped", mark) is not mark
