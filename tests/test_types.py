"""The values that the layers exchange."""

from dataclasses import replace

import pytest

from stapel_agent.column_ranges import token_count
from stapel_agent.types import CompletionRequest, Usage


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


@pytest.mark.parametrize(
    "changes", [{}, {"prompt": "why?"}, {"model": "m", "options": {"temperature": 0}}, {"cache_scope": "x"}]
)
def test_request__replaced(changes):
    """`replaced()` is `dataclasses.replace()`: another object, and a cache key of its own."""
    request = CompletionRequest("what?", "small", "anthropic", "llm_facade", 100, user_id="u")
    known = request.cache_key
    assert request.replaced(**changes) == replace(request, **changes)
    assert request.replaced(**changes).cache_key == replace(request, **changes).cache_key
    assert request.replaced(**changes) is not request
    assert (request.prompt, request.cache_key) == ("what?", known)
