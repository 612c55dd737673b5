"""How long texts stay: in the ledger until they are purged, batch by batch; and whether anybody does that."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.utils import timezone

from stapel_agent import cache
from stapel_agent.conf import agent_settings
from stapel_agent.database import on_ledger
from stapel_agent.sharing import stale_idempotency, sweep_idempotency

from . import scrubbing

BATCH = 500
PAUSE_SECONDS = 0.1
LONGEST_DAYS = 36500
"""A longer time is as long: earlier there are no calls, and soon no calendar."""
GRACE = timedelta(days=2)
"""Nobody is told of texts that are over their time by less: the purge may run once a day, and fail once."""


@dataclass(frozen=True)
class Purge:
    """What is `before` a moment goes: its texts, or with `deletes` its rows. Repeatable, and stoppable at any time.

    Between batches of `size` rows it pauses for so many `seconds`, in which others have the database to themselves.
    """

    before: datetime
    deletes: bool = False
    size: int = BATCH
    seconds: float = PAUSE_SECONDS

    def total(self) -> int:
        """How many rows there are to do."""
        rows = partial(scrubbing.old_rows, before=self.before, with_texts=not self.deletes)
        return on_ledger(lambda alias: rows(alias).count())

    def run(self) -> Iterator[int]:
        """Do it, saying after each batch how many rows it had."""
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
        """How many idempotency records and translations are past their own time, or this one."""
        return stale_idempotency(before=self.before), cache.stale(before=self.before)

    def remove_copies(self) -> tuple[int, int]:
        """Remove them, and say how many they were."""
        return sweep_idempotency(before=self.before), cache.sweep(before=self.before)


def moment(days: float) -> datetime:
    """That of so many days ago."""
    return timezone.now() - timedelta(days=min(days, LONGEST_DAYS))


def overdue(alias: str) -> datetime | None:
    """When the oldest call began whose texts RETENTION_DAYS should have ended; None if there is none."""
    before = moment(agent_settings.RETENTION_DAYS) - GRACE
    oldest = scrubbing.old_rows(alias, before=before, with_texts=True)
    return oldest.values_list("created_at", flat=True).first()
