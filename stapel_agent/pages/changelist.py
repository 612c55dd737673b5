"""The ledger's list in the admin: newest first, page by page. Totals are computed for a chosen period only."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from stapel_agent.models import PromptLog

from .list_filters import SiftingFilter
from .list_totals import Totals
from .period_filter import PeriodFilter, check_year

# Rows that a page reads for a status or a model, which no index orders by time.
SIFTED_ROWS = 20_000
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
            check_year(created_at)
            return cls(created_at, uuid.UUID(pk))
        except ValueError as fault:
            raise IncorrectLookupParameters from fault

    def older(self) -> Q:
        """Match the rows behind this place."""
        # An index can start at the first condition only.
        return Q(created_at__lte=self.created_at) & (Q(created_at__lt=self.created_at) | Q(pk__lt=self.pk))


class LedgerList(ChangeList):
    """One page, which begins at the end of the previous one: old pages cost no more than new ones.

    The page parameter holds a Position. With a filter by status or model, a page reads SIFTED_ROWS rows and says how
    far back it came; `older_link` continues from there.
    """

    sifted_back_to: datetime | None = None
    sifted_rows = SIFTED_ROWS
    older_link: str | None = None
    newest_link: str | None = None
    totals: Totals | None = None
    """Totals over all pages, if the period has a beginning."""

    @property
    def filters_on(self) -> Iterator[tuple[Any, Any, Any]]:
        """Title and choice of every active filter, and the link that removes it."""
        for spec in self.filter_specs:
            everything, *others = spec.choices(self)
            for choice in others:
                if choice["selected"]:
                    yield spec.title, choice["display"], everything["query_string"]

    @property
    def time_zone(self) -> str:
        return self._period().time_zone

    def _period(self) -> PeriodFilter:
        (period,) = (spec for spec in self.filter_specs if isinstance(spec, PeriodFilter))
        return period

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return ["-created_at", "-pk"]

    def get_results(self, request: HttpRequest) -> None:
        begin = Position.parse(request.GET[PAGE_VAR]) if request.GET.get(PAGE_VAR) else None
        rows = self.queryset.filter(begin.older()) if begin else self.queryset
        horizon = self._horizon(request, begin)
        if horizon:
            rows = rows.filter(created_at__gte=horizon)
        # One row more than fits shows that there is a next page.
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
        if self._period().has_beginning:
            self.totals = Totals.of(self.queryset)

    def _link_older(self, position: Position) -> None:
        self.older_link = self.get_query_string({PAGE_VAR: str(position)})

    def _horizon(self, request: HttpRequest, begin: Position | None) -> datetime | None:
        """Where this page stops reading; None if an index leads to its rows, or the ledger ends before."""
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
