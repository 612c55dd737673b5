"""The filters of the ledger's list in the admin, including those that only links set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from stapel_agent.conf import agent_settings
from stapel_agent.database import exactly
from stapel_agent.model_profiles import known_profile
from stapel_agent.models import CostBasis, PromptLog, PromptSource, PromptStatus
from stapel_agent.providers import provider_registry
from stapel_agent.settings_validation import wrong_kinds

from .form_filter import FormFilter
from .list_totals import IS_UNPRICED
from .period_filter import PeriodFilter
from .text_display import visible

# Newest rows whose sources, providers and models are offered as filters.
SAMPLED_ROWS = 1_000
UNSUCCESSFUL = "unsuccessful"


class ColumnFilter(admin.SimpleListFilter):
    """Rows whose column, named by `parameter_name`, has the chosen value."""

    parameter_name: str

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        if self.value() not in dict(self.lookup_choices):
            raise IncorrectLookupParameters
        return self.chosen(queryset, str(self.value()))

    def chosen(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(exactly(self.parameter_name, value))


class NameFilter(ColumnFilter):
    """Offers the known names, those in the newest rows, and the one in the URL."""

    labels: Mapping[str, str] = {}

    def known(self) -> Iterable[str]:
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked = self.value()
        names = {*self.known(), *(row[self.parameter_name] for row in newest_rows(request))}
        offered = sorted(filter(None, names | ({asked} if asked and "\0" not in asked else set())))
        return [(name, visible(str(self.labels.get(name, name)))) for name in offered]


def newest_rows(request: HttpRequest) -> Sequence[Mapping[str, Any]]:
    """The names in the newest rows, read once per request for all filters."""
    if not hasattr(request, "_newest_rows"):
        rows = PromptLog.objects.order_by("-created_at").values("source", "provider", "model")
        request._newest_rows = list(rows[:SAMPLED_ROWS])  # type: ignore[attr-defined]
    return request._newest_rows  # type: ignore[attr-defined, no-any-return]


class SourceFilter(NameFilter):
    title = parameter_name = "source"
    labels = dict(PromptSource.choices)

    def known(self) -> Iterable[str]:
        return PromptSource.values


class SiftingFilter(ColumnFilter):
    """A filter by a column that no index orders by time: the database reads rows to find matches."""


class StatusFilter(SiftingFilter):
    title = parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*PromptStatus.choices, (UNSUCCESSFUL, "Ended without success")]

    def chosen(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value == UNSUCCESSFUL:
            return rows.exclude(status__in=[PromptStatus.SUCCESS, PromptStatus.PENDING])
        return super().chosen(rows, value)


class ProviderFilter(NameFilter, SiftingFilter):
    """Rows of the first release have no such column."""

    title = parameter_name = "provider"

    def known(self) -> Iterable[str]:
        return provider_registry.entries()


class ModelFilter(NameFilter, SiftingFilter):
    title = parameter_name = "model"

    def known(self) -> Iterable[str]:
        if any(wrong_kinds(["MODELS", "OPENAI_COMPAT_MODELS"])):
            return []  # calls and checks report it
        named = [known_profile(size).model for size in agent_settings.MODELS]
        return [*named, *(agent_settings.OPENAI_COMPAT_MODELS or {}).values()]


class BroughtFilter(SiftingFilter):
    """A filter that is shown only if a link has set it, so that it can be removed."""

    def has_output(self) -> bool:
        return self.value() is not None


class CostFilter(BroughtFilter):
    title = parameter_name = "cost"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("unpriced", "Tokens at an unknown price"), ("estimated", "Estimated, as the outcome is unknown")]

    def chosen(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(IS_UNPRICED if value == "unpriced" else Q(cost_basis=CostBasis.ESTIMATED))


class DurationFilter(BroughtFilter):
    """Calls that took at least this many milliseconds."""

    title, parameter_name = "duration", "duration_from"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        value = self.value() or ""
        return [(value, f"{value} ms or more")] if value.isascii() and value.isdigit() and len(value) < 10 else []

    def chosen(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(duration_ms__gte=int(value))


class OwnerFilter(FormFilter):
    """The rows of one user or workspace, whose id is typed in or set by a link, or the rows without one."""

    parameters: ClassVar[tuple[str, str]]

    @property
    def column(self) -> str:
        return self.parameters[0]

    @property
    def inputs(self) -> list[tuple[str, str, str, str]]:
        return [("Id", "text", self.column, self.given.get(self.column, ""))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        given = dict(self.given)
        if given.pop(self.parameters[1], "1") != "1" or "\0" in given.get(self.column, ""):
            raise IncorrectLookupParameters
        for name, value in given.items():
            return queryset.filter(exactly(name, value))
        return queryset.filter(**{self.parameters[1]: True}) if self.given else queryset

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        everybody = dict.fromkeys(self.parameters)
        yield {"selected": not self.given, "query_string": changelist.get_query_string(everybody), "display": "All"}
        if not self.given:
            return
        owner = self.given.get(self.column)
        display = "None" if owner is None else visible(owner) or '""'
        yield {"selected": True, "query_string": changelist.get_query_string(), "display": display}


class UserFilter(OwnerFilter):
    title, parameters = "user", ("user_id", "user_id__isnull")


class WorkspaceFilter(OwnerFilter):
    title, parameters = "workspace", ("workspace_id", "workspace_id__isnull")


FORM_FILTERS: tuple[type[FormFilter], ...] = (PeriodFilter, UserFilter, WorkspaceFilter)
COLUMN_FILTERS: tuple[type[ColumnFilter], ...] = (
    *(StatusFilter, SourceFilter, ProviderFilter, ModelFilter, CostFilter, DurationFilter),
)
FILTERED_COLUMNS = {
    "cost": ("cost_usd", "cost_basis", "estimated_cost_usd"),
    "duration_from": ("duration_ms",),
}
"""The columns that a parameter filters by, if it has another name than its column."""
FILTERS = (*FORM_FILTERS, *COLUMN_FILTERS)
PARAMETERS: dict[str, type[admin.ListFilter]] = {
    **{name: form for form in FORM_FILTERS for name in form.parameters},
    **{column.parameter_name: column for column in COLUMN_FILTERS},
}
"""Parameters allowed in the URL, with their filters; Django would accept any condition on any column."""


def reveals(spec: Any, columns: Iterable[str]) -> bool:
    """Whether a filter reveals something about one of these columns."""
    names = [name.partition("__")[0] for name, own in PARAMETERS.items() if own is spec]
    return not {column for name in names for column in FILTERED_COLUMNS.get(name, (name,))}.isdisjoint(columns)
