"""Token counts that a stream states more than once."""

import pytest

from stapel_agent.providers.anthropic_usage import PROMPT, totals

STREAMS = {
    "stated twice alike": [
        {"input_tokens": 100, "cache_read_tokens": 2000, "output_tokens": 1},
        {"input_tokens": 100, "cache_read_tokens": 2000, "output_tokens": 50},
    ],
    "prompt only at the start": [
        {"input_tokens": 100, "cache_read_tokens": 2000, "output_tokens": 1},
        {"output_tokens": 50},
    ],
    "prompt only at the end": [
        {"input_tokens": 0, "cache_read_tokens": 0, "output_tokens": 0},
        {"input_tokens": 100, "cache_read_tokens": 2000, "output_tokens": 50},
    ],
    "zeros at the end": [
        {"input_tokens": 100, "cache_read_tokens": 2000, "output_tokens": 1},
        {"input_tokens": 0, "cache_read_tokens": 0, "output_tokens": 50},
    ],
    "the cached part is input at the start": [
        {"input_tokens": 2100, "cache_read_tokens": 0, "output_tokens": 1},
        {"input_tokens": 100, "cache_read_tokens": 2000, "output_tokens": 50},
    ],
    "the cached part is input too at the start": [
        {"input_tokens": 2100, "cache_read_tokens": 2000, "output_tokens": 1},
        {"input_tokens": 100, "cache_read_tokens": 2000, "output_tokens": 50},
    ],
    "the cached part is input too at the end": [
        {"input_tokens": 100, "cache_read_tokens": 2000, "output_tokens": 1},
        {"input_tokens": 2100, "cache_read_tokens": 2000, "output_tokens": 50},
    ],
}


@pytest.mark.parametrize("events", STREAMS.values(), ids=STREAMS)
def test_totals__stated_twice(events: list[dict[str, int]]) -> None:
    """No token is counted twice or lost, however a stream states its figures."""
    figures: dict[str, int] = {}
    for stated in events:
        figures = totals(figures, stated)
    assert figures == {"input_tokens": 100, "cache_read_tokens": 2000, "output_tokens": 50}


SHRINKING = {
    "input": [{"input_tokens": 1_000_000}, {"input_tokens": 1}],
    "a small cached part": [{"input_tokens": 1_000_000}, {"input_tokens": 1, "cache_read_tokens": 50}],
    "the cached part": [
        {"input_tokens": 10, "cache_read_tokens": 999_990},
        {"input_tokens": 1, "cache_read_tokens": 0},
    ],
    "cache writes": [{"input_tokens": 10, "cache_write_tokens": 999_990}, {"input_tokens": 1, "cache_write_tokens": 5}],
}


@pytest.mark.parametrize("events", SHRINKING.values(), ids=SHRINKING)
def test_totals__a_prompt_that_shrinks(events: list[dict[str, int]]) -> None:
    """A later event cannot reduce the prompt by more than a cached part that was counted twice."""
    figures: dict[str, int] = {}
    for stated in events:
        figures = totals(figures, stated)
    assert sum(figures.get(name, 0) for name in PROMPT) >= 1_000_000
