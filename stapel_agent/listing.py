"""The ledger's list in the admin: newest first, page after page, never counted and never walked from end to end."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
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
from .models import PromptLog, PromptSource, PromptStatus
from .providers.registry import registry

# Rows a page looks through for a status or a model, which no index serves in order of time.
SIFTED_ROWS = 20_000
# Newest rows whose models are offered as a filter.
SAMPLED_ROWS = 1_000
# Age in days of the first and the last day.
PERIODS = {"Today": (0, 0), "Yesterday": (1, 1), "Past 7 days": (6, 0), "Past 30 days": (29, 0)}
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
        """The rows behind this place."""
        # Only the first condition is one that an index can begin at.
        return Q(created_at__lte=self.created_at) & (Q(created_at__lt=self.created_at) | Q(pk__lt=self.pk))


class ColumnFilter(admin.SimpleListFilter):
    """Rows whose column, named by `parameter_name`, has the chosen value."""

    parameter_name: str

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        if self.value() not in dict(self.lookup_choices):
            raise IncorrectLookupParameters
        return queryset.filter(**{self.parameter_name: self.value()})


class SourceFilter(ColumnFilter):
    title = parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return PromptSource.choices


class SiftingFilter(ColumnFilter):
    """A column without an index in order of time: rows must be looked at to find those that match."""


class StatusFilter(SiftingFilter):
    title = parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return PromptStatus.choices


class ProviderFilter(SiftingFilter):
    """Offers the registered providers; the URL may name any other. Rows of the first release have no such column."""

    title = parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        providers = set(registry.entries())
        named = self.value()
        if named and "\0" not in named:
            providers.add(named)
        return [(provider, provider) for provider in sorted(providers)]


class ModelFilter(SiftingFilter):
    """Offers the models of the newest rows and of the settings; the URL may name any other."""

    title = parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        newest = PromptLog.objects.order_by("-created_at").values_list("model", flat=True)[:SAMPLED_ROWS]
        models = {*newest, *agent_settings.MODELS.values(), *agent_settings.OPENAI_COMPAT_MODELS.values()}
        named = self.value()
        if named and "\0" not in named:
            models.add(named)
        return [(model, model) for model in sorted(models)]


class PeriodFilter(admin.ListFilter):
    """Whole days of the current time zone, from the first to the last of them."""

    title = "day"
    template = "admin/agent/period_filter.html"
    parameters = ("created_from", "created_to")

    def __init__(self, request: HttpRequest, params: dict[str, list[str]], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self.days = {name: params.pop(name, [""])[-1] for name in self.parameters}

    def expected_parameters(self) -> list[str | None]:
        return list(self.parameters)

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = (_day(text) for text in self.days.values())
        if first:
            queryset = queryset.filter(created_at__gte=_midnight(first))
        if last:
            queryset = queryset.filter(created_at__lt=_midnight(last + timedelta(days=1)))
        return queryset

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        now = timezone.now()
        today = (timezone.localtime(now) if settings.USE_TZ else now).date()
        yield self._choice(changelist, "Any day")
        for label, ages in PERIODS.items():
            yield self._choice(changelist, label, *(str(today - timedelta(days=age)) for age in ages))

    def other_parameters(self) -> list[tuple[str, Any]]:
        """What the form repeats so that the other filters stay."""
        own = {*self.parameters, PAGE_VAR, ERROR_FLAG}
        return [(name, value) for name, value in self.request.GET.items() if name not in own]

    def _choice(self, changelist: ChangeList, label: str, first: str = "", last: str = "") -> dict[str, Any]:
        days = {"created_from": first, "created_to": last}
        return {
            "selected": days == self.days,
            "query_string": changelist.get_query_string({name: day or None for name, day in days.items()}),
            "display": label,
        }


class LedgerList(ChangeList):
    """One page, found by the position of the last one's end: what is deep costs no more than what is new.

    The page parameter holds a Position. When a status or a model is asked for, a page looks through
    SIFTED_ROWS rows and says how far back it came; `older_link` goes on from there.
    """

    sifted_back_to: datetime | None = None
    sifted_rows = SIFTED_ROWS
    older_link: str | None = None
    newest_link: str | None = None

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return ["-created_at", "-pk"]

    def get_results(self, request: HttpRequest) -> None:
        begin = Position.parse(request.GET[PAGE_VAR]) if request.GET.get(PAGE_VAR) else None
        rows = self.queryset.filter(begin.older()) if begin else self.queryset
        horizon = self._horizon(request, begin)
        if horizon:
            rows = rows.filter(created_at__gte=horizon)
        # The row more than fits tells that there is a next page.
        found = list(rows.defer(*LARGE_COLUMNS)[: self.list_per_page + 1])
        self._show(found[: self.list_per_page])
        if len(found) > self.list_per_page:
            last = self.result_list[-1]
            self._link_older(Position(last.created_at, last.pk))
        elif horizon:
            self._link_older(Position(horizon))
            self.sifted_back_to = horizon
        if begin:
            self.newest_link = self.get_query_string()

    def _link_older(self, position: Position) -> None:
        self.older_link = self.get_query_string({PAGE_VAR: str(position)})

    def _horizon(self, request: HttpRequest, begin: Position | None) -> datetime | None:
        """Where this page stops looking; None if an index leads to its rows, or the ledger ends before."""
        sifting = [spec for spec in self.filter_specs if isinstance(spec, SiftingFilter)]
        if self.query or not any(spec.value() for spec in sifting):
            return None
        rows: Any = self.root_queryset.order_by("-created_at")
        for spec in self.filter_specs:
            if spec not in sifting:
                rows = spec.queryset(request, rows)
        if begin:
            rows = rows.filter(begin.older())
        moments = rows.values_list("created_at", flat=True)
        last_and_next: list[datetime] = list(moments[self.sifted_rows - 1 : self.sifted_rows + 1])
        return last_and_next[0] if len(last_and_next) == 2 else None

    def _show(self, page: list[PromptLog]) -> None:
        self.result_list = page
        self.result_count = self.full_result_count = len(page)
        self.show_full_result_count = self.show_admin_actions = False
        self.can_show_all = self.multi_page = False
        self.paginator = Paginator(page, self.list_per_page)


def _day(text: str) -> date | None:
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
