"""The complete tables of the usage page as CSV: by day or month, user, workspace, source or model."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping
from datetime import UTC

from django.utils import timezone

from stapel_agent.accounting import as_json, usage, write_csv
from stapel_agent.database import aware

from .usage_page import TITLES, period_of
from .usage_period import start_of

ROWS_A_PAGE = 1000


def csv_file(parameters: Mapping[str, str], hidden: Collection[str] = ()) -> tuple[str, str] | None:
    """The file's name and text for the page's parameters; `csv` names the table. None for an unknown table."""
    _, period, problem = period_of(parameters, aware(timezone.now()).astimezone(UTC).date())
    table = parameters.get("csv", "")
    group = period.unit if table == "period" else table
    if problem or group in hidden or group not in (period.unit, *TITLES):
        return None
    rows, cursor = [], None
    while True:
        since, until = start_of(period.since), start_of(period.until)
        found = as_json(usage(group_by=(group,), since=since, until=until, limit=ROWS_A_PAGE, cursor=cursor))
        rows += found["rows"]
        cursor = found["next_cursor"]
        if cursor is None:
            break
    file = io.StringIO()
    write_csv(file, [group, *found["totals"]], (row.values() for row in rows))
    return f"usage-{group}-{period.since}-{period.until}.csv", file.getvalue()
