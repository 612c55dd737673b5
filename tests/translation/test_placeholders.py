"""What is left alone in a text: kind by kind, and in linear time."""

import time

import pytest

from stapel_agent.translation.placeholders import spans
from stapel_agent.translation.protection import Protected
from tests.translation.masks import MASKS

SIGNS = [
    "⟦",
    "⟧",
    "⟦1⟧",
    "<",
    "<a ",
    '<a href="',
    "<a b='",
    "<!--",
    "<![CDATA[",
    "<?",
    "<script",
    "<style>",
    "`",
    "```",
]
SIGNS += [
    "{%",
    "{#",
    "${",
    "#{",
    "%{",
    "{{",
    "{",
    "{a,",
    "{a:",
    "{a[",
    "}",
    "[",
    "](",
    "](a)",
    "](a(",
    '](a "',
    "][",
    "[1,",
]
SIGNS += [
    "a://",
    "www.",
    "a@",
    "a@b.",
    "@:",
    "a.",
    "@",
    "%",
    "%(",
    "%1$",
    "%.",
    "%%",
    ":a",
    ":",
    "\\",
    "&",
    "&lt",
    "$t(",
]
SIGNS += ["'", "'{", "{n, plural, one {", " ", "\n", "a", "é", "0"]


@pytest.mark.parametrize(("source", "masked"), MASKS)
def test_masked(source, masked):
    """A translator sees the words of a text, and marks for all that is not to be touched."""
    assert Protected(source).masked == masked


@pytest.mark.parametrize(("source", "masked"), MASKS)
def test_restored(source, masked):
    """What comes back as it was sent is the source."""
    assert Protected(source).restore(masked) == source


@pytest.mark.parametrize(
    "source", ["", " ", "12.5 %", "https://a.example", "{name}", "%s", "<br>", "&nbsp;", "…", "⟦⟧"]
)
def test_has_words__none(source):
    """Numbers, a lone address and a lone placeholder are nothing to translate."""
    assert not Protected(source).has_words


@pytest.mark.parametrize("source", ["a", "{name} x", "&nbsp;x", "は", "{n, plural, other {x}}", "⟦x⟧", "<b>x</b>"])
def test_has_words(source):
    """One letter outside of what is hidden is something to translate."""
    assert Protected(source).has_words


@pytest.mark.parametrize("sign", SIGNS)
def test_spans__linear(sign):
    """However often a sign is repeated, alone or with the beginning of another thing, scanning takes linear time."""
    texts = [sign * (100_000 // len(sign))] + [(sign + other) * 400 for other in SIGNS]
    start = time.process_time()
    for text in texts:
        spans(text)
    assert time.process_time() - start < 50
