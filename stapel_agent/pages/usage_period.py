"""The period of the usage page: whole days in UTC, as in `usage()`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from stapel_agent.budgets import period_name, period_span

DAYS_SHOWN = 62
"""Up to this many days are shown by day; longer periods by month."""
LONGEST = 1830
DAY = timedelta(days=1)


class InvalidPeriod(ValueError):
    """The period cannot be shown; the message says how to fix it."""


@dataclass(frozen=True)
class Period:
    """From the beginning of one day to the beginning of another, which is not included."""

    since: date
    until: date

    @property
    def unit(self) -> str:
        return "day" if (self.until - self.since).days <= DAYS_SHOWN else "month"

    def parts(self) -> Iterator[tuple[str, Period]]:
        """Its days or months, each with its name in `usage()`."""
        start = self.since
        while start < self.until:
            end = period_span(self.unit, start_of(start))[1].date()
            yield period_name(self.unit, start), Period(start, min(end, self.until))
            start = end

    def __str__(self) -> str:
        last = self.until - DAY
        return f"{self.since}" if self.since == last else f"{self.since} to {last}"


@dataclass(frozen=True)
class Choice:
    title: str
    of: Callable[[date], Period]


CHOICES = {
    "today": Choice("Today", lambda today: Period(today, today + DAY)),
    "7d": Choice("7 days", lambda today: Period(today - 6 * DAY, today + DAY)),
    "30d": Choice("30 days", lambda today: Period(today - 29 * DAY, today + DAY)),
    "month": Choice("This month", lambda today: Period(today.replace(day=1), today + DAY)),
    "last-month": Choice("Last month", lambda today: Period(_last_month(today), today.replace(day=1))),
}
DEFAULT = "30d"


def chosen(parameters: Mapping[str, str], today: date) -> tuple[str, Period]:
    """The name and days of the period in a URL. `since` and `until` have the name "". Raises InvalidPeriod."""
    since, until = (parameters.get(name, "").strip() for name in ("since", "until"))
    if since or until:
        return "", _between(since, until, today)
    name = parameters.get("period", DEFAULT)
    if name not in CHOICES:
        raise InvalidPeriod(f"There is no period {name[:40]!r}: choose one of those above.")
    return name, CHOICES[name].of(today)


def start_of(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _between(since: str, until: str, today: date) -> Period:
    start = _day("From", since)
    end = _day("Until", until) if until else max(today, start) + DAY
    if not start < end:
        raise InvalidPeriod("“Until” must be later than “From”: it is the first day that is left out.")
    if (end - start).days > LONGEST:
        raise InvalidPeriod(f"The period is longer than {LONGEST} days: choose a shorter one.")
    return Period(start, end)


def _day(label: str, text: str) -> date:
    try:
        day = date.fromisoformat(text[:20])
    except ValueError as fault:
        raise InvalidPeriod(f"“{label}” must be a day such as 2026-01-31, not {text[:40]!r}.") from fault
    if not 1970 < day.year < 9998:
        raise InvalidPeriod(f"“{label}” must be in the years 1971 to 9997.")
    return day


def _last_month(today: date) -> date:
    return (today.replace(day=1) - DAY).replace(day=1)
