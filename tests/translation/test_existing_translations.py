"""Existing translations by people: which differences from their sources are right, and which are wrong."""

from stapel_agent.translation import Entry, Review, review
from tests.rows import each_row

ADDED = "{ $n ->\n    [one] Fichier manquant : { $n }\n   *[other] Fichiers manquants : { $n }\n}"
DECKS = "{ $n ->\n    [one] { $n } deck updated\n   *[other] { $n } decks updated\n}"

RIGHT = [
    # Blanks inside of braces, where the format ignores them
    ("{$n} cards learnt", "{ $n } Karten gelernt", "de", "fluent"),
    ("Set {number}", "Satz {number }", "de", "icu"),
    ("Hello {{name}}!", "Hallo {{ name }}!", "de", "i18next"),
    ("Hello {{ name }}!", "Hallo {{name}}!", "de", ""),
    # Options and parameters by which a language formats a value or declines a term, and literal blanks
    ("{ NUMBER($n) } files in { -brand }", '{ $n } Dateien in { -brand(case: "dativ") }', "de", "fluent"),
    ("{ $n } files", "{ NUMBER($n, minimumFractionDigits: 1) } Dateien", "de", "fluent"),
    ("{ $n } files", '{ "" }{ $n }{ "\\u00A0" }Dateien', "de", "fluent"),
    ("Hello $NAME$!", "Hallo $name$!", "de", "chrome"),
    # Plural forms that a language needs and the source's does not, and the other way round
    ("Missing files: { $n }", ADDED, "fr", "fluent"),
    ("Missing files: { $n }", ADDED.replace(" : { $n }\n   *", "\n   *").replace("fr", "de"), "de", "fluent"),
    (DECKS, "덱 { $n }개를 업데이트했습니다", "ko", "fluent"),
    ("{n, plural, one {# deck of {x}} other {# decks of {x}}}", "{x}的{n}个牌组", "zh", "icu"),
    ("Your {n, selectordinal, one {#st} other {#th}} order", "Ihre {n}. Bestellung", "de", "icu"),
    # Placeholders and messages that programs fill in themselves, in file types with others
    ("Block {{input}} kB of {name}", "{{ input }} kB von {name} blockieren", "de", "chrome"),
    (
        "{n, plural, one {# app of %s} other {# apps of %s}}",
        "{n, plural, one {# App von %s} other {# Apps von %s}}",
        "de",
        "android",
    ),
    ("{n, plural, one {# topic} other {# topics}}", "{n, plural, one {# Thema} other {# Themen}}", "de", "rails"),
    # Percent signs of other scripts
    ("%1$d%% of %2$d", "%1$d٪ من %2$d", "ar", "android"),
    # Text in code's quotation marks, as GNU programs write them
    ("only in a `for', `while', or `until' loop", "nur in einer »for«-, »while«- oder »until«-Schleife", "de", ""),
    ("`--a'/`--b' overrides `--c'", "»--a«/»--b« hat Vorrang vor »--c«", "de", ""),
    ("no topic `%s'.  Try `man -k %s'.", "kein Thema »%s«. Siehe »man -k %s«.", "de", "printf"),
    # A line that no longer begins like syntax, and a word before the source's equals sign
    (".zip files are very old", "Los archivos .zip son viejos", "es", "fluent"),
    ("times of this list: next=%s", 'Die "Zeiten" dieser Liste: next=%s', "de", "printf"),
    ("no = sign in '%s'", "в '%s' отсутствует знак =", "ru", "printf"),
    # In markup, the same character with a reference
    ("&lt;not set>", "&lt;nie ustawiono&gt;", "pl", "android"),
    ("5 &lt; 6 and 7 > 6", "5 &lt; 6 und 7 &gt; 6", "de", ""),
    # Patterns of dates and prices
    ("%B %d, %Y", "%A, %e de %B de %Y", "es", ""),
    ("%u%n", "%n %u", "de", ""),
]
WRONG = [
    ("{ NUMBER($n) } files in { -brand }", "{ $n } Dateien in { -other }", "de", "fluent"),
    ("{ NUMBER($n) } files", "{ NUMBER($m) } Dateien", "de", "fluent"),
    ("{ $n } files", '{ $n } Dateien { "x" }', "de", "fluent"),
    ("Hello $NAME$!", "Hallo $names$!", "de", "chrome"),
    ("7 is > 6", "7 ist &gt; 6", "de", ""),
    ("5 &lt; 6 and more", "5 &lt; 6 und &gt; mehr", "de", ""),
    ("{$n} cards learnt", "{ $m } Karten gelernt", "de", "fluent"),
    ("Hello {name}!", "Hallo { name }!", "de", "python-brace"),
    ("Missing files: { $n }", ADDED, "ru", "fluent"),
    ("Missing files: { $n }", ADDED.replace("$n ->", "$m ->"), "fr", "fluent"),
    ("Missing files: { $n }", ADDED.replace("{ $n }\n}", "\n}"), "fr", "fluent"),
    ("Missing files: { $n }", f"{ADDED} {ADDED}", "fr", "fluent"),
    (DECKS, "덱을 업데이트했습니다", "ko", "fluent"),
    (DECKS, "{ $n } Decks aktualisiert", "de", "fluent"),
    ("{n, plural, one {# deck of {x}} other {# decks of {x}}}", "{n}个牌组", "zh", "icu"),
    ("{n, plural, =0 {No decks} other {# decks}}", "{n}个牌组", "zh", "icu"),
    ("{who, select, male {his deck} other {their deck}}", "牌组", "zh", "icu"),
    ("Block {{input}} kB of {name}", "{{ input }} kB von {Name} blockieren", "de", "chrome"),
    ("Hello {name}", "Hallo {Name}", "de", "apple"),
    (
        "{n, plural, one {# app of %s} other {# apps of %s}}",
        "{n, plural, one {# App} other {# Apps von %s}}",
        "de",
        "android",
    ),
    ("{n, plural, one {# topic} other {# topics}}", "{n, plural, andere {# Themen}}", "de", "rails"),
    ("%1$d%% of %2$d", "%1$d من %2$d", "ar", "android"),
    ("run `it's` then `f('')`", "führe `it's` und »f('')« aus", "de", ""),
    ("old files are here", "[alte] Dateien sind hier", "de", "fluent"),
    ("times of this list: next=%s", 'Die "Zeiten" last=x next=%s', "de", "printf"),
    ("%B %d, %Y", "%d. %B", "de", ""),
    ("%u%n", "%n", "de", ""),
]


@each_row(RIGHT)
def test_review__none(source, translation, to, format):
    """What the format or the language allows is accepted."""
    assert review(Entry(source, format=format), translation, "en", to).fault == ""


@each_row(WRONG)
def test_review(source, translation, to, format):
    """What looks similar and means something else is refused."""
    assert review(Entry(source, format=format), translation, "en", to).fault


@each_row(
    [
        ("One line\nAnother line", "Eine Zeile und noch eine Zeile", Review(doubt="has 0 line breaks in place of 1")),
        ("One line of %s", "Eine\nZeile von\n%s", Review(doubt="has 2 line breaks in place of 0")),
        ("One line\nof %s", "Eine Zeile", Review(fault="lost '%s'")),
        (r"One line\nAnother line", "Eine und noch eine", Review(doubt="has 0 line breaks in place of 1")),
        ("One line\nAnother line", "Eine Zeile\nNoch eine Zeile", Review()),
    ]
)
def test_review__line_breaks(source, translation, expected):
    """A person may wrap the lines in other places. That is worth a look, but no fault."""
    assert review(Entry(source), translation, "en", "de") == expected
