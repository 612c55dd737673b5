"""Rows as an aligned text table, no wider than the terminal."""

import shutil
from collections.abc import Sequence

GAP = "  "
LEAST_WIDTH = 8


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns as wide as their longest cell, numbers to the right; the last column takes what is left of the line."""
    cells = [[_text(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    total = shutil.get_terminal_size((100, 24)).columns
    widths[-1] = min(widths[-1], max(LEAST_WIDTH, total - sum(widths[:-1]) - len(GAP) * (len(widths) - 1)))
    numeric = [all(isinstance(row[index], int) for row in rows) for index in range(len(headings))]
    rule = ["─" * width for width in widths]
    return "\n".join(_line(line, widths, numeric) for line in [headings, rule, *cells])


def _text(cell: object) -> str:
    return " ".join(str("" if cell is None else cell).split())


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    clipped = [cell if len(cell) <= width else cell[: width - 1] + "…" for cell, width in zip(cells, widths, strict=True)]
    aligned = zip(clipped, widths, numeric, strict=True)
    return GAP.join(cell.rjust(width) if number else cell.ljust(width) for cell, width, number in aligned).rstrip()
