"""ICU messages: their structure and their texts, also in hostile ones."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stapel_agent.translation.messages.icu_messages import structure
from stapel_agent.translation.placeholders.masking import Protected
from tests.rows import each_row
from tests.steps import grows_linearly

unhurried = settings(deadline=None)  # a busy machine must not fail the test

PIECES = [
    "{n, plural, one {", "{n,plural,offset:1 =0 {", "{g, select, a {", "} other {", "}}", "}", "{n}",
    "{d, date, 'at 'HH}", "#", "'", "''", "'{'", "'#", "text", " ", "|", "<b>", "{", ",", "\n",
    "{n, selectordinal, few {", "é", "offset:",
]  # fmt: skip


def in_pieces(text):
    """The pieces of a message as (kind, text), or None."""
    pieces = structure(text)
    return pieces and [(piece.kind, text[piece.start : piece.end]) for piece in pieces]


@each_row(
    [
        (
            "{n, plural, one {# item} other {# items}}",
            [("syntax", "{n, plural, one {"), ("argument", "#"), ("text", " item"), ("syntax", "} other {")]
            + [("argument", "#"), ("text", " items"), ("syntax", "}}")],
        ),
        (
            "Hi {name}, {g, select, a {it''s '{'x'}'} other {}}",
            [("text", "Hi "), ("argument", "{name}"), ("text", ", "), ("syntax", "{g, select, a {"), ("text", "it''s ")]
            + [("quoted", "'{'"), ("text", "x"), ("quoted", "'}'"), ("syntax", "} other {}}")],
        ),
        (
            "{n, plural, offset:1 other {{d, date, 'at 'HH} x}}",
            [("syntax", "{n, plural, offset:1 other {"), ("argument", "{d, date, 'at 'HH}"), ("text", " x")]
            + [("syntax", "}}")],
        ),
        ("Hi {name}", None),
        ("{n, plural, one {never closed", None),
        ("{n, plural, offset:- other {x}}", None),
        (f"{{n, plural, offset:{'9' * 5000} other {{x}}}}", None),
        ("{n, plural, }", None),
        (f"{{n, plural, other {{{'x' * 20_000}}}}}", None),
        ("{n, plural, other {" * 5000, None),
    ]
)
def test_structure(text, pieces):
    """Texts are separated from syntax, arguments and quoted syntax. An invalid message has no structure."""
    assert in_pieces(text) == pieces


@unhurried
@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
def test_structure__whole(text):
    """The pieces of any message join to the message."""
    pieces = in_pieces(text)
    assert pieces is None or "".join(piece for _, piece in pieces) == text


@pytest.mark.parametrize("nested", ["{{a{}, select, x {{", "{{a{}, select, 'x\" {{"])
def test_structure__nested(nested):
    """Nested branches cost no more than others."""

    def there_and_back(depth):
        text = "".join(nested.format(number) for number in range(depth)) + "y" + "}}" * depth
        protected = Protected(text)
        assert protected.restore(protected.masked) == text

    assert grows_linearly(there_and_back, 11)
