"""Figures as CSV, for spreadsheets."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import Any

FORMULAS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # noqa: RUF001  (as wide as an ideograph, they begin one too)


def write_csv(file: Any, names: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a header and a line for each row to `file`, which has `write()`."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)


def _harmless(value: Any) -> Any:
    """Make a cell harmless for terminals and spreadsheets, which may execute it: callers choose these names."""
    if not isinstance(value, str):
        return value
    text = "".join(sign if sign.isprintable() else "\ufffd" for sign in value)
    return f"'{text}" if text.startswith(FORMULAS) else text
