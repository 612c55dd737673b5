"""What is protected in a text: kind by kind, and in linear time."""

import time
from re import _constants, _parser

import pytest

from stapel_agent.translation.placeholders.masking import Protected
from stapel_agent.translation.placeholders.placeholder_formats import FORMATS
from stapel_agent.translation.placeholders.protected_spans import grammar_of, spans
from tests.rows import each_row
from tests.steps import grows_linearly
from tests.translation.masks import MASKS

SIGNS = [
    "⟦", "⟧", "⟦1⟧", "<", "<a ", '<a href="', "<a b='", "<!--", "<![CDATA[", "<?", "<script", "<style>", "`", "```",
    "{%", "{#", "${", "#{", "%{", "{{", "{", "{a,", "{a:", "{a[", "}", "[", "](", "](a)", "](a(", '](a "', "][", "[1,",
    "a://", "www.", "a@", "a@b.", "@:", "a.", "@", "%", "%(", "%1$", "%.", "%%", ":a", ":", "\\", "&", "&lt", "$t(",
    "'", "'{", "{n, plural, one {", " ", "\n", "a", "é", "0",
]  # fmt: skip


@each_row(MASKS)
def test_masked(source, masked):
    """A translator sees the words of a text, and marks for everything protected. The same answer gives the source."""
    assert Protected(source).masked == masked
    assert Protected(source).restore(masked) == source


@each_row(
    [
        "",
        " ",
        "12.5 %",
        "https://a.example",
        "{name}",
        "%s",
        "<br>",
        "&nbsp;",
        "…",
        "⟦⟧",
        "%a, %d %b %Y %H:%M:%S %z",
        "%l:%M %P",
        "-%u%n",
        "%n%",
    ]
)
def test_has_words__none(source):
    """Numbers, a lone address and a lone placeholder have nothing to translate."""
    assert not Protected(source).has_words


@pytest.mark.parametrize("source", ["a", "{name} x", "&nbsp;x", "は", "{n, plural, other {x}}", "⟦x⟧", "<b>x</b>"])
def test_has_words(source):
    """A single letter outside of the hidden parts is something to translate."""
    assert Protected(source).has_words


@pytest.mark.usefixtures("counted_patterns")
@pytest.mark.parametrize("sign", SIGNS)
def test_spans__linear(sign):
    """However often a sign is repeated, alone or with the beginning of another syntax, scanning is linear."""
    for part in [sign, *(sign + other for other in SIGNS)]:
        assert grows_linearly(lambda size, part=part: spans(part * size), 1 + 100 // len(part))


def test_spans__numbers_without_a_second():
    """Whether ranks count from 1 is decided in one pass, however often the first one occurs."""
    began = time.process_time()
    assert spans("Rank " + "#1 " * 40_000) == []
    assert time.process_time() - began < 3


@each_row(FORMATS)
def test_grammar__no_backtracking(name):
    """No repetition of a grammar can be tried in more than a few ways: what it has taken, it keeps."""
    grammar = grammar_of(name)
    for pattern in (grammar.pattern, grammar.without_addresses, grammar.undelimited):
        tree = _parser.parse(pattern.pattern, pattern.flags)
        assert max(ways_back(tree)) <= 10


def ways_back(nodes):
    """How often each repetition in a parsed expression can backtrack."""
    yield 0
    for operator, argument in nodes:
        if operator in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
            yield argument[1]
        inside = argument if isinstance(argument, tuple | list) else [argument]
        for part in inside:
            for item in part if isinstance(part, list) else [part]:
                if isinstance(item, _parser.SubPattern):
                    yield from ways_back(item)


@pytest.mark.parametrize("opening", ["<\u017fcript>", "<\u017ftyle>", "java\u017fcript:x"])
def test_spans__letters_like_those_of_a_tag(opening: str) -> None:
    """A long s is not the s of a tag or an address: such a text has no end to search for, and breaks nothing."""
    assert all(span.kind != "delimited" for span in spans(opening))
