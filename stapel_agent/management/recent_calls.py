"""Formats rows of the ledger for `llm logs`: one line each or in full, the newest last."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any

from django.db.models import QuerySet

from stapel_agent.database import aware, ledger_alias
from stapel_agent.models import PromptLog

from .summary import printable

FILTERS = ("status", "source", "provider", "model", "user_id", "workspace_id", "request_id")
COLUMNS = ("created_at", "status", "provider", "model", "input_tokens", "output_tokens", "cost_usd", "duration_ms")
TEXTS = ("system_prompt", "prompt", "response", "error_message")
POLL_SECONDS = 1.0
MOST_AT_ONCE = 1000
LINE_LENGTH, EXCERPT_LENGTH = 400, 60
TEXT_LENGTH = 100_000
WIDTHS = {"provider": 14, "model": 26, "status": 8}


def recent_calls(count: int, filters: Mapping[str, str]) -> list[PromptLog]:
    """The last `count` calls that match, the oldest first."""
    return list(_calls(filters).order_by("-created_at", "-id")[:count])[::-1]


def following_calls(shown: list[PromptLog], filters: Mapping[str, str]) -> Iterator[PromptLog]:
    """Yield calls as they end, forever. Waits for pending calls."""
    seen = {row.pk for row in shown if row.status != "pending"}
    since = shown[-1].created_at if shown else None
    while True:
        rows = _calls(filters) if since is None else _calls(filters).filter(created_at__gte=since)
        found = list(rows.order_by("created_at", "id")[:MOST_AT_ONCE])
        ended = [row for row in found if row.status != "pending"]
        yield from (row for row in ended if row.pk not in seen)
        seen |= {row.pk for row in ended}
        since = _follow_from(found, since)
        time.sleep(POLL_SECONDS)


def call_line(row: PromptLog) -> str:
    """One line: time in UTC, status, provider, model, figures, and the error or the prompt."""
    values = {name: getattr(row, name) for name in COLUMNS}
    cells = [f"{aware(row.created_at).astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"]
    cells += [printable(str(values[name] or "-"), LINE_LENGTH).ljust(WIDTHS[name]) for name in COLUMNS[1:4]]
    cells += [f"{_figure(row.input_tokens)} in, {_figure(row.output_tokens)} out".rjust(18)]
    cells += [_cost(row)]
    cells += [f"{_figure(row.duration_ms)} ms"]
    return printable(
        "  ".join([*cells, printable(row.error_message or row.prompt or "", 60)]), LINE_LENGTH, squeeze=False
    )


def _cost(row: PromptLog) -> str:
    """The known cost, and the most that the call may have cost beyond it."""
    known = [] if row.cost_usd is None else [f"${row.cost_usd.normalize():f}"]
    estimate = [] if row.estimated_cost_usd is None else [f"up to ${row.estimated_cost_usd.normalize():f}"]
    return " + ".join([*known, *estimate]) or "no price"


def call_lines(row: PromptLog) -> Iterator[str]:
    """The line, followed by the texts of the row."""
    yield call_line(row)
    yield f"  request {row.request_id}"
    for name in TEXTS:
        if text := getattr(row, name):
            yield f"  {name.replace('_', ' ')}:"
            yield from (f"    {printable(line, TEXT_LENGTH, squeeze=False)}" for line in text.splitlines())


def call_json(row: PromptLog) -> str:
    """Every column of the row, as one line of JSON."""
    values = {field.name: getattr(row, field.attname) for field in PromptLog._meta.concrete_fields}
    return json.dumps(values, default=str)


def _calls(filters: Mapping[str, str]) -> QuerySet[PromptLog]:
    return PromptLog.objects.using(ledger_alias()).filter(**filters)


def _follow_from(found: list[PromptLog], since: Any) -> Any:
    """The time of the oldest pending call, or else of the newest call."""
    pending = [row.created_at for row in found if row.status == "pending"]
    return min(pending, default=found[-1].created_at if found else since)


def _figure(value: int | None) -> str:
    return "?" if value is None else str(value)
