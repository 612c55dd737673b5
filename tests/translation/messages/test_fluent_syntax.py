"""The parser of Project Fluent accepts the patterns that we accept."""

import random
from itertools import product

import pytest
from fluent.syntax import FluentParser, ast
from hypothesis import given, settings
from hypothesis import strategies as st

from stapel_agent.translation.placeholders.masking import MARK, Damaged, Protected
from stapel_agent.translation.plural_forms import expanded
from tests.rows import every_row

unhurried = settings(deadline=None)  # a busy machine must not fail the test

FILES = "{ $n ->\n    [0] none\n    [one] { $n } file\n   *[other] { $n } files\n}"
PATTERNS = [
    "Hello, { $name } of { -brand }",
    'A { "{" } literal, { NUMBER($n, minimumFractionDigits: 2) }',
    FILES,
    f"You have {FILES} in {FILES.replace('file', 'folder')}.",
    f"{{ $g ->\n    [male] his {FILES}\n   *[other] their files\n}}",
    "First line\n- second line\nthird { $x }",
    '{ NUMBER($n, type: "ordinal") ->\n  [one] { $n }st\n  *[other] { $n }th\n} place',
]
WORDS = ["wort", "[wort]", "*wort", ".wort", "{", "}", "->", "[one]", "*[other]", '"', "\\", "#", "=", "wort = wort"]


def junk(pattern):
    """The parts that are not a message in a file with only this pattern, as `llm_translate` writes it."""
    lines = pattern.split("\n")
    text = "\n    ".join(lines) if len(lines) == 1 else "\n    " + "\n    ".join(lines)
    resource = FluentParser().parse(f"key = {text}\n")
    return [entry for entry in resource.body if not isinstance(entry, ast.Message)] or len(resource.body) != 1


@pytest.mark.parametrize("pattern", PATTERNS)
def test_expanded__parses(pattern):
    """A pattern with the plural forms of another language is one message."""
    assert not junk(pattern)
    with every_row() as row:
        for to, name in product(["ru", "pl", "ar", "cy", "sl", "ja", "lv", "de"], ["fluent", ""]):
            with row(to, name):
                assert not junk(expanded(pattern, name, "en", to))


@unhurried
@given(st.sampled_from(PATTERNS), st.lists(st.sampled_from(WORDS), min_size=1, max_size=4), st.integers(0, 2**32))
def test_restored__parses(pattern, words, seed):
    """Whatever a model writes between the marks, an accepted answer is one message with the same placeables."""
    protected, chosen = Protected(expanded(pattern, "fluent", "en", "ru"), "fluent"), random.Random(seed)
    position, pieces = 0, []
    for mark in MARK.finditer(protected.masked):
        before = protected.masked[position : mark.start()]
        pieces += [f" {chosen.choice(words)} " if before.strip() and chosen.random() < 0.5 else before, mark[0]]
        position = mark.end()
    pieces.append(chosen.choice([protected.masked[position:], *words]))
    try:
        restored = protected.restore("".join(pieces))
    except Damaged:
        return
    assert not junk(restored)
