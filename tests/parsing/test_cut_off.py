"""A draft before an answer that was cut off."""

from __future__ import annotations

import pytest

from stapel_agent.parsing import parse_json_response


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}\n{"a":',
        'I think {"a": 1} is wrong, the answer is {"a": 2',
        '{"a": 1}\nBetter:\n```json\n{"a": {"b": 1}',
        '[1, "x"]\nNo, as an object: {"items": [1, "x"',
    ],
)
def test_parse__draft_before_a_cut(text):
    """If the object that follows is never closed, the complete one before it is not taken for the answer."""
    assert parse_json_response(text) == (None, text)


@pytest.mark.parametrize(
    "after",
    [
        ' Use "{" to open.',
        '\n```python\nd = {"x": 1}\n```',
        ' Note: {"b": ...} is another form.',
        " and {curly",
        " }",
    ],
)
def test_parse__brackets_in_the_prose_behind(after):
    """Prose, code samples and forms after an answer do not matter."""
    assert parse_json_response('{"a": 1}' + after)[0] == {"a": 1}
