"""Properties of finding JSON in a reply: for any JSON, any text, and long texts of any shape."""

import json
import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stapel_agent.parsing import SEARCHED_LENGTH, Flaw, find_json, parse_json_response, storable

MEGABYTE = 1_000_000
LONG = 500_000  # below SEARCHED_LENGTH

unhurried = settings(deadline=None)  # a busy machine must not fail the test

SCALARS = st.none() | st.booleans() | st.integers(-(10**40), 10**40) | st.floats(allow_nan=False, allow_infinity=False)
BRACKETED = st.text(alphabet='[]{}":, 1a\\\n`', max_size=8)
STRINGS = st.text(st.characters(exclude_categories=()), max_size=8) | BRACKETED
KEYS = STRINGS.map(storable)  # keys that differ only in what cannot be stored are a conflict
VALUES = st.recursive(
    SCALARS | STRINGS,
    lambda values: st.lists(values, max_size=4) | st.dictionaries(KEYS, values, max_size=4),
    max_leaves=8,
)
ANSWERS = st.lists(VALUES, max_size=4) | st.dictionaries(KEYS, VALUES, max_size=4)
# Without brackets, fences, tags and surrounding blanks.
PROSE = st.text(st.characters(codec="utf-8", exclude_characters="[]{}`~<>\ufeff"), max_size=20)
FRAGMENTS = st.lists(
    st.sampled_from(
        ["{", "}", "[", "]", '"', "'", "\\", ":", ",", " ", "\n", "```", "```json\n", "~~~", "`", "<think>", "</think>"]
        + ['{"a": 1}', "[1]", '"a"', '{"a":', "1e999", "NaN", "\\u0000", "\\ud800", "\0", "\udfff", "a", "1", "\ufeff"]
    ),
    max_size=30,
).map("".join)


@st.composite
def serialised(draw):
    """An object or array, and its JSON text."""
    answer = draw(ANSWERS)
    layout = {"ensure_ascii": draw(st.booleans()), "indent": draw(st.sampled_from([None, 2]))}
    return answer, json.dumps(answer, **layout)


@unhurried
@given(serialised(), st.sampled_from(["{}", " {}\n", "\ufeff{}", "```json\n{}\n```", "~~~\n{}\n~~~", "```{}```"]))
def test_round_trip__wrapped(answer_and_text, wrapping):
    """Any JSON is found unchanged: bare, after a byte order mark, or in a fence, with or without a thought before."""
    answer, text = answer_and_text
    wrapped = wrapping.replace("{}", text)
    thought = '<think>perhaps {"a": [1], "</think>'
    assert parse_json_response(wrapped) == (storable(answer), None)
    assert parse_json_response(thought + wrapped.removeprefix("\ufeff")) == (storable(answer), None)


@unhurried
@given(serialised(), PROSE, PROSE)
def test_round_trip__in_prose(answer_and_text, before, after):
    """Any JSON is found unchanged in prose without brackets, which becomes the comment."""
    answer, text = answer_and_text
    assume(not before.strip().startswith('"'))  # the prose would turn the whole into a JSON string
    comment = "\n".join(filter(None, (storable(before).strip(), storable(after).strip()))) or None
    assert parse_json_response(before + text + after) == (storable(answer), comment)


@unhurried
@given(st.text(st.characters(exclude_categories=())) | FRAGMENTS)
def test_any_text__has_a_storable_answer(text):
    """No text raises an exception. The result can be written as JSON and as UTF-8."""
    result, comment = parse_json_response(text)
    assert result is not None or comment or not storable(text).replace("\ufeff", " ").strip() or "think" in text
    assert comment is None or comment.strip() == comment != ""
    assert "\0" not in json.dumps([result, comment], allow_nan=False, ensure_ascii=False).encode().decode()
    assert storable([result, comment]) == [result, comment]


@settings(deadline=None, max_examples=50)
@given(serialised(), PROSE)
def test_cut_off__has_no_answer(answer_and_text, before):
    """JSON without its end or its beginning contains no answer, wherever it is cut.

    The exception is a rest that begins with a whole value: it could be an answer with extra brackets.
    """
    assume(not before.strip().startswith('"'))  # the whole might be a JSON string
    _, text = answer_and_text
    for cut in range(1, len(text)):
        assert parse_json_response(text[:cut])[0] is None
        assert begins_with_json(text[cut:]) or parse_json_response(text[cut:])[0] is None
        assert parse_json_response(before + text[:cut])[0] is None
        assert parse_json_response(f"```json\n{text[:cut]}\n```")[0] is None


def begins_with_json(text):
    """Whether a whole value comes first. Raw line breaks in its strings count as escaped, as in an answer."""
    try:
        json.JSONDecoder(strict=False).raw_decode(text.lstrip())
    except ValueError:
        return False
    return True


@unhurried
@given(serialised(), st.text("]} \n", min_size=1, max_size=5))
def test_stray_brackets__do_no_harm(answer_and_text, stray):
    """Any JSON followed by closing brackets is found unchanged."""
    answer, text = answer_and_text
    assert parse_json_response(text + stray)[0] == storable(answer)


@pytest.mark.parametrize(
    "unit",
    [
        *("[", "{", '{"a":', '["', '{"', "{ ", '{" ', "{'", "[[1],", '[{"a":1},', "{a ", "[ ", '{"\\'),
        *("]", ",]", '"', "\\", '\\"', "<think>", "</think>", "<think></think>", "```", "`a", "```\n", "\n~~~a"),
        *('{"a": 1}}', '{"a": 1}} ', '"a": {"b": 1}}\n', ', {"b": 1}]'),
        *("{}", "{x}", "{[}]", '{"}"', '"["{"]"}', "[1,]", "[NaN]", "```\n[1]\n```\n", "9", "\ud800", "\n[", "~~~a"),
    ],
)
def test_long_text__linear_time(unit):
    """Text of any shape before an answer takes linear time: four times as much does not take sixteen times as long."""

    def seconds(size):
        text = unit * (size // len(unit))
        started = time.thread_time()
        parse_json_response(f'{text} {{"a": 1}}')
        return time.thread_time() - started

    assert seconds(MEGABYTE // 16) <= 8 * seconds(MEGABYTE // 64) + 0.15


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000 + "]" * 100_000, '{"a":' * 80_000 + "1" + "}" * 80_000, "[" * 250_000 + "x" + "]" * 250_000,
        "{" + " " * LONG, "{ " * 250_000 + "}", "[" + ", " * 250_000 + "]", '["' + "\\" * LONG,
        "[" + "9" * LONG + "]", "[1e" + "9" * LONG + "]", "x {" + '"a": 1, ' * 60_000, "`" * LONG + "!",
        "`" * (LONG // 2) + "a" + "`" * (LONG // 2 - 1) + "a", '"' + "x" * LONG,
        "I " + "{ unclosed " * 45_000, "}" * LONG, '"a": {"b": 1}' + " " * (LONG // 2) + "}" * (LONG // 2),
        '"' + "[1]" * 160_000 + '" ]', '"' + '[1]\\"' * 100_000 + '" ]',
    ],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_long_text__no_answer(text):
    """A long text that is too deep, unclosed or invalid is rejected in seconds, and without exhausting the stack."""
    started = time.thread_time()
    assert parse_json_response(text) == (None, text.strip())
    assert time.thread_time() - started < 30


def test_long_text__answer_behind_unclosed_brackets():
    """Many unclosed brackets do not hide the answer."""
    assert parse_json_response("{ ! " * 125_000 + '{"a": 1}')[0] == {"a": 1}


def test_long_text__too_long():
    """In a text that is too long, JSON is not looked for piece by piece, which could take a minute."""
    answer = '{"a": 1}'
    longest = '{"a":1}} '.ljust(SEARCHED_LENGTH - len(answer), ".") + answer
    text = '{"a":1}}' * MEGABYTE + answer
    started = time.thread_time()
    assert find_json(text) == (None, text, Flaw.TOO_LONG)
    assert time.thread_time() - started < 10
    assert find_json(longest)[0] == {"a": 1}
    assert find_json(f".{longest}") == (None, f".{longest}", Flaw.TOO_LONG)
    assert find_json("x" * MEGABYTE) == (None, "x" * MEGABYTE, Flaw.NOTHING)


@pytest.mark.parametrize("wrapping", ["{}", "Sure:\n```json\n{}\n```\nBye.", "<think>[1]</think>{}"])
def test_long_text__whole(wrapping):
    """JSON of any length is found if the rest of the text has no brackets."""
    answer = [{"a": "x" * 100}] * (MEGABYTE // 50)
    assert parse_json_response(wrapping.replace("{}", json.dumps(answer)))[0] == answer
