"""Filters the ledger's list by time: whole days, or moments that a link brings along."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from stapel_agent.accounting import InvalidUsageQuery, moment_of
from stapel_agent.database import as_stored

from .form_filter import FormFilter

# Label -> age in days of the first and the last day.
AGES = {"Today": (0, 0), "Yesterday": (1, 1), "Past 7 days": (6, 0), "Past 30 days": (29, 0)}


class PeriodFilter(FormFilter):
    """Whole days of the current time zone, or `since` and `until` from a link, as `usage()` takes them."""

    title = "period"
    days = ("created_from", "created_to")
    moments = ("since", "until")
    parameters = (*days, *moments)

    @property
    def bounds(self) -> dict[str, str]:
        """Each parameter with its value in the URL, or an empty string."""
        return {**dict.fromkeys(self.parameters, ""), **self.given}

    @property
    def inputs(self) -> list[tuple[str, str, str, str]]:
        return [(label, "date", name, self.bounds[name]) for label, name in zip(("From", "to"), self.days, strict=True)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = (_day(self.bounds[name]) for name in self.days)
        since, until = (_instant(name, self.bounds[name]) for name in self.moments)
        for begin in (_midnight(first) if first else None, since):
            queryset = queryset.filter(created_at__gte=begin) if begin else queryset
        for end in (_midnight(last + timedelta(days=1)) if last else None, until):
            queryset = queryset.filter(created_at__lt=end) if end else queryset
        return queryset

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        now = timezone.now()
        today = (timezone.localtime(now) if settings.USE_TZ else now).date()
        known = [self._choice(changelist, "Any day")]
        for label, ages in AGES.items():
            first, last = (str(today - timedelta(days=age)) for age in ages)
            known.append(self._choice(changelist, label, created_from=first, created_to=last))
        yield from known
        if not any(choice["selected"] for choice in known):
            yield self._choice(changelist, self._period(), **self.bounds)

    def _period(self) -> str:
        """Describe the period in the URL."""
        first, last, since, until = (self.bounds[name] or "…" for name in self.parameters)
        days = f"{first} to {last}" if {first, last} != {"…"} else ""
        moments = f"{since} until {until}, UTC" if {since, until} != {"…"} else ""
        return ", ".join(filter(None, (days, moments)))

    @property
    def has_beginning(self) -> bool:
        """Whether the period begins with a day or a moment; without an end, it ends now."""
        return bool(self.bounds["created_from"] or self.bounds["since"])

    @property
    def time_zone(self) -> str:
        """The time zone of the list's times and days."""
        return timezone.get_current_timezone_name() if settings.USE_TZ else settings.TIME_ZONE

    def _choice(self, changelist: ChangeList, label: str, **chosen: str) -> dict[str, Any]:
        bounds = {**dict.fromkeys(self.parameters, ""), **chosen}
        return {
            "selected": bounds == self.bounds,
            "query_string": changelist.get_query_string({name: bound or None for name, bound in bounds.items()}),
            "display": label,
        }


def check_year(day: date) -> None:
    """Raise ValueError for years that overflow in time zones or databases."""
    if not 1970 < day.year < 9999:
        raise ValueError(f"{day!r} is not in the years 1971 to 9998")


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
        check_year(day)
        return day
    except ValueError as fault:
        raise IncorrectLookupParameters from fault


def _midnight(day: date) -> datetime:
    midnight = datetime.combine(day, time.min)
    return timezone.make_aware(midnight) if settings.USE_TZ else midnight


def _instant(name: str, text: str) -> datetime | None:
    """A time from the URL, in the form that the ledger stores."""
    try:
        instant = moment_of(name, text or None)
    except InvalidUsageQuery as fault:
        raise IncorrectLookupParameters from fault
    return instant and as_stored(instant)
