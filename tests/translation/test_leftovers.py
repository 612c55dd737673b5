"""The source beside its translation, and words for nothing in its place."""

from stapel_agent.translation.leftovers import leftover
from stapel_agent.translation.plausibility import doubt
from tests.rows import each_row

BESIDE = "is not alone, but has the text beside it"
NOTHING = "is a program's word for a missing text"


@each_row([
    "Änderungen speichern (Save changes)", "Save changes → Änderungen speichern", "Save changes: Änderungen speichern",
    "Save changes / Änderungen speichern", "Änderungen speichern [Save changes]", "Save changes - Änderungen speichern",
    "Save changes\nÄnderungen speichern", "Änderungen speichern — save changes",
    "“Save changes” -> Änderungen speichern",
    "Änderungen speichern\n\n(Save changes.)", "Save changes => „Änderungen speichern“", "Save Changes (Speichern)",
    "保存更改（Save changes）", "Save changes：保存更改", "Сохранить изменения / Save changes",
])  # fmt: skip
def test_leftover(translation):
    """The whole source beside other words, with a sign between, is refused, unless the source is written so."""
    assert doubt("Save changes", translation, "de") == BESIDE
    assert leftover(translation, translation, "de") is None
    assert leftover("Save changes.", translation, "de") == BESIDE


@each_row([
    ("Google Maps", "Google Maps (Karten)"), ("Terms", "Terms (Begriffe)"),
    ("pip-install --user", "pip-install --user: geht"),
    ("app.run call", "app.run call (Aufruf)"), ("Save changes", "Save changes"), ("Save changes", "(save changes)"),
    ("Save changes", "Mit Save changes werden Daten gespeichert"), ("English (English)", "Englisch (English)"),
    ("Open the file (optional)", "Datei öffnen (optional)"), ("Save changes", "Save changes: save, changes"),
])  # fmt: skip
def test_leftover__none(source, translation):
    """A name or code may stand beside an explanation, and a source alone is no translation beside it."""
    assert leftover(source, translation, "de") is None


@each_row([
    "null", "undefined", "None", "TODO", "(untranslated)", "N/A", "NaN", "[TODO]", "nil", "<null>",
    "N.A.", "tbd", "FIXME",
])  # fmt: skip
def test_leftover__nothing(translation):
    """A program's word for a missing text is no translation, unless the source has a word for nothing."""
    for source in ("Delete account", "Cancel", "Запустить проверку"):
        assert doubt(source, translation, "de") == NOTHING, source
    for source in (
        translation,
        "Not applicable",
        "Нет данных",
        "Zero",
        "Nothing here",
        "All",
        "Keine Angabe",
        "該当なし",
    ):
        assert leftover(source, translation, "de") is None, source


@each_row(
    [
        ("Zero", "null", "de"),
        ("All", "Todo", "es"),
        ("Aucun", "None", "en"),
        ("Žádný", "None", "en"),
        ("Indigo", "Nil", "tk"),
    ]
)
def test_leftover__nothing_none(source, translation, to):
    """Words that are written like a word for nothing may be translations."""
    assert leftover(source, translation, to) is None
