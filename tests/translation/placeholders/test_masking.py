"""Placeholders and markup on their way through a model, and everything that can happen to them."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stapel_agent.translation.placeholders.masking import Damaged, Protected
from stapel_agent.translation.plausibility import doubt
from tests.rows import each_row
from tests.translation.catalogues import PAIRS
from tests.translation.masks import MASKS, hidden

unhurried = settings(deadline=None)  # a busy machine must not fail the test

FRAGMENTS = [
    "word", " ", "\n", "\n\n", "\t", ".", ", ", "é", "は", "א", "\u200f", "👋", "'", "''", '"', "12", "%", "|", "#",
    "%s", "%(a)d", "%1$s", "%%", "{name}", "{0}", "{}", "{{x}}", "${x}", "%{x}", ":name", "{", "}", "{{", "%(", "<b>",
    "</b>", "<br>", "<1>", "</1>", '<a href="{x}">', "</a>", "<!-- a -->", "<", ">", "<script>", "</script>", "[",
    "](/a)", "]", "`", "`a`", "```", "https://a.example/b", "a@b.example", "&lt;", "&", "\\n", "\\", "@:a.b",
    "{n, plural, one {", "} other {", "}}", "{g, select, a {", "'{'", "⟦", "⟧", "⟦1⟧", "⟦99⟧", "\ufffc", "\r\n",
]  # fmt: skip
WHOLE = [
    "word ", " ", "\n", ". ", "é", "は", "א", "👋", " %s ", " %(a)d ", " %1$s ", "{name}", "{}", "{{x}}", "${x}",
    "%{x} ", " :name ", "<b>", "</b>", "<br>", '<a href="{x}">', "</a>", "<!-- a -->", "[a](/a)", " `a` ",
    " a@b.example ", " https://a.example/b ", "{n, plural, one {it''s # a} other {<b>b</b> {c}}}", "\\n", "&lt;", "⟦1⟧",
    "'{'",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join)


def in_marks(source, translation):
    """A translation from a faithful model: with marks for what it shares with the source."""
    for number, placeholder in enumerate(hidden(source), 1):
        assert placeholder in translation
        translation = translation.replace(placeholder, f"⟦{number}⟧", 1)
    return translation


@each_row(PAIRS)
def test_restore__catalogues(source, translation):
    """No faithful human translation is refused."""
    protected = Protected(source)
    masked = in_marks(source, translation)
    assert (doubt(protected.masked, masked), protected.restore(masked)) == (None, translation)


@each_row(
    [
        ("%s: file %m", "⟦2⟧ in Datei ⟦1⟧", "%m in Datei %s"),
        ("on %B %d", "am ⟦2⟧. ⟦1⟧", "am %d. %B"),
        ("at %I:%M %p, %A", "⟦4⟧ um ⟦1⟧:⟦2⟧ ⟦3⟧", "%A um %I:%M %p"),
    ]
)
def test_restore__no_arguments(source, masked, restored):
    """The directives of a date, and `%m`, have no argument of their own, so their order is free."""
    assert Protected(source).restore(masked) == restored


DAMAGED = [
    ("Hi %s", "Hallo", "lost ⟦1⟧"),
    ("%s %s %s %s %s %s %s a", "a", "lost ⟦1⟧, ⟦2⟧, ⟦3⟧, ⟦4⟧, ⟦5⟧ and 2 more"),
    ("%s %s %s %s %s a", "a", "lost ⟦1⟧, ⟦2⟧, ⟦3⟧, ⟦4⟧, ⟦5⟧"),
    ("{a} and {b}", "⟦1⟧ ⟦1⟧", "lost ⟦2⟧"),
    ("Hi {a} and {b}", "⟦1⟧ ⟦1⟧ ⟦2⟧", "has ⟦1⟧ more than once"),
    ("Hi {a}", "⟦1⟧ ⟦2⟧", "has ⟦2⟧, which is not in the text"),
    ("%s of %d", "⟦2⟧ von ⟦1⟧", "has ⟦1⟧, ⟦2⟧ in another order"),
    ("{} of {}", "⟦2⟧ von ⟦1⟧", "has ⟦1⟧, ⟦2⟧ in another order"),
    ("%d of %<PRIu64>", "⟦2⟧ von ⟦1⟧", "has ⟦1⟧, ⟦2⟧ in another order"),
    ("%d: file %s: %m", "⟦2⟧: ⟦1⟧: ⟦3⟧", "has ⟦1⟧, ⟦2⟧ in another order"),
    ("%s said on %B %d", "am ⟦3⟧. ⟦2⟧ sagte ⟦1⟧", "has ⟦1⟧, ⟦2⟧, ⟦3⟧ in another order"),
    ("a <b>b</b>", "⟦2⟧a⟦1⟧", "has ⟦2⟧ where it does not close anything"),
    ("<i>a</i> <b>b</b>", "⟦1⟧⟦3⟧a⟦2⟧⟦4⟧", "has ⟦2⟧ where it does not close anything"),
    ("&lt;b&gt;a&lt;/b> c", "⟦2⟧a⟦1⟧ c", "has ⟦2⟧ where it does not close anything"),
    ("[a](/b) c", "⟦2⟧a⟦1⟧ c", "has ⟦2⟧ where it does not close anything"),
    ("a\nb", "a b", "has 0 line breaks in place of 1"),
    ("a b", "a\nb", "has 1 line breaks in place of 0"),
    ("a", "<b>a</b>", "has a placeholder, markup or an address that the text does not have"),
    ("a", "a %s", "has a placeholder, markup or an address that the text does not have"),
    ("a", "a {x}", "has a placeholder, markup or an address that the text does not have"),
    ("a", "a https://a.example", "has a placeholder, markup or an address that the text does not have"),
    ("a", "a javascript:alert(1)", "has a placeholder, markup or an address that the text does not have"),
    ("a", "a <script>alert(1)", "has a placeholder, markup or an address that the text does not have"),
    ("a", "a &lt;b&gt;", "has a placeholder, markup or an address that the text does not have"),
    ("a", "a <!-- and all that follows", "has a placeholder, markup or an address that the text does not have"),
    ("a", "a [b](c)", "has a placeholder, markup or an address that the text does not have"),
    ("a", "a \\n b", "has a placeholder, markup or an address that the text does not have"),
    ("a", "a ⟦", "has a placeholder, markup or an address that the text does not have"),
    ("a", f"⟦{'1' * 1_000_000}⟧", "has a placeholder, markup or an address that the text does not have"),
    ("a", "⟦9999999⟧", "has ⟦9999999⟧, which is not in the text"),
    ("a", "<img src=x onerror=alert(1) //", "has '<', which the text does not have"),
    ("a {n}", "a} ⟦1⟧", "has '}', which the text does not have"),
    ("%d percent", "⟦1⟧ %", "has a percent sign that could be read as a placeholder"),
    ("{n, plural, one {a} other {b}}", "⟦1⟧a⟦3⟧b⟦2⟧", "does not keep the structure of the ICU message"),
    ("{n, plural, one {a} other {b}}", "⟦1⟧a⟦2⟧b", "lost ⟦3⟧"),
    ("{n, plural, one {a} other {b}}", "⟦1⟧a b⟦2⟧⟦3⟧", "has a branch without its text"),
    ("{n, plural, one {# a} other {# b}}", "⟦1⟧a⟦3⟧⟦2⟧⟦4⟧b⟦5⟧", "does not keep the structure of the ICU message"),
    ("{n, plural, other {a}}", "⟦1⟧# a⟦2⟧", "does not keep the structure of the ICU message"),
    ("{n, plural, one {<b>a</b>} other {b}}", "⟦1⟧a⟦4⟧⟦2⟧⟦3⟧b⟦5⟧", "does not keep the structure of the ICU message"),
    ("{n, plural, one {%s a} other {b}}", "⟦1⟧a⟦3⟧⟦2⟧ b⟦4⟧", "does not keep the structure of the ICU message"),
]


@each_row(DAMAGED)
def test_restore__damaged(source, translation, remark):
    """A translation that lost, moved or added protected text is refused. The remark describes it in marks."""
    with pytest.raises(Damaged) as damage:
        Protected(source).restore(translation)
    assert str(damage.value) == remark


ALLOWED = [
    ("{a} and {b}", "⟦2⟧ und ⟦1⟧", "{b} und {a}"),
    ("%1$s and %2$s", "⟦2⟧ und ⟦1⟧", "%2$s und %1$s"),
    ("%(a)s and %(b)s", "⟦2⟧ und ⟦1⟧", "%(b)s und %(a)s"),
    ("<i>a</i> <b>b</b>", "⟦3⟧b⟦4⟧ ⟦1⟧a⟦2⟧", "<b>b</b> <i>a</i>"),
    ("{a}, {a} and {a}", "⟦1⟧ ⟦1⟧ ⟦3⟧", "{a} {a} {a}"),
    ("<b>a<br>b</b>", "⟦1⟧ab⟦3⟧⟦2⟧", "<b>ab</b><br>"),
    ("<b>a</b> <b>b</b>", "⟦3⟧b⟦2⟧ ⟦1⟧a⟦4⟧", "<b>b</b> <b>a</b>"),
    (
        "{n, plural, one {<b>a</b>} other {<b>b</b>}}",
        "⟦1⟧⟦2⟧a⟦3⟧⟦4⟧⟦2⟧b⟦3⟧⟦7⟧",
        "{n, plural, one {<b>a</b>} other {<b>b</b>}}",
    ),
    ("Hi {a}", "Hallo ⟦ 1 ⟧", "Hallo {a}"),
    ("Hi {a}", "مرحبا ⟦١⟧", "مرحبا {a}"),
    ("a \r\n\r\n  b", "c\nd", "c \r\n\r\n  d"),
    ("{g, select, other {a}} b {c}", "⟦3⟧ b ⟦1⟧a⟦2⟧", "{c} b {g, select, other {a}}"),
    ("{n, plural, other {of {a}}}", "⟦1⟧d'⟦2⟧⟦3⟧", "{n, plural, other {d’{a}}}"),
    ("{n, plural, other {of # a}}", "⟦1⟧d'⟦2⟧ a⟦3⟧", "{n, plural, other {d’# a}}"),
    ("{n, plural, other {the <b>a</b>}}", "⟦1⟧l'⟦2⟧a⟦3⟧⟦4⟧", "{n, plural, other {l’<b>a</b>}}"),
    ("{n, plural, other {of {a}}}", "⟦1⟧l''a d''⟦2⟧⟦3⟧", "{n, plural, other {l''a d''{a}}}"),
]


@each_row(ALLOWED)
def test_restore__moved(source, translation, restored):
    """Named parts may move, breaks are as in the source, and an apostrophe before ICU syntax cannot quote it."""
    assert Protected(source).restore(translation) == restored


def test_in_full__cut():
    """A remark shows what a mark stands for, but only the beginning of a long text."""
    protected = Protected(f"<b>a</b> `{'x' * 400}`")
    assert protected.in_full("lost ⟦1⟧, ⟦3⟧, ⟦4⟧") == f"lost '<b>', '`{'x' * 79}', '⟦4⟧'"


@unhurried
@given(TEXTS)
def test_restore__identity(source):
    """An answer that equals the question gives the source, for any text."""
    protected = Protected(source)
    assert protected.restore(protected.masked) == source


@unhurried
@given(st.lists(st.sampled_from(WHOLE), max_size=25).map("".join))
def test_restore__upper_case(source):
    """A translation that changes the case of every letter changes nothing that is hidden."""
    protected = Protected(source)
    assert hidden(protected.restore(protected.masked.upper())) == hidden(source)


@unhurried
@given(st.sampled_from(MASKS), st.randoms(use_true_random=False))
def test_restore__shuffled(pair, random):
    """Marks in any order and number are restored completely or refused: each hidden part once."""
    source, _ = pair
    protected = Protected(source)
    marks = [f"⟦{number}⟧" for number, _ in enumerate(hidden(source), 1)]
    shuffled = random.choices(marks, k=len(marks)) if marks else []
    try:
        restored = protected.restore(" ".join([*shuffled, "x"]))
    except Damaged:
        return
    assert Counter(hidden(restored)) == Counter(hidden(source))
