"""Many rows of a table in one test: every row is tried, and a failure names each row that failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest


@contextmanager
def every_row() -> Iterator[Callable[..., AbstractContextManager[None]]]:
    """Gives `row(*names)`, in whose block one row is checked. Raises a group of all rows' failures at the end."""
    faults: list[BaseException] = []

    @contextmanager
    def row(*names: object) -> Iterator[None]:
        try:
            yield
        except (Exception, pytest.fail.Exception) as fault:
            fault.add_note(f"in the row {', '.join(map(str, names))}")
            faults.append(fault)

    yield row
    if faults:
        raise BaseExceptionGroup("rows that failed", faults)
