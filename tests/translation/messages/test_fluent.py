"""Selectors of Project Fluent."""

import pytest

from stapel_agent.translation.messages.fluent import structure
from stapel_agent.translation.placeholders.masking import Damaged, Protected
from tests.rows import each_row

NESTED = "{ $n ->\n    [one] One { $x ->\n        [a] cat\n       *[b] dog\n    }\n   *[other] Many\n}"


def test_masked__nested():
    """The texts of all variants are text, and everything between them is structure."""
    protected = Protected(NESTED, "fluent")
    assert protected.masked == "⟦1⟧⟦2⟧One ⟦3⟧⟦4⟧cat⟦5⟧dog⟦6⟧⟦7⟧Many⟦8⟧"
    assert protected.restore(protected.masked.upper()) == NESTED.replace("cat", "CAT").replace("dog", "DOG").replace(
        "One", "ONE"
    ).replace("Many", "MANY")


@pytest.mark.parametrize("translation", ["⟦1⟧⟦3⟧Viele⟦2⟧Eine⟦4⟧", "⟦1⟧⟦2⟧Eine⟦3⟧⟦4⟧Viele", "⟦1⟧⟦2⟧Eine⟦4⟧"])
def test_restore__damaged(translation):
    """Selectors and variants keep their order and number."""
    with pytest.raises(Damaged):
        Protected("{ $n -> [one] A *[other] B }", "fluent").restore(translation)


@pytest.mark.parametrize("text", ["a -> b", "{ $n -> [one] x", "x -> }", "{ $n }", "", "{ $n -> [one] { x *[b] y }"])
def test_structure__none(text):
    """A text without a selector, or with an unclosed one, has no structure."""
    assert structure(text) is None


@each_row(["{ $n -> ", "[a] ", "{", "}", "{ $n -> [one] a *[b] ", " ", "->", '"', '{"'])
def test_structure__hostile(part):
    """However often a sign is repeated, a text has a complete structure or none."""
    text = (part * (18_000 // len(part))) + "->"
    pieces = structure(text)
    assert pieces is None or "".join(text[piece.start : piece.end] for piece in pieces) == text
