"""The values that the layers exchange."""

from dataclasses import replace

import pytest

from stapel_agent.types import CompletionRequest, Usage


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
