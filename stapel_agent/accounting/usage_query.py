"""A query for `usage()`: grouping, period, filters and page."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, TypedDict

from stapel_agent.budgets import PERIODS
from stapel_agent.ledger import opaque_id
from stapel_agent.models import PromptStatus
from stapel_agent.parsing import storable
from stapel_agent.schemas import Unreadable, readable, shown

COLUMNS = ("source", "provider", "model", "user_id", "workspace_id", "status")
GROUPS = (*PERIODS, *COLUMNS)
MAX_LIMIT = 1000
CURSOR_LENGTH = 4096

Key = tuple[str | None, ...]
"""The values of a row's names, in the order of `group_by`."""


class InvalidUsageQuery(ValueError):
    """An invalid query; `field` is the argument at fault, and the message says how to fix it."""

    def __init__(self, field: str, fix: str) -> None:
        super().__init__(f"{field} {fix}")
        self.field = field


class UsageOptions(TypedDict, total=False):
    """The keywords of `usage()`. Days and months are in UTC, and so are moments without a time zone."""

    group_by: str | Sequence[str]
    since: date | datetime | str | None
    until: date | datetime | str | None
    source: str | None
    provider: str | None
    model: str | None
    user_id: str | None
    workspace_id: str | None
    status: str | None
    limit: int | str
    cursor: str | None


OPTIONS = tuple(UsageOptions.__annotations__)


@dataclass(frozen=True)
class UsageQuery:
    """A valid query. `filters` are pairs of column and value; the page begins behind `after`."""

    groups: tuple[str, ...]
    since: datetime | None
    until: datetime | None
    filters: tuple[tuple[str, str], ...]
    limit: int
    after: Key | None

    @classmethod
    def of(  # noqa: PLR0913  (the public keywords)
        cls,
        /,
        *,
        group_by: str | Sequence[str] = ("day",),
        since: date | datetime | str | None = None,
        until: date | datetime | str | None = None,
        limit: int | str = 100,
        cursor: str | None = None,
        **filters: str | None,
    ) -> UsageQuery:
        """The query for these options. Raises InvalidUsageQuery."""
        groups, place = _groups(_readable("group_by", group_by)), _readable("cursor", cursor)
        after = None if place is None else _after(place, groups)
        wanted = tuple(_filter(name, _readable(name, value)) for name, value in filters.items() if value is not None)
        period = (moment_of(name, _readable(name, end)) for name, end in (("since", since), ("until", until)))
        since_moment, until_moment = period
        return cls(groups, since_moment, until_moment, wanted, _limit(_readable("limit", limit)), after)

    def cursor(self, last: Key) -> str:
        """The cursor of the page that begins behind this row."""
        return urlsafe_b64encode(json.dumps([self.groups, last]).encode("ascii")).decode("ascii")


def _readable(name: str, value: Any) -> Any:
    plain = readable(name, value)
    if isinstance(plain, Unreadable):
        raise InvalidUsageQuery(name[:100], "cannot be read: give a plain value")
    return plain


def _groups(group_by: Any) -> tuple[str, ...]:
    names = group_by.split(",") if isinstance(group_by, str) else group_by
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise InvalidUsageQuery("group_by", f"must be names from {', '.join(GROUPS)}, not {shown(group_by)}")
    names = tuple(name.strip() for name in names if name.strip())
    for name in names:
        if name not in GROUPS:
            raise InvalidUsageQuery("group_by", f"has no {name[:100]!r}: choose from {', '.join(GROUPS)}")
    if repeated := [name for name in GROUPS if names.count(name) > 1]:
        raise InvalidUsageQuery("group_by", f"has {repeated[0]!r} twice: name it once")
    return names


def _filter(name: str, value: Any) -> tuple[str, str]:
    if name not in COLUMNS:
        raise InvalidUsageQuery(name[:100], f"is not a filter: choose from {', '.join(COLUMNS)}")
    if not isinstance(value, str) or storable(value) != value:
        raise InvalidUsageQuery(name, f"must be a string without NUL or an unpaired surrogate, not {shown(value)}")
    if name == "status" and value not in PromptStatus.values:
        raise InvalidUsageQuery(name, f"must be one of {', '.join(PromptStatus.values)}, not {shown(value)}")
    return name, str(opaque_id(value)) if name in ("user_id", "workspace_id") else str(value)


def moment_of(name: str, value: Any) -> datetime | None:
    if value is None:
        return None
    moment: datetime = value
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value.strip()[:100])
        elif not isinstance(value, datetime):
            moment = datetime.combine(value, time.min)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as fault:
        fix = f"must be a date or a time, such as 2026-01-31 or 2026-01-31T12:00:00Z, not {shown(value)}"
        raise InvalidUsageQuery(name, fix) from fault
    if not 1970 < moment.year < 9999:  # time zones and databases overflow at the ends of the calendar
        raise InvalidUsageQuery(name, f"must be in the years 1971 to 9998, not {moment.year}")
    return moment


def _limit(value: Any) -> int:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if len(text) > 4 or not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= MAX_LIMIT:
        raise InvalidUsageQuery("limit", f"must be a whole number from 1 to {MAX_LIMIT}, not {shown(value)}")
    return int(text)


def _after(cursor: Any, groups: tuple[str, ...]) -> Key:
    try:
        if not isinstance(cursor, str) or len(cursor) > CURSOR_LENGTH:
            raise ValueError("not a cursor")
        asked, last = json.loads(urlsafe_b64decode(cursor.encode("ascii")))
        if asked != list(groups) or len(last) != len(groups) or not all(map(_is_value, groups, last)):
            raise ValueError("from another query")
    except (TypeError, ValueError, AttributeError, RecursionError) as fault:
        fix = "must be the next_cursor of an answer to the same group_by"
        raise InvalidUsageQuery("cursor", fix) from fault
    return tuple(last)


def _is_value(group: str, value: object) -> bool:
    return (value is None and group in COLUMNS) or (isinstance(value, str) and storable(value) == value)
