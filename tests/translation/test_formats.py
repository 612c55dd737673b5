"""Formats of texts: what each one hides, and what a translation may not do to it."""

import json

import pytest

from stapel_agent.schemas import function_schema
from stapel_agent.translation.formats import FORMATS, NOTATIONS
from stapel_agent.translation.protection import Damaged, Protected
from stapel_agent.types import TEXT_FORMATS
from tests.documents import table
from tests.translation.test_placeholders import SIGNS

HIDDEN = [
    ("icu", "Hi {name}, '{'x'}' {n, number}", "Hi ⟦1⟧, ⟦2⟧x⟦3⟧ ⟦4⟧"),
    ("icu", "50%d {x", "50%d {x"),
    ("i18next", "{{name}} $t(ok) __brand__ {x} %s", "⟦1⟧ ⟦2⟧ ⟦3⟧ {x} %s"),
    ("i18next", "{{- name}} {{when, date}}", "⟦1⟧ ⟦2⟧"),
    ("python", "%(a)s %d %% {x} 5% off", "⟦1⟧ ⟦2⟧ ⟦3⟧ {x} 5⟦4⟧ff"),
    ("python-brace", "{a} {0!r:>{w}} {{b}} %s", "⟦1⟧ ⟦2⟧ ⟦3⟧b⟦4⟧ %s"),
    ("printf", "%1$s %*d %'d %<PRIuMAX> %.3f %m {x}", "⟦1⟧ ⟦2⟧ ⟦3⟧ ⟦4⟧ ⟦5⟧ ⟦6⟧ {x}"),
    ("qt", "%1 of %L2, %n %s", "⟦1⟧ of ⟦2⟧, ⟦3⟧ %s"),
    ("kde", "<filename>%1</filename> %10", "⟦1⟧⟦2⟧⟦3⟧ ⟦4⟧"),
    ("fluent", 'Hi { $name } { -brand } { NUMBER($n, d: "}") }', "Hi ⟦1⟧ ⟦2⟧ ⟦3⟧"),
    ("fluent", "{ $n ->\n [one] A file\n *[other] { $n } files\n}", "⟦1⟧⟦2⟧A file⟦3⟧⟦4⟧ files⟦5⟧"),
    ("android", '%1$s <xliff:g id="x">%2$s</xliff:g> a\\nb', "⟦1⟧ ⟦2⟧ a⟦3⟧b"),
    ("apple", "%@ %1$@ %lld %#@files@ %arg", "⟦1⟧ ⟦2⟧ ⟦3⟧ ⟦4⟧ ⟦5⟧"),
    ("rails", "%{name} %<price>.2f 5% off", "⟦1⟧ ⟦2⟧ 5% off"),
    ("php", ":name %s %user% [1,19] few|{0} none", "⟦1⟧ ⟦2⟧ ⟦3⟧ ⟦4⟧ few|⟦5⟧ none"),
    ("vue-i18n", "{name} @:a.b {'@'} %s", "⟦1⟧ ⟦2⟧ ⟦3⟧ %s"),
    ("angular", "{{ name | upper }} {n}", "⟦1⟧ ⟦2⟧"),
    ("drupal", "@count %name !link :url", "⟦1⟧ ⟦2⟧ ⟦3⟧ ⟦4⟧"),
    ("shell", "$HOME ${x} $(date) $1 {y}", "⟦1⟧ ⟦2⟧ ⟦3⟧ ⟦4⟧ {y}"),
    ("ejs", "<%= name %> ${x} <%- y %>", "⟦1⟧ ⟦2⟧ ⟦3⟧"),
    ("chrome", "$NAME$ $1 $$5", "⟦1⟧ ⟦2⟧ ⟦3⟧5"),
    ("none", "%s {x} <b>a</b> https://a.example", "%s {x} ⟦1⟧a⟦2⟧ ⟦3⟧"),
    ("", "__companyName__ 0%o <%= a %> {$b} $c $NAME$ @d !edit %total *|F|* [[g]]", None),
    ("", "%1 of %2, $1", None),
]


@pytest.mark.parametrize(("format", "source", "masked"), HIDDEN)
def test_masked(format, source, masked):
    """A format hides its own placeholders and markup; what comes back as it was sent is the source."""
    protected = Protected(source, format)
    if masked is not None:
        assert protected.masked == masked
    else:
        assert not any(sign in protected.masked for sign in "_%$@![{")
    assert protected.restore(protected.masked) == source


@pytest.mark.parametrize("source", ["Save 50% now", "It costs $5", "%50 off", "C# and A&B", "wow! So"])
def test_masked__prose(source):
    """Without a format, percentages, prices and signs in prose are no placeholders."""
    assert Protected(source).masked == source


REFUSED = [
    ("icu", "Hi {name}", "Hallo ⟦1⟧ {x}"),
    ("icu", "{n, plural, one {a} other {b}}", "⟦1⟧a⟦2⟧b"),
    ("python", "%s of %d", "⟦2⟧ of ⟦1⟧"),
    ("python", "%s percent", "⟦1⟧ % of"),
    ("python-brace", "Hi {name}", "Hallo ⟦1⟧ }"),
    ("qt", "%1 items", "⟦1⟧0 Dinge"),
    ("fluent", "{ $n -> [one] A *[other] B }", "⟦1⟧⟦3⟧A⟦2⟧B⟦4⟧"),
    ("vue-i18n", "one | two", "eins | zwei | drei"),
    ("php", "one|two", "eins|zwei|drei"),
    ("chrome", "Hi $NAME$", "Hallo ⟦1⟧ $NOM$"),
]


@pytest.mark.parametrize(("format", "source", "translation"), REFUSED)
def test_restore__refused(format, source, translation):
    """A translation that its format would read otherwise is refused."""
    with pytest.raises(Damaged):
        Protected(source, format).restore(translation)


@pytest.mark.parametrize(
    ("format", "source", "translation", "restored"),
    [
        ("icu", "Welcome to {hotel}", "Bienvenue à l'⟦1⟧", "Bienvenue à l''{hotel}"),
        ("", "Welcome to {hotel}", "Bienvenue à l'⟦1⟧", "Bienvenue à l’{hotel}"),
        ("python-brace", "Welcome to {hotel}", "Bienvenue à l'⟦1⟧", "Bienvenue à l'{hotel}"),
        ("android", "Use %s", "N'utilisez que ⟦1⟧", "N\\'utilisez que %s"),
        ("qt", "%1 of %2", "⟦2⟧ von ⟦1⟧", "%2 von %1"),
        ("chrome", "$A$ of $B$", "⟦2⟧ von ⟦1⟧", "$B$ von $A$"),
    ],
)
def test_restore__written_so(format, source, translation, restored):
    """Apostrophes are written as the format reads them, and named or numbered placeholders may move."""
    assert Protected(source, format).restore(translation) == restored


def test_formats__same_everywhere():
    """The table, the schema of the call and of an entry, the setting and the document name the same formats."""
    named = tuple(filter(None, FORMATS))
    schema = function_schema("llm.translate")["properties"]
    entry = schema["entries"]["additionalProperties"]["oneOf"][1]["properties"]
    assert named == TEXT_FORMATS == tuple(filter(None, schema["format"]["enum"]))
    assert named == tuple(filter(None, entry["format"]["enum"]))
    rows = json.dumps(table("docs/translation.md", "formats"))
    assert all(f"`{name}`" in rows for name in named)
    assert all(notation in NOTATIONS for format in FORMATS.values() for notation in format.notations)


@pytest.mark.parametrize("format", FORMATS)
def test_masked__linear(format):
    """However often a sign is repeated, every format comes to an end, and gives the text back."""
    for sign in SIGNS:
        protected = Protected(sign * (20_000 // len(sign)), format)
        assert protected.restore(protected.masked) == protected.source
