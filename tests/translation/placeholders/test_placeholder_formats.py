"""The formats of texts: what each one hides, and which changes it refuses."""

import json

import pytest

from stapel_agent.schemas import function_schema
from stapel_agent.translation.placeholders.masking import Damaged, Protected
from stapel_agent.translation.placeholders.placeholder_formats import FORMATS, NOTATIONS
from stapel_agent.types import TEXT_FORMATS
from tests.documents import table
from tests.rows import each_row
from tests.steps import grows_linearly
from tests.translation.placeholders.test_protected_spans import SIGNS

HIDDEN = [
    ("icu", "Hi {name}, '{'x'}' {n, number}", "Hi ⟦1⟧, ⟦2⟧x⟦3⟧ ⟦4⟧"),
    ("icu", "50%d {x", "50%d {x"),
    ("java", "It''s {0} of {1,number}, '{'x'}'", "It''s ⟦1⟧ of ⟦2⟧, ⟦3⟧x⟦4⟧"),
    *[(name, "It's {0,choice,0#no|1<all {0} of it} {1}", "It's ⟦1⟧ ⟦2⟧") for name in ("icu", "java", "")],
    ("i18next", "{{name}} $t(ok) __brand__ {x} %s", "⟦1⟧ ⟦2⟧ ⟦3⟧ {x} %s"),
    ("i18next", "%{{percent}} kullanıldı, ${x}", "%⟦1⟧ kullanıldı, ⟦2⟧"),
    ("i18next", "{{- name}} {{when, date}}", "⟦1⟧ ⟦2⟧"),
    ("i18next", '$t(a, { "b": "$t(c)" }) $t(d)', "⟦1⟧ ⟦2⟧"),
    ("python", "%(a)s %d %% {x} 5% off", "⟦1⟧ ⟦2⟧ ⟦3⟧ {x} 5⟦4⟧ff"),
    ("python-brace", "{a} {0!r:>{w}} {{b}} %s", "⟦1⟧ ⟦2⟧ ⟦3⟧b⟦4⟧ %s"),
    ("printf", "%1$s %*d %'d %<PRIuMAX> %.3f %m {x}", "⟦1⟧ ⟦2⟧ ⟦3⟧ ⟦4⟧ ⟦5⟧ ⟦6⟧ {x}"),
    ("qt", "%1 of %L2, %n %s", "⟦1⟧ of ⟦2⟧, ⟦3⟧ %s"),
    ("kde", "<filename>%1</filename> %10", "⟦1⟧⟦2⟧⟦3⟧ ⟦4⟧"),
    ("fluent", 'Hi { $name } { -brand } { NUMBER($n, d: "}") }', "Hi ⟦1⟧ ⟦2⟧ ⟦3⟧"),
    ("fluent", "{ $n ->\n [one] A file\n *[other] { $n } files\n}", "⟦1⟧⟦2⟧A file⟦3⟧⟦4⟧ files⟦5⟧"),
    ("android", '%1$s <xliff:g id="x">%2$s</xliff:g> a\\nb', "⟦1⟧ ⟦2⟧ a⟦3⟧b"),
    ("android", "%,d %1$,d %(,.2f %b %<s %1$tB %-10s %h%n%1$tHh", "⟦1⟧ ⟦2⟧ ⟦3⟧ ⟦4⟧ ⟦5⟧ ⟦6⟧ ⟦7⟧ ⟦8⟧⟦9⟧⟦10⟧h"),
    ("android", "50%, dann 20%(brutto), 5 % (3 d), 10%<b>off</b>", "50%, dann 20%(brutto), 5 % (3 d), 10%⟦1⟧off⟦2⟧"),
    ("apple", "Start ${applicationName}, %d", "Start ⟦1⟧, ⟦2⟧"),
    ("", "%,d of %1$,d, %,.2f, 20%, dann 20%,d", "⟦1⟧ of ⟦2⟧, ⟦3⟧, 20%, dann 20%,d"),
    ("apple", "%@ %1$@ %lld %#@files@ %arg", "⟦1⟧ ⟦2⟧ ⟦3⟧ ⟦4⟧ ⟦5⟧"),
    ("printf", "Save 20% on all plans, % d", "Save 20⟦1⟧n all plans, ⟦2⟧"),
    ("printf", "Save 20% on all plans", "Save 20% on all plans"),
    ("python", "Save 20% on all plans", "Save 20% on all plans"),
    ("php", "20% discount for :name", "20% discount for ⟦1⟧"),
    ("android", "100% charged, 5 % less - 20% - only a 5% a", "100% charged, 5 % less - 20% - only a 5% a"),
    ("android", "% d items, 20% d items", "⟦1⟧ items, 20⟦2⟧ items"),
    ("android", "100% free for % d days", "100⟦1⟧ree for ⟦2⟧ days"),
    ("android", "<b>20%</b> and 5%d of 100%% of", "⟦1⟧20%⟦2⟧ and 5⟦3⟧ of 100⟦4⟧ of"),
    ("apple", "Save 20% on all plans\\n", "Save 20% on all plans⟦1⟧"),
    ("apple", "20% discount for %@, % ld left", "20⟦1⟧iscount for ⟦2⟧, ⟦3⟧ left"),
    ("rails", "%{name} %<price>.2f 5% off", "⟦1⟧ ⟦2⟧ 5% off"),
    ("php", ":name %s %user% [1,19] few|{0} none", "⟦1⟧ ⟦2⟧ ⟦3⟧ ⟦4⟧ few|⟦5⟧ none"),
    ("php", "]-Inf,0[ few|[1,5] :a|]5,Inf] many", "⟦1⟧ few|⟦2⟧ ⟦3⟧|⟦4⟧ many"),
    ("php", "%d%% %s%s %dx%d %sread it%s %b.c%", "⟦1⟧⟦2⟧ ⟦3⟧⟦4⟧ ⟦5⟧x⟦6⟧ ⟦7⟧read it⟦8⟧ ⟦9⟧"),
    ("vue-i18n", "{name} @:a.b {'@'} %s", "⟦1⟧ ⟦2⟧ ⟦3⟧ %s"),
    ("vue-i18n", "{'{'}a{'}'} @:{'b c'} @.camelCase:(d)", "⟦1⟧a⟦2⟧ ⟦3⟧ ⟦4⟧"),
    ("angular", "{{ name | upper }} {n}", "⟦1⟧ ⟦2⟧"),
    ("angular", "{n, plural, =0 {none} other {{{ n | number }} files}}", "⟦1⟧none⟦2⟧⟦3⟧ files⟦4⟧"),
    ("drupal", "@count %name !link :url", "⟦1⟧ ⟦2⟧ ⟦3⟧ ⟦4⟧"),
    ("shell", "$HOME ${x} $(date) $1 {y}", "⟦1⟧ ⟦2⟧ ⟦3⟧ ⟦4⟧ {y}"),
    ("ejs", "<%= name %> ${x} <%- y %>", "⟦1⟧ ⟦2⟧ ⟦3⟧"),
    ("chrome", "$NAME$ $1 $$5", "⟦1⟧ ⟦2⟧ ⟦3⟧5"),
    ("none", "%s {x} <b>a</b> https://a.example", "%s {x} ⟦1⟧a⟦2⟧ ⟦3⟧"),
    ("", "__companyName__ 0%o <%= a %> {$b} $c $NAME$ @d !edit %total *|F|* [[g]]", None),
    ("", "%1 of %2, $1", None),
]


@each_row(HIDDEN)
def test_masked(format, source, masked):
    """A format hides its own placeholders and markup. An answer that equals the question gives the source."""
    protected = Protected(source, format)
    if masked is not None:
        assert protected.masked == masked
    else:
        assert not any(sign in protected.masked for sign in "_%$@![{")
    assert protected.restore(protected.masked) == source


PROSE = [
    "Save 50% now",
    "It costs $5",
    "%50 off",
    "C# and A&B",
    "wow! So",
    "From $1 million to $2 million",
    "$1 млн",
    "$1 миллион",
    "$1 мільярд",
    "$1 miljoen",
    "$1 millones",
    "$1万",
]


@pytest.mark.parametrize("source", PROSE)
def test_masked__prose(source):
    """Without a format, percentages, prices and signs in prose are not placeholders."""
    assert Protected(source).masked == source


REFUSED = [
    ("icu", "Hi {name}", "Hallo ⟦1⟧ {x}"),
    ("icu", "{n, plural, one {a} other {b}}", "⟦1⟧a⟦2⟧b"),
    ("java", "Hi {0}", "Hallo ⟦1⟧ {1}"),
    ("java", "The 'user' {0}", "L'élu ⟦1⟧"),
    ("java", "Don't ask {0} ''now''", "L'⟦1⟧"),
    ("i18next", "{{a}} of $t(b)", "⟦1⟧ von"),
    ("i18next", "{{a}} left", "⟦1⟧ ok $t(b)"),
    ("python", "%s of %d", "⟦2⟧ of ⟦1⟧"),
    ("python", "%s percent", "⟦1⟧ % of"),
    ("python", "%(a)s left", "⟦1⟧ %(b)s"),
    ("python-brace", "Hi {name}", "Hallo ⟦1⟧ }"),
    ("python-brace", "{} of {}", "⟦2⟧ of ⟦1⟧"),
    ("printf", "%s of %d", "⟦2⟧ von ⟦1⟧"),
    ("printf", "%d percent", "⟦1⟧ %"),
    ("printf", "%l left", "%ld"),
    ("qt", "%1 items", "⟦1⟧0 Dinge"),
    ("kde", "%1 items", "⟦1⟧5 Dinge"),
    ("fluent", "{ $n -> [one] A *[other] B }", "⟦1⟧⟦3⟧A⟦2⟧B⟦4⟧"),
    ("fluent", "One\n{ $a }, two", "Eins\n[⟦1⟧], zwei"),
    ("android", "%d of %s", "⟦2⟧ von ⟦1⟧"),
    ("android", "%d percent", "⟦1⟧ %"),
    ("android", "On %1$tB %<te, %2$s", "Am ⟦1⟧, ⟦3⟧ ⟦2⟧"),
    ("android", "On %tB %<te", "Am ⟦2⟧. ⟦1⟧"),
    ("apple", "%@ of %lld", "⟦2⟧ von ⟦1⟧"),
    ("apple", "%@ left", "⟦1⟧ %d"),
    ("apple", "%@ left of 20 percent", "⟦1⟧ von 20% über"),
    ("android", "Save 20% on all plans", "Mit allen Tarifen % d sparen"),
    ("android", "Save 20% on all plans", "Mit %s 20% sparen"),
    ("rails", "%{a} left", "⟦1⟧ %{b}"),
    ("php", "one|two", "eins|zwei|drei"),
    ("php", "one|:count files", "⟦1⟧ Datei|Dateien"),
    ("php", ":name left", "⟦1⟧s :rest"),
    ("vue-i18n", "one | two", "eins | zwei | drei"),
    ("vue-i18n", "one of {a} | {n} of {a}", "eine von ⟦2⟧ | ⟦1⟧ von ⟦3⟧"),
    ("vue-i18n", "{a} left", "⟦1⟧ {b}"),
    ("vue-i18n", "See @:a.b now", "Siehe ⟦1⟧ @:c"),
    ("vue-i18n", "See @:a.b now", "⟦1⟧n ansehen"),
    ("vue-i18n", "{'{'}a{'}'} left", "⟦1⟧b }"),
    ("angular", "{{ a }} of {n, plural, one {b} other {c}}", "⟦2⟧b⟦1⟧⟦3⟧c⟦4⟧"),
    ("drupal", "@a left", "⟦1⟧ %b"),
    ("shell", "$A left", "⟦1⟧ $(b)"),
    ("shell", "$A left", "⟦1⟧s"),
    ("ejs", "<%= a %> left", "⟦1⟧ <%= b %>"),
    ("chrome", "Hi $NAME$", "Hallo ⟦1⟧ $NOM$"),
    ("none", "a <b>b</b>", "⟦2⟧a⟦1⟧"),
    ("", "Hi [name]", "Hallo ⟦1⟧ {x}"),
    ("", "$1 of $2 million", "⟦2⟧ Millionen"),
    ("", "Raise $1 million", "$1 juta untuk $2"),
    ("qt", "<b>&Filter</b>", "⟦1⟧Fi&lter⟦2⟧"),
    ("", "{0}% complete", "%⟦1⟧ %{x} tamam"),
    ("", "{0}% complete", "%⟦1⟧ %s tamam"),
    ("", "{0} percent complete", "%⟦1⟧ tamam"),
    ("", "{0}% of %{b}", "%⟦1⟧ von ⟦2⟧"),
    ("", "{0}% complete", "%⟦1⟧ %⟦1⟧ tamam"),
    ("ejs", "<%= a %>% of {{b}}", "% von ⟦1⟧ $⟦2⟧"),
    ("rails", "%{a}% off", "%⟦1⟧ indirim"),
]


@each_row(REFUSED)
def test_restore__refused(format, source, translation):
    """A translation that its format would read differently is refused."""
    with pytest.raises(Damaged):
        Protected(source, format).restore(translation)


REORDERED = [
    ("icu", "{a} of {b}", "{b} von {a}"),
    ("java", "{0} of {1}", "{1} von {0}"),
    ("i18next", "{{a}} of $t(b)", "$t(b) von {{a}}"),
    ("python", "%(a)s of %(b)s", "%(b)s von %(a)s"),
    ("python-brace", "{a} of {0}", "{0} von {a}"),
    ("printf", "%1$s of %2$d", "%2$d von %1$s"),
    ("qt", "%1 of %2", "%2 von %1"),
    ("kde", "%1 of %2", "%2 von %1"),
    ("fluent", "{ $a } of { -b }", "{ -b } von { $a }"),
    ("android", "%1$s of %2$s", "%2$s von %1$s"),
    ("apple", "%1$@ of %2$@", "%2$@ von %1$@"),
    ("rails", "%{a} of %<b>d", "%<b>d von %{a}"),
    ("php", ":a of %user%", "%user% von :a"),
    ("vue-i18n", "{a} of @:b", "@:b von {a}"),
    ("angular", "{{ a }} of {b}", "{b} von {{ a }}"),
    ("drupal", "%a of %b", "%b von %a"),
    ("shell", "$A of ${B}", "${B} von $A"),
    ("ejs", "<%= a %> of ${b}", "${b} von <%= a %>"),
    ("chrome", "$A$ of $B$", "$B$ von $A$"),
    ("none", "<i>a</i> of <b>b</b>", None),
    ("", "%total of %size", "%size von %total"),
]


@each_row(REORDERED)
def test_restore__reordered(format, source, restored):
    """Placeholders with a name or a number may change places."""
    if restored is not None:
        assert Protected(source, format).restore("⟦2⟧ von ⟦1⟧") == restored
    else:
        assert Protected(source, format).restore("⟦3⟧b⟦4⟧ von ⟦1⟧a⟦2⟧") == "<b>b</b> von <i>a</i>"


ESCAPED = [
    ("icu", "Welcome to {hotel}", "Bienvenue à l'⟦1⟧", "Bienvenue à l’{hotel}"),
    ("icu", "Day # of {n, plural, other {#}}", "Jour # d'⟦1⟧⟦2⟧⟦3⟧", "Jour # d’{n, plural, other {#}}"),
    ("icu", "{n, plural, other {# now}}", "⟦1⟧⟦2⟧ aujourd'⟦3⟧", "{n, plural, other {# aujourd’}}"),
    ("java", "The user {0}", "L'utilisateur d'⟦1⟧", "L''utilisateur d''{0}"),
    ("java", "Or {0,choice,0#no|1<{0}} of it", "Ou ⟦1⟧ d'ici", "Ou {0,choice,0#no|1<{0}} d''ici"),
    ("java", "It''s open", "C'est ouvert, n''est-ce pas", "C''est ouvert, n''est-ce pas"),
    ("java", "It's open", "C'est ouvert", "C'est ouvert"),
    ("java", "{0, plural, other {# days}}", "⟦1⟧⟦2⟧ jours d'été⟦3⟧", "{0, plural, other {# jours d''été}}"),
    ("", "Welcome to {hotel}", "Bienvenue à l'⟦1⟧", "Bienvenue à l’{hotel}"),
    ("i18next", "Welcome to {{hotel}}", "Bienvenue à l'⟦1⟧", "Bienvenue à l'{{hotel}}"),
    ("i18next", "{{percent}}% used", "%⟦1⟧ kullanıldı", "%{{percent}} kullanıldı"),
    ("i18next", "{{price}} $ off", "$⟦1⟧ menos", "${{price}} menos"),
    ("", "{0}% complete", "%⟦1⟧ tamamlandı", "%{0} tamamlandı"),
    ("", "{{a}}-{{b}} % off", "%⟦1⟧-⟦2⟧ indirim", "%{{a}}-{{b}} indirim"),
    ("", "{price} $ off", "$⟦1⟧ menos", "${price} menos"),
    ("python", "%d%% of %s", "⟦1⟧⟦2⟧ de ⟦3⟧", "%d%% de %s"),
    ("python-brace", "Welcome to {hotel}", "Bienvenue à l'⟦1⟧", "Bienvenue à l'{hotel}"),
    ("python-brace", "{{a}} is {b}", "⟦1⟧a⟦2⟧ ist ⟦3⟧", "{{a}} ist {b}"),
    ("printf", "%d%% of %s", "⟦1⟧⟦2⟧ von ⟦3⟧", "%d%% von %s"),
    ("qt", "&Filter %1", "Fi&lter ⟦1⟧", "Fi&lter %1"),
    ("qt", "%1% of %2", "⟦1⟧% von ⟦2⟧", "%1% von %2"),
    ("kde", "%1% of %2", "⟦1⟧% von ⟦2⟧", "%1% von %2"),
    ("fluent", 'A { "{" } in { $a }', "Ein ⟦1⟧ in ⟦2⟧", 'Ein { "{" } in { $a }'),
    ("android", "Use %s", "N'utilisez que ⟦1⟧", "N\\'utilisez que %s"),
    ("android", "On %1$tB %<te, %2$s", "⟦3⟧, am ⟦1⟧ ⟦2⟧", "%2$s, am %1$tB %<te"),
    ("android", 'Use \\"%s\\"', 'Nur "⟦1⟧"', 'Nur \\"%s\\"'),
    ("android", '"Don\'t, %s"', '"N\'utilise pas, ⟦1⟧"', '"N\'utilise pas, %s"'),
    ("apple", "%d%%\\n%@", "⟦1⟧⟦2⟧⟦3⟧⟦4⟧", "%d%%\\n%@"),
    ("rails", "%{n} percent", "⟦1⟧ %", "%{n} %"),
    ("php", "20% discount", "20 % de réduction", "20 % de réduction"),
    ("php", "%d%% of :n", "⟦1⟧⟦2⟧ von ⟦3⟧", "%d%% von :n"),
    ("php", "Hello, :name", "⟦1⟧さん、こんにちは", ":nameさん、こんにちは"),
    ("php", "Hours:minutes", "Giờ:phút", "Giờ:phút"),
    ("drupal", "Hello, @name", "⟦1⟧さん、こんにちは", "@nameさん、こんにちは"),
    ("shell", "Hello, $NAME", "⟦1⟧さん、こんにちは", "$NAMEさん、こんにちは"),
    ("vue-i18n", "a {'@'} b", "a ⟦1⟧ c", "a {'@'} c"),
    ("angular", "{n, plural, other {of {{ a }}}}", "⟦1⟧d'⟦2⟧⟦3⟧", "{n, plural, other {d’{{ a }}}}"),
    ("drupal", "@n percent", "⟦1⟧ %", "@n %"),
    ("shell", "Use \\$A, not $B", "Nutze \\⟦1⟧, nicht ⟦2⟧", "Nutze \\$A, nicht $B"),
    ("", "Raise $1 million for {a}", "Kumpulkan $1 juta untuk ⟦1⟧", "Kumpulkan $1 juta untuk {a}"),
    ("", "Use {a}\\n%d%%", "Nutze ⟦1⟧⟦2⟧⟦3⟧⟦4⟧", "Nutze {a}\\n%d%%"),
    ("ejs", "<%= a %> percent", "⟦1⟧ %", "<%= a %> %"),
    ("chrome", "$$5 for $A$", "⟦1⟧5 für ⟦2⟧", "$$5 für $A$"),
    ("none", "It's 5 percent", "C'est 5 %", "C'est 5 %"),
    ("android", "Save 20% on all plans", "Mit allen Tarifen 20 % sparen", "Mit allen Tarifen 20 % sparen"),
    ("android", "20% discount", "20 % d'escompte", "20 % d\\'escompte"),
    ("apple", "20% off or more", "20% i więcej", "20% i więcej"),
]


@each_row(ESCAPED)
def test_restore__escaped(format, source, translation, restored):
    """Apostrophes, quotes and escaped signs are written as the format reads them."""
    assert Protected(source, format).restore(translation) == restored


TOUCHED = [
    *[("php", ":name"), ("php", "$name"), ("drupal", "@name")],
    *[("shell", "$NAME"), ("chrome", "$NAME$"), ("chrome", "$1"), ("android", "%1$s"), ("qt", "%1"), ("qt", "%n")],
    *[
        ("", name)
        for name in ("$1", "%1", "%n", "%s", "$name", "$NAME$", "$a->b", "${a}", "#name#", "@@name@@", "__a__")
    ],
]


@each_row(TOUCHED)
def test_restore__touched_by_words(format, placeholder):
    """In scripts without spaces, and after Hebrew's prefixes, a word may touch a placeholder."""
    for text in ("在⟦1⟧里", "⟦1⟧さん", "สวัสดี⟦1⟧ครับ", "ל⟦1⟧"):
        restored = Protected(f"Hello {placeholder} there", format).restore(text)
        assert restored == text.replace("⟦1⟧", placeholder)
        assert Protected(restored, format).masked == text


def test_formats__each_tested():
    """Each format has a case for what it hides, refuses, lets move and escapes."""
    tables = (HIDDEN, REFUSED, REORDERED, ESCAPED)
    assert [{row[0] for row in rows} for rows in tables] == [set(FORMATS)] * len(tables)


def test_formats__same_everywhere():
    """The document, the table, the schemas of the call and of an entry, and the setting name the same formats."""
    named = tuple(filter(None, FORMATS))
    schema = function_schema("llm.translate")["properties"]
    entry = schema["entries"]["additionalProperties"]["oneOf"][1]["properties"]
    assert named == TEXT_FORMATS == tuple(filter(None, schema["format"]["enum"]))
    assert named == tuple(filter(None, entry["format"]["enum"]))
    rows = json.dumps(table("docs/translation.md", "formats"))
    assert all(f"`{name}`" in rows for name in named)
    assert all(notation in NOTATIONS for format in FORMATS.values() for notation in format.notations)


@pytest.mark.usefixtures("counted_patterns")
@pytest.mark.parametrize("format", FORMATS)
def test_masked__linear(format):
    """However often a sign is repeated, every format returns the text unchanged, in linear time."""

    def there_and_back(text):
        protected = Protected(text, format)
        assert protected.restore(protected.masked) == protected.source

    for sign in SIGNS:
        assert grows_linearly(lambda size, sign=sign: there_and_back(sign * size), 1 + 150 // len(sign))
