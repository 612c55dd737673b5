"""Rows as an aligned text table, no wider than the terminal."""

import shutil
from collections.abc import Sequence

GAP = "  "
LEAST_WIDTH = 4


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Format rows as columns, numbers right-aligned. If a line is too long, the widest columns are cut."""
    cells = [[_text(cell) for cell in row] for row in rows]
    natural = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    widths = _fitted(natural, shutil.get_terminal_size((120, 24)).columns - len(GAP) * (len(headings) - 1))
    numeric = [all(isinstance(row[index], int) for row in rows) for index in range(len(headings))]
    rule = ["─" * width for width in widths]
    return "\n".join(_line(line, widths, numeric) for line in (headings, rule, *cells))


def _fitted(widths: Sequence[int], available: int) -> list[int]:
    fitted = [min(width, max(available, LEAST_WIDTH)) for width in widths]
    while sum(fitted) > available and max(fitted) > LEAST_WIDTH:
        fitted[fitted.index(max(fitted))] -= 1
    return fitted


def _text(cell: object) -> str:
    return " ".join(str("" if cell is None else cell).split())


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    return GAP.join(map(_aligned, cells, widths, numeric)).rstrip()


def _aligned(cell: str, width: int, is_number: bool) -> str:
    clipped = cell if len(cell) <= width else cell[: width - 1] + "…"
    return clipped.rjust(width) if is_number else clipped.ljust(width)
