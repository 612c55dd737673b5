"""The database's clock, in UTC. The clocks of machines differ, and time decides which calls are alive."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.models.functions import Now
from django.utils import timezone

CHECKED_SECONDS = 60
SELECT_NOW = {
    "postgresql": "SELECT STATEMENT_TIMESTAMP() AT TIME ZONE 'UTC'",
    "mysql": "SELECT UTC_TIMESTAMP(6)",
}
"""SQLite uses this machine's clock."""


class UtcNow(Now):
    """`Now()` in UTC. MySQL and MariaDB use the session's time zone, in which daylight saving repeats an hour."""

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="UTC_TIMESTAMP(6)", **context)


def database_now(alias: str) -> datetime:
    """The current time in UTC by the database's clock."""
    connection = connections[alias]
    if connection.vendor not in SELECT_NOW:
        return datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute(SELECT_NOW[connection.vendor])
        moment: datetime = cursor.fetchone()[0]
    return moment.replace(tzinfo=UTC)


def host_offset(alias: str) -> timedelta:
    """How far the database's clock is ahead of this machine's.

    Measured once every CHECKED_SECONDS, and after this machine's clock was set or the machine was suspended: the
    distance to the monotonic clock has changed then.
    """
    elapsed = monotonic()
    distance = round(datetime.now(UTC).timestamp() - elapsed)
    return _offset(os.getpid(), alias, int(elapsed // CHECKED_SECONDS), distance)


@lru_cache(maxsize=8)
def _offset(process: int, alias: str, period: int, distance: int) -> timedelta:
    if connections[alias].vendor not in SELECT_NOW:
        return timedelta()
    return database_now(alias) - datetime.now(UTC)


def stored_now(alias: str) -> datetime:
    """The current time by the database's clock, as Django stores it: this machine's clock plus `host_offset()`."""
    return as_stored(datetime.now(UTC) + host_offset(alias))


def as_stored(moment: datetime) -> datetime:
    """An aware datetime as Django stores it: without USE_TZ, naive and in the host's time zone."""
    return moment if settings.USE_TZ else timezone.make_naive(moment, timezone.get_default_timezone())


def aware(moment: datetime) -> datetime:
    """The inverse of `as_stored()`."""
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment, timezone.get_default_timezone())
