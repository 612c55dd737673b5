"""The periods of budgets and of `usage()`: days and months in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

PERIODS = {"day": "daily", "month": "monthly"}
"""The periods, each with its adjective."""


def span(period: str, moment: datetime) -> tuple[datetime, datetime]:
    """Return the start of the day or month that contains `moment`, and the start of the next one."""
    start = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return start, start + timedelta(days=1)
    first = start.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


def beginning(period: str, moment: datetime) -> date:
    return span(period, moment)[0].date()


def name(period: str, day: date) -> str:
    """Return the name of the day or month that contains `day`, as `usage()` has it: YYYY-MM-DD or YYYY-MM."""
    return f"{day:%Y-%m-%d}" if period == "day" else f"{day:%Y-%m}"
