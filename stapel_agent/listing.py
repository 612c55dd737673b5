"""The ledger's list in the admin: newest first, page after page, never counted and never walked from end to end."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR, ChangeList
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from .conf import agent_settings
from .models import PromptLog

# Rows a page looks through for a status or a model, which no index serves in order of time.
SIFTED_ROWS = 50_000
# Rows whose models are offered as a filter.
SAMPLED_ROWS = 1_000
LARGE_COLUMNS = ("prompt", "system_prompt", "response", "error_message", "metadata")


class Position(NamedTuple):
    """A place in the list; a page begins with the rows older than it."""

    created_at: datetime
    pk: uuid.UUID = uuid.UUID(int=0)

    def __str__(self) -> str:
        return f"{self.created_at.isoformat()}_{self.pk}"

    @classmethod
    def parse(cls, text: str) -> Position:
        """The inverse of `str()`; IncorrectLookupParameters for anything else."""
        moment, _, pk = text.partition("_")
        try:
            created_at = parse_datetime(moment)
            if created_at is None or timezone.is_aware(created_at) is not settings.USE_TZ:
                raise ValueError(moment)
            _check_year(created_at)
            return cls(created_at, uuid.UUID(pk))
        except ValueError as fault:
            raise IncorrectLookupParameters from fault

    def older(self) -> Q:
        # Only the first condition is one that an index can begin at.
        return Q(created_at__lte=self.created_at) & (Q(created_at__lt=self.created_at) | Q(pk__lt=self.pk))


class LedgerList(ChangeList):
    """One page, found by the position of the last: what is deep costs no more than what is new.

    The page parameter holds a Position. When status or model are asked for, a page looks through
    SIFTED_ROWS rows and says how far back it came; `older_link` goes on from there.
    """

    sifted_back_to: datetime | None
    older_link: str | None
    newest_link: str | None

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        return ["-created_at", "-pk"]

    def get_results(self, request: HttpRequest) -> None:
        begin = Position.parse(request.GET[PAGE_VAR]) if request.GET.get(PAGE_VAR) else None
        rows = self.queryset.filter(begin.older()) if begin else self.queryset
        horizon = self._horizon(request, begin)
        if horizon:
            rows = rows.filter(created_at__gte=horizon)
        found = list(rows.defer(*LARGE_COLUMNS)[: self.list_per_page + 1])
        self._show(found[: self.list_per_page])
        self.sifted_back_to, older = None, None
        if len(found) > self.list_per_page:
            older = Position(self.result_list[-1].created_at, self.result_list[-1].pk)
        elif horizon:
            self.sifted_back_to, older = horizon, Position(horizon)
        self.older_link = self.get_query_string({PAGE_VAR: older}) if older else None
        self.newest_link = self.get_query_string() if begin else None

    def _horizon(self, request: HttpRequest, begin: Position | None) -> datetime | None:
        """Where this page stops looking, or None where an index leads to its rows or the ledger ends before."""
        if self.query or not any(spec.sifts and spec.value() for spec in self.filter_specs):
            return None
        rows = self.root_queryset.order_by("-created_at")
        for spec in self.filter_specs:
            if not spec.sifts:
                rows = spec.queryset(request, rows)
        if begin:
            rows = rows.filter(created_at__lte=begin.created_at)
        return next(iter(rows.values_list("created_at", flat=True)[SIFTED_ROWS - 1 : SIFTED_ROWS]), None)

    def _show(self, page: list[PromptLog]) -> None:
        self.result_list = page
        self.result_count = self.full_result_count = len(page)
        self.show_full_result_count = self.show_admin_actions = False
        self.can_show_all = self.multi_page = False
        self.paginator = Paginator(page, self.list_per_page)


class ColumnFilter(admin.SimpleListFilter):
    """Rows whose column, named by `parameter_name`, has the chosen value."""

    sifts = True

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return PromptLog._meta.get_field(self.parameter_name).choices  # type: ignore[return-value]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        if self.value() not in dict(self.lookup_choices):
            raise IncorrectLookupParameters
        return queryset.filter(**{self.parameter_name: self.value()})


class SourceFilter(ColumnFilter):
    title = parameter_name = "source"
    sifts = False


class StatusFilter(ColumnFilter):
    title = parameter_name = "status"


class ModelFilter(ColumnFilter):
    """Offers the models of the newest rows and of the settings; any other can be named in the URL."""

    title = parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        newest = PromptLog.objects.order_by("-created_at").values_list("model", flat=True)[:SAMPLED_ROWS]
        models = {*newest, *agent_settings.MODELS.values(), *agent_settings.OPENAI_COMPAT_MODELS.values()}
        if self.value() and "\0" not in self.value():
            models.add(self.value())
        return [(name, name) for name in sorted(models)]


class PeriodFilter(admin.ListFilter):
    """Days of the current time zone, from the first to the last of them."""

    title = "day"
    template = "admin/agent/period_filter.html"
    sifts = False
    parameters = ("created_from", "created_to")

    def __init__(self, request: HttpRequest, params: dict[str, list[str]], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self.request = request
        for name in self.parameters:
            self.used_parameters[name] = params.pop(name, [""])[-1]

    def expected_parameters(self) -> list[str]:
        return list(self.parameters)

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = (self._day(name) for name in self.parameters)
        if first:
            queryset = queryset.filter(created_at__gte=_midnight(first))
        if last:
            queryset = queryset.filter(created_at__lt=_midnight(last + timedelta(days=1)))
        return queryset

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        now = timezone.now()
        today = (timezone.localtime(now) if settings.USE_TZ else now).date()
        yield self._choice(changelist, "Any day", None, None)
        yield self._choice(changelist, "Today", today, today)
        yield self._choice(changelist, "Yesterday", today - timedelta(days=1), today - timedelta(days=1))
        yield self._choice(changelist, "Past 7 days", today - timedelta(days=6), today)
        yield self._choice(changelist, "Past 30 days", today - timedelta(days=29), today)

    def other_parameters(self) -> list[tuple[str, str]]:
        """What the form must repeat so that the other filters stay."""
        own = {*self.parameters, PAGE_VAR, ERROR_FLAG}
        return [(name, value) for name, value in self.request.GET.items() if name not in own]

    def _choice(self, changelist: ChangeList, label: str, first: date | None, last: date | None) -> dict[str, Any]:
        days = dict(zip(self.parameters, (first, last), strict=True))
        chosen = {name: text or None for name, text in self.used_parameters.items()}
        return {
            "selected": chosen == {name: day and day.isoformat() for name, day in days.items()},
            "query_string": changelist.get_query_string(days),
            "display": label,
        }

    def _day(self, name: str) -> date | None:
        text = self.used_parameters[name]
        if not text:
            return None
        try:
            day = date.fromisoformat(text)
            _check_year(day)
            return day
        except ValueError as fault:
            raise IncorrectLookupParameters from fault


def _check_year(day: date) -> None:
    # At the ends of the calendar time zones and databases overflow.
    if not 1970 < day.year < 9999:
        raise ValueError(f"{day!r} is no day of a ledger")


def _midnight(day: date) -> datetime:
    moment = datetime.combine(day, time.min)
    return timezone.make_aware(moment) if settings.USE_TZ else moment
