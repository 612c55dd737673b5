"""Many rows of a table in one test: every row is tried, and a failure names each row that failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

NAME_LENGTH = 80


@contextmanager
def every_row() -> Iterator[Callable[..., AbstractContextManager[None]]]:
    """Gives `row(*names)`, in whose block one row is checked. Raises a group of all rows' failures at the end."""
    faults: list[BaseException] = []

    @contextmanager
    def row(*names: object) -> Iterator[None]:
        try:
            yield
        except (Exception, pytest.fail.Exception) as fault:
            fault.add_note(f"in the row {', '.join(str(name)[:NAME_LENGTH] for name in names)}")
            faults.append(fault)

    yield row
    if faults:
        raise BaseExceptionGroup("rows that failed", faults)


def each_row(table: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """Make one test of a test that takes a row: a tuple of its arguments, or its only argument."""

    def decorated(test: Callable[..., None]) -> Callable[[], None]:
        def test_of_all() -> None:
            with every_row() as row:
                for arguments in table:
                    names = arguments if isinstance(arguments, tuple) else (arguments,)
                    with row(*names):
                        test(*names)

        test_of_all.__doc__, test_of_all.__module__ = test.__doc__, test.__module__
        test_of_all.__name__, test_of_all.__qualname__ = test.__name__, test.__qualname__
        return test_of_all

    return decorated
