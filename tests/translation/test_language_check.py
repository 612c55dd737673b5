"""Texts that come back untranslated, or in another language."""

import pytest

from stapel_agent.translation.language_check import is_unchanged, other_language

CART = "Your shopping cart is empty"


@pytest.mark.parametrize("source", [CART, "Sign in", "YOUR CART IS NOW EMPTY", "{n} files <b>left</b>", "購物車是空的"])
def test_is_unchanged(source):
    """Several words that come back as they were are untranslated."""
    assert is_unchanged(source, source, "en", "de")


@pytest.mark.parametrize(
    ("source", "from_lang", "to"),
    [
        ("Google Maps", "en", "de"),
        ("OK", "en", "de"),
        ("pip-install --user", "en", "de"),
        ("⟦1⟧ of ⟦2⟧", "en", "de"),
        (CART, "en", "en-GB"),
        ("Ihr Warenkorb ist leider noch leer", "auto", "de"),
    ],
)
def test_is_unchanged__exempt(source, from_lang, to):
    """Names, codes, single words, and texts that are in the language already may stay as they are."""
    assert not is_unchanged(source, source, from_lang, to)


@pytest.mark.parametrize(
    ("translation", "to", "is_source"),
    [
        ("Votre panier est vide pour le moment", "de", False),
        ("Your basket has nothing in it right now", "de", True),
        ("Ваша корзина сейчас пуста", "de", False),
        ("Ihr Warenkorb ist leer", "el", True),
        ("سلة التسوق فارغة", "he", False),
    ],
)
def test_other_language(translation, to, is_source):
    """Another language is told by its words and its letters, and the source's from a third one."""
    remark, found = other_language(CART, translation, "en", to)
    assert (bool(remark), found) == (True, is_source)


@pytest.mark.parametrize(
    ("translation", "to"),
    [
        ("Ihr Warenkorb ist im Moment leer", "de"),
        ("Din indkøbskurv er tom lige nu", "da"),
        ("O teu carro da compra está baleiro", "gl"),
        ("Google Maps", "el"),
        ("ytpme si trac gnippohs ruoy", "eo"),
        ("YOUR SHOPPING CART IS EMPTY", "de"),
        ("Vaša korpa je trenutno prazna", "sr-Latn"),
        ("買い物かごは空です", "ja"),
    ],
)
def test_other_language__none(translation, to):
    """A translation in its own language, a close relative of it, a name, or what no detector can tell, passes."""
    assert other_language(CART, translation, "en", to) is None
