"""Long texts, cut at their borders and joined byte for byte."""

from hypothesis import given, settings
from hypothesis import strategies as st

from stapel_agent.translation.sentence_boundaries import cut, token_estimate
from tests.rows import each_row
from tests.steps import grows_linearly
from tests.translation.masks import hidden

unhurried = settings(deadline=None)  # a busy machine must not fail the test

FRAGMENTS = [
    "word", "a", " ", "  ", "\n", "\n\n", "\r\n\r\n", ". ", "! ", "。", "、", "」", "は", "é", "\u2028", "\u3000",
    "x" * 30, "`code with blanks`", '<a href="/b c">', "</a>", "[a b](/c)", "{{ a | b }}", "https://a.example/b",
    "{a, date, x}", "{n, plural, other {a b c}}", "⟦1⟧", "<!-- ", " -->", "```",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(FRAGMENTS), max_size=60).map("".join)


@each_row(
    [
        ("one two", 100, [("one two", "")]),
        ("", 1, [("", "")]),
        ("First one.\n\nSecond one.", 5, [("First one.", "\n\n"), ("Second one.", "")]),
        ("a b c.\nd e f. g", 3, [("a b c.", "\n"), ("d e f. g", "")]),
        ("One is two. Six is ten of all", 7, [("One is two.", " "), ("Six is ten of all", "")]),
        ("aaa.\n\nbbb\nccc ddd eee fff", 5, [("aaa.\n\nbbb", "\n"), ("ccc ddd eee fff", "")]),
        ("One is. Two is. Six is.", 6, [("One is. Two is.", " "), ("Six is.", "")]),
        ("one two three four", 4, [("one two", " "), ("three four", "")]),
        ("これは。それは。", 5, [("これは。", ""), ("それは。", "")]),
        ("「これは。」それは。", 6, [("「これは。」", ""), ("それは。", "")]),
        ("これ、それ", 3, [("これ、", ""), ("それ", "")]),
        ("nothing_to_cut_at_here", 2, [("nothing_to_cut_at_here", "")]),
        ("a `b c d e f g h i` j", 2, [("a", " "), ("`b c d e f g h i`", " "), ("j", "")]),
        ("{n, plural, other {a b c d e f}} g h i", 3, [("{n, plural, other {a b c d e f}} g h i", "")]),
        (
            "an example: {n, plural, other} and\n\nmore",
            10,
            [("an example: {n, plural, other}", " "), ("and\n\nmore", "")],
        ),
    ]
)
def test_cut(text, limit, pieces):
    """A text is cut at the strongest border in reach, and never inside a protected part."""
    assert cut(text, limit) == pieces


@unhurried
@given(TEXTS, st.integers(1, 40))
def test_cut__whole(text, limit):
    """The pieces and the whitespace between them join to the text."""
    assert "".join(f"{piece}{blanks}" for piece, blanks in cut(text, limit)) == text


@unhurried
@given(TEXTS, st.integers(1, 40))
def test_cut__left_alone(text, limit):
    """Each protected part is whole in one of the pieces. A piece above the limit contains no border."""
    pieces = [piece for piece, _ in cut(text, limit)]
    for placeholder in hidden(text):
        assert any(placeholder in piece for piece in pieces)
    for piece in pieces:
        assert token_estimate(piece) <= limit + 1 or len(cut(piece, limit)) == 1


@each_row(["a ", "a. ", "。", "a\n\n", "a", " ", "`", "` ", "⟦ ", "{a} ", "<b ", "は、"])
def test_cut__linear(text):
    """Any long text is cut in linear time."""
    assert grows_linearly(lambda size: cut(text * size, 200), 2_000 // len(text))
