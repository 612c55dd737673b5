"""Retention: purges old texts or rows from the ledger in batches, and finds out whether a purge is overdue."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from stapel_agent import cache
from stapel_agent.conf import agent_settings
from stapel_agent.database import as_stored, database_now, on_ledger
from stapel_agent.sharing import stale_idempotency, sweep_idempotency

from . import scrubbing

BATCH = 500
PAUSE_SECONDS = 0.1
LONGEST_DAYS = 36500
"""Longer times are treated as this: dates before it overflow."""
GRACE = timedelta(days=2)
"""Texts overdue by less are not reported: the purge may run once a day and fail once."""


@dataclass(frozen=True)
class Purge:
    """Removes the texts of rows from `before` a time, or with `deletes` the rows. Can be stopped and repeated.

    It pauses for `seconds` between batches of `size` rows, to leave the database to others.
    """

    before: datetime
    deletes: bool = False
    size: int = BATCH
    seconds: float = PAUSE_SECONDS

    def total(self) -> int:
        """How many rows are left to purge."""
        rows = partial(scrubbing.old_rows, before=self.before, with_texts=not self.deletes)
        return on_ledger(lambda alias: rows(alias).count())

    def run(self) -> Iterator[int]:
        """Purge, yielding the number of rows of each batch."""
        take = scrubbing.delete_batch if self.deletes else scrubbing.scrub_batch
        since: datetime | None = None
        while True:
            batch = on_ledger(partial(take, before=self.before, since=since, size=self.size))
            if batch.reached is None or (batch.rows == 0 and batch.reached == since):
                return
            since = batch.reached
            yield batch.rows
            time.sleep(self.seconds)

    def copies(self) -> tuple[int, int]:
        """How many idempotency records and translations have expired or are older than `before`."""
        return stale_idempotency(before=self.before), cache.stale(before=self.before)

    def remove_copies(self) -> tuple[int, int]:
        """Remove them. Returns how many of each."""
        return sweep_idempotency(before=self.before), cache.sweep(before=self.before)


def moment(days: float) -> datetime:
    """The time that many days ago, by the database's clock: a host with a wrong one would purge texts too early."""
    return on_ledger(partial(_moment, days))


def _moment(days: float, alias: str) -> datetime:
    return as_stored(database_now(alias) - timedelta(days=min(days, LONGEST_DAYS)))


def overdue(alias: str) -> datetime | None:
    """The start of the oldest call whose texts should have been removed by RETENTION_DAYS, or None."""
    before = _moment(agent_settings.RETENTION_DAYS, alias) - GRACE
    oldest = scrubbing.old_rows(alias, before=before, with_texts=True)
    return oldest.values_list("created_at", flat=True).first()
