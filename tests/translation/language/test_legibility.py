"""Translations have visible letters, and no characters that deceive the reader."""

import pytest

from stapel_agent.translation.language.legibility import illegible
from tests.rows import each_row

WITHOUT_LETTERS = [
    "....", "????", "—", "👍", "👍👍", "...", "\u0301\u0301", "\u200f\u200e", "□□", "“”", "*", "\ue000\ue001",
]  # fmt: skip
FILLED = [
    "\u2800", "\u3164", "\u115f\u1160", "Ha\u3164llo", "\ufeffHallo", "Hal\u180elo", "\ufffd\ufffd", "Gr\ufffd\ufffde",
    "\u202eollaH", "Hallo\U000e0041\U000e0042",
]  # fmt: skip
STRAY = [
    "\u200b", "\u2060", "Hal\u200blo", "\u202bHallo\u202c", "\u2067Hallo\u2069", "Hal\u200dlo", "Hallo \u00ad Welt",
]  # fmt: skip
MISREAD = [
    "Ã¼ber", "GrÃ¶ÃŸe", "â€žHalloâ€œ", "5 â‚¬", "PamyÅ‚ka", "urzÄ…dzenie", "Ð¿Ñ€Ð¸Ð²ÐµÑ‚", "Î“ÎµÎ¹Î±", "ä½ å¥½",
    "Â«TitreÂ»", "20 Â°C", "Ø§Ù„Ø¹Ø±", "Ãœber", "MÅ¡ka", "ÃšžasnÃ©",
    "Èšara", "ÙŠوم", "Ú©ار", "å›ž", "éš¾", "KoÊ»rib", "Gr??e", "h?ren", "Datei ????", "?asov? ?daj", "锟斤拷",
]  # fmt: skip


@each_row(WITHOUT_LETTERS)
def test_illegible__no_letters(translation):
    """A text with words is not translated by signs, pictures or marks."""
    assert illegible("Delete the file!", translation) == "has no letters"


@pytest.mark.parametrize("translation", FILLED)
def test_illegible__fillers(translation):
    """Invisible characters, and those for unreadable bytes, are not letters in any language."""
    assert illegible("Size", translation) == "has invisible characters"
    assert illegible(translation, translation) != "has invisible characters"


@pytest.mark.parametrize("translation", STRAY)
def test_illegible__stray(translation):
    """Zero-width characters are refused where no script needs them."""
    assert illegible("Hello world", translation, "de") in (
        "has invisible characters where no script needs them",
        "has no letters",
    )


@each_row(MISREAD)
def test_illegible__encoding(translation):
    """Letters from a wrong encoding are distinguished from letters of a language."""
    assert illegible("About the size", translation) == "has letters in a wrong encoding"
    assert illegible(translation, translation) is None


def test_illegible__brackets():
    """Brackets without the word in them are no translation, as a sign is."""
    assert illegible("(Yes)", "()") == "has no letters"


def test_illegible__stacked_marks():
    """A letter under many combining marks is refused."""
    assert illegible("Hello", "H" + "\u0336\u0301" * 8 + "allo") == "has letters under too many combining marks"


@each_row(
    [
        ("Ihr Spaß (“Äpfel”, Straße)", "„Äpfel“ – „Größe“ … „Spaß“", "de"),
        ("In between", "État « indéterminé\u00a0» – café…”", "fr"),
        ("NO, BROTHERS", "NÃO, IRMÃOS", "pt"),
        ("Really?", "Tatsächlich???", "de"),
        ("Delete? All is lost.", "Scroiseadh?Beidh", "ga"),
        ("Are you sure? Press", "确定吗?请按", "zh"),
        ("Awesome!", "Úžasné!", "cs"),
        ("AWESOME", "ÚŽASNÉ", "cs"),
        ("Grin", "Úškrn", "cs"),
        ("Strait", "Úžina", "sk"),
        ("The “garage”", "„Garáž“", "cs"),
        ("Garage…", "Garáž…", "sk"),
        ("Matters", "Áššit ja áššit", "se"),
        ("Village", "kyläššä", "krl"),
        ("5 × 3 °C", "5×3 °C, ½ Å Ø", "da"),
        ("{x} of {y}", "{x}, {y}", "de"),
        ("⟦1⟧ of ⟦2⟧", "⟦1⟧ / ⟦2⟧", "de"),
        ("n/a", "—", "de"),
        (", and ", "、", "ja"),
        ("(C)", "©", "de"),
        ("6 p.m.", "18:00", "fi"),
        ("Half", "50 %", "de"),
        ("Family", "👨\u200d👩\u200d👧 Familie", "de"),
        ("I want", "می\u200cخواهم", "fa"),
        ("Kerala", "മലയാളം\u200d", "ml"),
        ("Print file", "បោះពុម្ព\u200bឯកសារ", "km"),
        ("Size", "\u202bاندازه\u202c", "fa"),
        ("Date", "\u2067%s\u2069", "he"),
        ("Railway companies", "Eisenbahn\u00adgesellschaften", "de"),
        ("Holy scripture", "בְּרֵאשִׁ֖ית בָּרָ֣א", "he"),
        ("Tibetan", "བསྒྲུབས་ཧྥུ", "bo"),
    ]
)
def test_illegible__none(source, translation, to):
    """Letters, signs and marks of any language are accepted."""
    assert illegible(source, translation, to) is None
