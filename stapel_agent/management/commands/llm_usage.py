"""`manage.py llm_usage`: prints calls, spending and savings as a table, JSON or CSV."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.core.management.base import CommandError

from stapel_agent.accounting import COLUMNS, GROUPS, MAX_LIMIT, OPTIONS, InvalidUsageQuery, as_json, usage, write_csv
from stapel_agent.exceptions import LedgerUnavailable
from stapel_agent.management.summary import printable
from stapel_agent.management.terminal_command import TerminalCommand

TEXT_LENGTH = 128
ALWAYS_SHOWN = ("calls", "cost_usd")
"""Columns of the table that are shown even if they are empty."""
BUDGET_COLUMNS = (
    *("scope", "id", "period", "resets_at"),
    *("limit_usd", "spent_usd", "reserved_usd", "left_usd"),
    *("limit_tokens", "spent_tokens", "reserved_tokens", "left_tokens"),
)


class Command(TerminalCommand):
    help = "Print calls, spending and savings. Days, months and times without a zone are in UTC."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("--group-by", default="day", metavar="NAMES", help=f"names separated by commas: {', '.join(GROUPS)}")
        add("--since", metavar="TIME", help="a date or a time in ISO 8601")
        add("--until", metavar="TIME", help="a date or a time in ISO 8601; calls at this time or later are left out")
        for name in COLUMNS:
            add(f"--{name.replace('_', '-')}", help=f"only calls with this {name.replace('_', ' ')}")
        add("--limit", default=100, help=f"rows per page, 1 to {MAX_LIMIT}")
        add("--cursor", help="where this page begins: the cursor that the previous page printed")
        add("--format", choices=FORMATS, default="table", help="json is for programs, csv for spreadsheets")

    def handle(self, *arguments: Any, **options: Any) -> None:
        try:
            found = as_json(usage(**{name: options[name] for name in OPTIONS}))
        except (InvalidUsageQuery, LedgerUnavailable) as fault:
            raise CommandError(str(fault)) from None
        groups = [name.strip() for name in options["group_by"].split(",") if name.strip()]
        FORMATS[options["format"]](self.stdout, groups, found)
        if found["next_cursor"] and options["format"] != "json":
            self.stderr.write(f"there are more rows: continue with --cursor {found['next_cursor']}")


def _write_table(file: Any, groups: Sequence[str], found: Mapping[str, Any]) -> None:
    totals = {**dict.fromkeys(groups, ""), **found["totals"]}
    totals |= {groups[0]: "total"} if groups else {}
    shown = [name for name, figure in found["totals"].items() if name in ALWAYS_SHOWN or Decimal(figure)]
    _write_columns(file, [*groups, *shown], [*found["rows"], totals], len(groups))
    if found.get("budgets"):
        file.write("")
        _write_columns(file, BUDGET_COLUMNS, found["budgets"], BUDGET_COLUMNS.index("limit_usd"))


def _write_columns(file: Any, names: Sequence[str], rows: Sequence[Mapping[str, Any]], texts: int) -> None:
    """Write a header and a line for each row. The first `texts` columns are left-aligned, the others right-aligned."""
    cells = [names, *([_cell(row.get(name)) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        file.write("  ".join(_aligned(row, widths, texts)).rstrip())


def _aligned(row: Sequence[str], widths: Sequence[int], texts: int) -> Iterator[str]:
    for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield cell.ljust(width) if place < texts else cell.rjust(width)


def _cell(value: Any) -> str:
    return "-" if value is None else printable(str(value), TEXT_LENGTH)


def _write_json(file: Any, groups: Sequence[str], found: Mapping[str, Any]) -> None:
    file.write(json.dumps(found, indent=2))


def _write_csv(file: Any, groups: Sequence[str], found: Mapping[str, Any]) -> None:
    """Write the rows without totals, which a spreadsheet can add up."""
    write_csv(file, [*groups, *found["totals"]], (row.values() for row in found["rows"]))


FORMATS: dict[str, Callable[[Any, Sequence[str], Mapping[str, Any]], None]] = {
    "table": _write_table,
    "json": _write_json,
    "csv": _write_csv,
}
