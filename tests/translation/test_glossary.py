"""Which terms of a glossary a text has, and whether its translation has theirs."""

import pytest

from stapel_agent.translation.glossary import Glossary


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Your cart is empty", ["cart"]),
        ("Your Carts", ["cart"]),
        ("A shopping  cart", ["cart", "shopping cart"]),
        ("The cartoon", []),
        ("購物車是空的", ["購物車"]),
        ("", []),
    ],
)
def test_terms_in(text, found):
    """Terms are found in any case and with an ending, and not within other words."""
    terms = {"cart": "Warenkorb", "shopping cart": "Einkaufswagen", "購物車": "Warenkorb"}
    assert list(Glossary(terms, "de").terms_in(text)) == found


@pytest.mark.parametrize(
    ("wanted", "to", "translation", "is_missed"),
    [
        ("Warenkorb", "de", "Ihr Warenkorb ist leer", False),
        ("Warenkorb", "de", "Ihre Warenkörbe sind leer", False),
        ("Warenkorb", "de", "Der Warenkorbinhalt", False),
        ("Warenkorb", "de", "Ihre Tasche ist leer", True),
        ("корзина", "ru", "В вашей корзине пусто", False),
        ("carrito", "es", "Los carritos están vacíos", False),
        ("購物車", "zh", "您的購物車是空的", False),
        ("購物車", "zh", "您的籃子是空的", True),
        ("panier d'achat", "fr", "Vos paniers d'achats", False),
    ],
)
def test_missed(wanted, to, translation, is_missed):
    """A term counts in any of its forms and in compounds."""
    assert bool(Glossary({"cart": wanted}, to).missed({"cart": wanted}, translation)) == is_missed
