"""The values that the layers exchange."""

import pytest

from stapel_agent.column_ranges import token_count
from stapel_agent.types import Usage


@pytest.mark.parametrize(
    ("figure", "count"),
    [
        (5, 5),
        ("12", 12),
        (3.9, 3),
        (True, 1),
        (-1, 0),
        (None, 0),
        ("many", 0),
        ("9" * 10_000, 0),
        (float("nan"), 0),
        (float("inf"), 2**31 - 1),
        (10**30, 2**31 - 1),
        ([], 0),
        ({}, 0),
        (object(), 0),
    ],
)
def test_token_count__any_figure(figure, count):
    """Any figure of a vendor becomes a count that fits its column."""
    assert token_count(figure) == count


def test_usage__sums():
    """Usages add up field by field. An empty one is false."""
    assert Usage(1, 2, 3, 4, 5) + Usage(10, 20, 30, 40, 50) == Usage(11, 22, 33, 44, 55)
    assert (bool(Usage()), bool(Usage(cache_read_tokens=1))) == (False, True)
