"""`manage.py llm_translate` on gettext files whose source texts are in the msgstr of another file."""

import json
import re
import subprocess

import polib
import pytest

from stapel_agent.testing import translating
from tests.management.test_llm_translate import row, run
from tests.management.test_llm_translate_layouts import made

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

HEADER = 'msgid ""\nmsgstr ""\n"Language: {}\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
SYMBOLIC = """msgid "cart.title"
msgstr "{}"

msgid "cart.items"
msgid_plural "cart.items.many"
msgstr[0] "{}"
msgstr[1] "{}"
"""
EMPTY = SYMBOLIC.format("", "", "")
ENGLISH = SYMBOLIC.format("Shopping cart", "%(n)d item", "%(n)d items")
PLACE = "locale/{}/LC_MESSAGES/django.po"


def po(folder, language, entries, place=PLACE):
    return made(folder, place.format(language), HEADER.format(language) + entries)


def strings(path) -> list[str]:
    """The translations in a file, in its order."""
    return [text for entry in polib.pofile(str(path)) for text in [*entry.msgstr_plural.values()] or [entry.msgstr]]


def asked(model) -> list[str]:
    return [text for request in model.requests for text in json.loads(request.prompt).values()]


@pytest.mark.parametrize("known", [[], ["--from", "en"]])
@pytest.mark.parametrize("place", [PLACE, "po/{}.po", "po/shop.{}.po", "po/{}/shop.po"])
def test_msgstr__is_the_source_text(tmp_path, scripted_model, place, known):
    """The msgstr of the source language is translated, not the msgid. Line ends and names are those of the msgid."""
    lines = 'msgid "note\\n"\nmsgstr "First note"\n\n'
    source = po(tmp_path, "en", lines + ENGLISH, place)
    scripted_model.script(translating(str.upper))
    out, err = run(source, "--to", "de", *known)
    assert (row(out)[:4], err) == (["0", "4", "0", "0"], "")
    assert asked(scripted_model) == ["First note", "Shopping cart", "⟦1⟧ item", "⟦1⟧ items"]
    target = tmp_path / place.format("de")
    assert strings(target) == ["FIRST NOTE\n", "SHOPPING CART", "%(n)d ITEM", "%(n)d ITEMS"]
    assert run(source, "--to", "de", "--check", *known)[1] == ""


def test_msgstr__of_the_file_beside(tmp_path, scripted_model):
    """A target that is completed in place, and a template, take the texts of the source language's file."""
    po(tmp_path, "en", ENGLISH)
    scripted_model.script(translating(str.upper))
    assert run(po(tmp_path, "de", EMPTY), "--from", "en", "--to", "de")[1] == ""
    assert strings(tmp_path / PLACE.format("de")) == ["SHOPPING CART", "%(n)d ITEM", "%(n)d ITEMS"]
    assert run(made(tmp_path, "po/shop.pot", EMPTY), "--from", "en", "--to", "de")[1] == ""
    assert strings(tmp_path / "po/de.po") == ["CART.TITLE", "CART.ITEMS", "CART.ITEMS.MANY"]
    po(tmp_path, "en", ENGLISH, "po/{}.po")
    assert run(tmp_path / "po/shop.pot", "--from", "en", "--to", "fr")[1] == ""
    assert strings(tmp_path / "po/fr.po") == ["SHOPPING CART", "%(n)d ITEM", "%(n)d ITEMS"]


def test_msgstr__translation_as_the_source(tmp_path, scripted_model):
    """From German, the German texts are sent as German. For texts without a translation, the language is detected."""
    fuzzy = '#, fuzzy\nmsgid "price"\nmsgstr "Gewinn"\n\nmsgid "name"\nmsgstr ""\n\n'
    source = po(tmp_path, "de", 'msgid "category"\nmsgstr "Rubrik"\n\n' + fuzzy)
    scripted_model.script(translating(str.upper))
    assert run(source, "--from", "de", "--to", "fr")[1] == ""
    known, detected = scripted_model.requests
    assert [json.loads(request.prompt) for request in (known, detected)] == [
        {"1": "Rubrik"},
        {"1": "price", "2": "name"},
    ]
    assert ["German" in request.system_prompt for request in (known, detected)] == [True, False]


@pytest.mark.parametrize(
    ("source", "known", "text"),
    [
        ("de", ["--from", "en"], "category"),  # a German file is no source of English texts
        ("en-GB", ["--from", "en"], "Rubrik"),
        ("en", ["--from", "en-US"], "Rubrik"),
        ("", [], "category"),  # the language of the file is not known
    ],
)
def test_msgstr__of_another_language(tmp_path, scripted_model, source, known, text):
    """A msgstr is a source text only in a file of the source language, or without --from in a file of a known one."""
    place = PLACE if source else "shop.po"
    path = po(tmp_path, source, 'msgid "category"\nmsgstr "Rubrik"\n', place)
    scripted_model.script(translating(str.upper))
    assert run(path, *known, "--to", "fr")[1] == ""
    assert asked(scripted_model) == [text]


def test_msgid__in_a_variant_of_english(tmp_path, scripted_model):
    """British texts are English: a msgid without one is not in an unknown language."""
    source = po(tmp_path, "en-GB", 'msgid "color"\nmsgstr "colour"\n\nmsgid "name"\nmsgstr ""\n')
    scripted_model.script(translating(str.upper))
    assert run(source, "--from", "en-GB", "--to", "fr")[1] == ""
    (request,) = scripted_model.requests
    assert json.loads(request.prompt) == {"1": "colour", "2": "name"}


def test_msgstr__of_the_target_language(tmp_path, scripted_model):
    """A translation in the language of the target is no source text."""
    source = po(tmp_path, "de", 'msgid "category"\nmsgstr "Rubrik"\n')
    made(tmp_path, "out/de.po", 'msgid "category"\nmsgstr ""\n')
    scripted_model.script(translating(str.upper))
    assert run(source, "--to", "de", "--out", tmp_path / "out")[1] == ""
    assert asked(scripted_model) == ["category"]


def test_msgstr__header_and_path_differ(tmp_path, scripted_model):
    """If the header and the path name different languages, the msgids are translated."""
    content = HEADER.format("en") + 'msgid "category"\nmsgstr "Rubrik"\n'
    scripted_model.script(translating(str.upper))
    assert run(made(tmp_path, PLACE.format("de"), content), "--from", "en", "--to", "fr")[1] == ""
    assert asked(scripted_model) == ["category"]


def test_msgid__without_a_msgstr(tmp_path, scripted_model):
    """In an English file, a msgid without a msgstr is the text, and costs what it costs in a template."""
    entry = 'msgid "A text"\nmsgstr ""\n\nmsgid "%d day"\nmsgid_plural "%d days"\nmsgstr[0] ""\nmsgstr[1] "{}"\n'
    scripted_model.script(translating(str.upper))
    requests = []
    for name in ("", "%d long days"):
        source = po(tmp_path, "en", entry.format(name))
        run(source, "--from", "en", "--to", "de", "--out", tmp_path / f"out{len(name)}")
        requests.append([request.prompt for request in scripted_model.requests])
    run(made(tmp_path, "shop.pot", entry.format("")), "--from", "en", "--to", "de")
    assert (len(scripted_model.requests), requests[0]) == (1, requests[1])


POLISH = '"Plural-Forms: nplurals=3; plural=n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2;\\n"\n\n'
FILES = POLISH + 'msgid "f"\nmsgid_plural "fs"\nmsgstr[0] "jeden plik"\nmsgstr[1] "%d pliki"\nmsgstr[2] "%d plików"\n'
ONE_FORM = 'msgid "f"\nmsgid_plural "fs"\nmsgstr[0] "%d fairu"\n'


@pytest.mark.gettext
@pytest.mark.parametrize(
    ("source", "to", "translated", "examples"),
    [
        ("pl", "de", ["jeden plik", "%d pliki"], ""),
        ("pl", "ru", ["%d plików", "%d pliki", "%d plików"], ""),
        ("pl", "ja", ["%d plików"], ""),
        ("pl", "ar", ["%d plików", "jeden plik", "%d pliki", "%d pliki", *["%d plików"] * 2], "0 2 3 11 100"),
        ("ja", "de", ["%d fairu"] * 2, "1 2"),
        ("ja", "ko", ["%d fairu"], ""),
    ],
)
def test_plural__forms_of_the_source(tmp_path, scripted_model, source, to, translated, examples):
    """Each form is translated from the source's form for the same number."""
    path = made(
        tmp_path, f"{source}.po", {"pl": HEADER.format("pl")[:-1] + FILES, "ja": HEADER.format("ja") + ONE_FORM}[source]
    )
    scripted_model.script(translating(str.upper))
    assert run(path, "--from", source, "--to", to)[1] == ""
    assert strings(tmp_path / f"{to}.po") == [text.upper().replace("%D", "%d") for text in translated]
    told = " ".join(request.system_prompt for request in scripted_model.requests)
    assert sorted(re.findall(r"numbers such as (\d+)", told), key=int) == examples.split()
    assert run(path, "--from", source, "--to", to, "--check")[1] == ""
    subprocess.run(["msgfmt", "-o", "/dev/null", tmp_path / f"{to}.po"], check=True)


def test_check__compares_with_the_source_text(tmp_path):
    """--check compares a translation with the msgstr of the source language, not with the msgid."""
    po(tmp_path, "en", SYMBOLIC.format("Cart of {user}", "%(n)d item", "%(n)d items"))
    path = po(tmp_path, "de", SYMBOLIC.format("Warenkorb von {user}", "%(n)d Artikel", "%(n)d Artikel"))
    assert run(path, "--from", "en", "--to", "de", "--check") == ("3 translations checked: no errors\n", "")
    path = po(tmp_path, "de", SYMBOLIC.format("Warenkorb", "%(n)d Artikel", "%(m)d Artikel"))
    assert "wrong translations: 2" in run(path, "--from", "en", "--to", "de", "--check")[1]


def test_broken_source_file__named(tmp_path, scripted_model):
    """If the source language's file beside the given one cannot be read, the error names it."""
    made(tmp_path, PLACE.format("en"), 'msgid "a"\n')
    _, err = run(po(tmp_path, "de", EMPTY), "--from", "en", "--to", "de")
    assert re.match(r"CommandError: '\S*/en/\S*' is not a gettext file: every msgid must have exactly one msgstr", err)
    assert scripted_model.requests == []


FORMATS = {
    "c-format": ("One file of %s", "%2$d files of %1$s"),
    "python-format": ("One open file", "%d open files"),
    "python-format, fuzzy": ("One open file", "%(n)d open files"),
    "python-brace-format": ("One open file", "{n} open files"),
    "ruby-format": ("One open file", "%d open files"),
    "qt-format": ("One open file", "%1 open files"),
    "kde-format": ("One open file", "%1 open files"),
    "php-format": ("One open file", "%d open files"),
    "awk-format": ("One open file", "%d open files"),
    "boost-format": ("One open file", "%1% open files"),
    "csharp-format": ("One open file", "{0} open files"),
    "elisp-format": ("One open file", "%d open files"),
    "gcc-internal-format": ("One open file", "%d open files"),
    "gfc-internal-format": ("One open file", "%d open files"),
    "java-format": ("One open file", "{0} open files"),
    "java-printf-format": ("One open file", "%d open files"),
    "javascript-format": ("One open file", "%d open files"),
    "kde-kuit-format": ("One open file", "%1 open files"),
    "librep-format": ("One open file", "%d open files"),
    "lisp-format": ("One open file", "~d open files"),
    "lua-format": ("One open file", "%d open files"),
    "object-pascal-format": ("One open file", "%d open files"),
    "objc-format": ("One open file", "%d open files"),
    "perl-brace-format": ("One open file", "{n} open files"),
    "perl-format": ("One open file", "%d open files"),
    "qt-plural-format": ("One open file", "%n open files"),
    "ruby-format, fuzzy": ("One open file", "%<n>d open files"),
    "scheme-format": ("One open file", "~d open files"),
    "sh-format": ("One open file", "$n open files"),
    "smalltalk-format": ("One open file", "%1 open files"),
    "tcl-format": ("One open file", "%d open files"),
    "ycp-format": ("One open file", "%1 open files"),
}
"""A singular without its number and its plural, by flags."""


def shout(text: str) -> str:
    return re.sub(r"[A-Za-z]{2,}", lambda word: word[0].upper(), text)


def fatal(path) -> bool:
    """Whether msgfmt refuses a file."""
    return (
        subprocess.run(["msgfmt", "-f", "-c", "-o", "/dev/null", path], capture_output=True, text=True).returncode != 0
    )


@pytest.mark.gettext
@pytest.mark.parametrize("to", ["de", "fr", "ru", "pl", "ja", "ar"])
@pytest.mark.parametrize("flags", FORMATS)
def test_plural__as_msgfmt_wants_it(tmp_path, scripted_model, flags, to):
    """A translation leaves a number out only where msgfmt accepts that. --check finds the same faults as msgfmt."""
    singular, plural = FORMATS[flags]
    entry = f'#, {flags}\nmsgid "{singular}"\nmsgid_plural "{plural}"\nmsgstr[0] ""\nmsgstr[1] ""\n'
    path = made(tmp_path, "shop.pot", entry)
    scripted_model.script(translating(shout))
    assert run(path, "--from", "en", "--to", to)[1] == ""
    target = tmp_path / f"{to}.po"
    assert not fatal(target)
    assert run(path, "--to", to, "--check")[1] == ""
    content = target.read_text()
    for form, text in enumerate(strings(target)):
        number = f"msgstr[{form}] "
        without = shout(singular)
        target.write_text(content.replace(f'{number}"{text}"', f'{number}"{without}"'))
        assert ("wrong translations: 1" in run(path, "--to", to, "--check")[1]) == fatal(target)


@pytest.mark.gettext
@pytest.mark.parametrize("flag", ["c-format", "objc-format", "python-format", "php-format", "no-c-format"])
def test_percentage__by_flag(tmp_path, scripted_model, flag):
    """The `% d` of a percentage stays where msgfmt takes it for a placeholder. Elsewhere, it is prose."""
    source = po(tmp_path, "en", f'#, {flag}\nmsgid "20% discount"\nmsgstr ""\n')
    scripted_model.script(translating(lambda text: "20 % Rabatt" if text == "20% discount" else text))
    run(source, "--from", "en", "--to", "de")
    assert (asked(scripted_model)[0] == "20% discount") == (flag == "no-c-format")
    assert not fatal(tmp_path / PLACE.format("de"))


@pytest.mark.gettext
@pytest.mark.parametrize("msgid", ["A text", "A text\\n", "\\nA text", "\\nA text\\n"])
@pytest.mark.parametrize("msgstr", ["Ein Satz", "Ein Satz\\n", "\\nEin Satz"])
def test_check__line_breaks(tmp_path, msgid, msgstr):
    """--check wants the line breaks at both ends that msgfmt wants."""
    path = po(tmp_path, "de", f'msgid "{msgid}"\nmsgstr "{msgstr}"\n')
    assert ("with a line break" in run(path, "--from", "en", "--to", "de", "--check")[1]) == fatal(path)


@pytest.mark.gettext
@pytest.mark.parametrize("flag", ["c-format", "python-format", "php-format"])
def test_percentage__doubled(tmp_path, scripted_model, flag):
    """`%%` before a word is a percent sign, and the word is translated."""
    source = po(tmp_path, "en", f'#, {flag}\nmsgid "%d%% of disk %% done"\nmsgstr ""\n')
    scripted_model.script(translating(lambda text: text.replace("of disk", "der Platte").replace("done", "voll")))
    assert run(source, "--from", "en", "--to", "de")[1] == ""
    assert asked(scripted_model) == ["⟦1⟧⟦2⟧ of disk ⟦3⟧ done"]
    assert 'msgstr "%d%% der Platte %% voll"' in (tmp_path / PLACE.format("de")).read_text()
    assert not fatal(tmp_path / PLACE.format("de"))


@pytest.mark.parametrize(
    ("flag", "msgid", "msgstr", "is_right"),
    [
        ("c-format", "%s has %5.2lf files, 5%%", "%2$5.2lf von %1$s, 5 %%", True),
        ("c-format", "%s has %d files", "%1$d von %2$s", False),
        ("c-format", "%s has %d files", "%1$s hat Dateien", False),
        ("c-format", "%2$s has %1$d files", "%1$d von %2$s", True),
        ("php-format", "%s has %d files", "%2$d von %1$s", True),
        ("objc-format", "%@ has %lld files", "%2$lld von %1$@", True),
        ("python-format", "%s has %d files", "%2$d von %1$s", False),
        ("c-format", "Save 20% on all", "Spare 20 % bei allen", False),
        ("c-format", "Save 20% on all", "Spare 20% od. mehr", True),
        ("objc-format", "20% discount", "20 % Rabatt", False),
        ("python-format", "20% discount", "20 % Rabatt", False),
        ("c-format", "From 5% 10% off", "Ab 5% 10% weniger", True),
        ("c-format", "From 5% 10% off", "Ab 5 weniger", False),
        ("php-format", "20% discount", "20 % Rabatt", False),
        ("c-format", "%1$s is open", "%s ist offen", True),
        ("python-brace-format", "{} of {}", "{1} von {0}", True),
        ("python-brace-format", "{0} of {1}, {{x}}", "{} von {}, {{x}}", True),
        ("python-brace-format", "{} of {}", "{1} von {1}", False),
        ("php-format", "{0} %s of %s", "{0} %2$s von %1$s", True),
        ("c-format", "%-10s is %5d", "%-14s ist %d", True),
        ("c-format", "%'d files of %i", "%d Dateien von %d", True),
        ("python-format", "%(a)5d files", "%(a)i Dateien", True),
        ("java-printf-format", "%d files", "%,d Dateien", True),
        ("javascript-format", "%d files", "%i Dateien", False),
        ("perl-format", "%s has %d files", "%2$d von %1$s", True),
        ("perl-format", "%s has %d files", "%2$s von %1$d", False),
        ("gcc-internal-format", "%qE has %d files: %m", "%3$m: %2$d von %1$qE", True),
        ("javascript-format", "%s has %j", "%2$j von %1$s", True),
        ("object-pascal-format", "%s has %d files", "%1:d von %0:s", True),
        ("go-format", "%s has %d files", "%[2]d von %[1]s", True),
        ("lua-format", "%s has %d files", "%2$d von %1$s", False),
        ("csharp-format", "{0,-10} has {1:N2}", "{0,-14} hat {1:N2}", True),
        ("csharp-format", "{0,-10} has {1:N2}", "{0} hat {1:N1}", False),
        ("rust-format", "{name:?} has {} files", "{} von {name:?}", True),
        ("rust-format", "{name:?} has {} files", "{} von {name}", False),
        ("sh-format", "$name has files", "${name} hat Dateien", True),
        ("java-format", "User {0}", "L'utilisateur {0}", False),
        ("java-format", "{0} is here", "{0} s'y trouve", False),
        ("java-format", "{0} is here", "{0} s''y trouve", True),
        ("java-format", "It's open", "C'est ouvert", True),
        ("java-format", "User {0}", "L''utilisateur {0}", True),
        ("java-format", "It''s {0}", "C’est {0}", True),
        ("gfc-internal-format", "%<word%> at %L", "%<Wort%> bei %L", True),
        ("gfc-internal-format", "%<word%> at %L", "Wort bei %L", False),
        ("c-format", "%02d files", "%d Dateien", False),
        ("c-format", "%.2f units", "%.1f Einheiten", False),
        ("c-format", "%d files", "%u Dateien", False),
        ("c-format", "%ld files", "%d Dateien", False),
        ("c-format", "100%% sure", "100 %% sicher", True),
        ("c-format", "%% sure", "% sicher", False),
        ("python-format", "%(a)d%% of disk", "%(a)d %% der Platte", True),
    ],
)
def test_check__numbered_arguments(tmp_path, flag, msgid, msgstr, is_right):
    """A person may number the placeholders, to put them into another order, and change their width."""
    path = po(tmp_path, "de", f'#, {flag}\nmsgid "{msgid}"\nmsgstr "{msgstr}"\n')
    assert ("wrong translations" not in run(path, "--from", "en", "--to", "de", "--check")[1]) == is_right


DIRECTIVES = {
    "awk-format": "%s %d",
    "boost-format": "%1% %|2$5d|",
    "c-format": "%s %ld",
    "csharp-format": "{0} {1:N2}",
    "elisp-format": "%S %d",
    "gcc-internal-format": "%qE %wd",
    "gfc-internal-format": "%s %L",
    "java-format": "{0} {1,number}",
    "java-printf-format": "%s %tB",
    "javascript-format": "%s %j",
    "kde-format": "%1 %2",
    "kde-kuit-format": "%1 %2",
    "librep-format": "%S %d",
    "lisp-format": "~a ~5d",
    "lua-format": "%q %d",
    "objc-format": "%@ %d",
    "object-pascal-format": "%s %5.2f",
    "perl-brace-format": "{name} {count}",
    "perl-format": "%s %vd",
    "php-format": "%s %d",
    "python-brace-format": "{name} {0.size:>10}",
    "python-format": "%s %d",
    "qt-format": "%1 %L2",
    "ruby-format": "%<name>s %{count}",
    "scheme-format": "~a ~d",
    "sh-format": "$name ${count}",
    "smalltalk-format": "%1 %2",
    "tcl-format": "%s %d",
    "ycp-format": "%1 %2",
}
"""Two directives for each flag of gettext 0.21, but for that of Qt's plural forms."""


@pytest.mark.gettext
@pytest.mark.parametrize("flag", DIRECTIVES)
def test_check__as_msgfmt(tmp_path, flag):
    """--check refuses what msgfmt refuses: directives that are lost, swapped or new, and signs that begin none."""
    first, second = DIRECTIVES[flag].split()
    right = ["Sie öffnen <1> mit <2> Wörtern", "Mit <2> Wörtern öffnen Sie <1>"]
    wrong = [
        "Sie öffnen <1>",
        "Öffnen <1> mit <2> und <1>",
        "Öffnen <1> mit <1>",
        "<1> mit <2> %",
        "~ <1> <2>",
        "<1>%!<2>",
    ]
    for text in [*right, *wrong]:
        msgstr = text.replace("<1>", first).replace("<2>", second)
        path = po(tmp_path, "de", f'#, {flag}\nmsgid "You open {first} with {second} words"\nmsgstr "{msgstr}"\n')
        is_refused = "wrong translations" in run(path, "--from", "en", "--to", "de", "--check")[1]
        assert is_refused or not fatal(path), msgstr
        assert text not in right or is_refused == fatal(path), msgstr


@pytest.mark.gettext
@pytest.mark.parametrize("flag", DIRECTIVES)
def test_check__text_without_directives(tmp_path, flag):
    """A sign that begins no directive is refused in the translation of a text without directives, as by msgfmt."""
    for sign in ("%", "~", "$", "{", "%!", "%(x)s", "{x}"):
        path = po(tmp_path, "de", f'#, {flag}\nmsgid "You open a file"\nmsgstr "Sie öffnen {sign} eine Datei"\n')
        is_refused = "wrong translations" in run(path, "--from", "en", "--to", "de", "--check")[1]
        assert is_refused or not fatal(path), sign


@pytest.mark.parametrize(
    ("msgid", "msgstr", "is_right"),
    [
        (",", "،", True),
        (":", "：", True),
        ("…", "...", True),
        ("%(a)s %(b)s", "%(b)s „%(a)s“", True),
        ("%(a)s – %(b)s", "%(a)s und %(b)s", True),
        ("%(a)s %(b)s", "%(a)s", False),
        ("%(a)s", "%(a)s %(c)s", False),
        ("<b>%(a)s</b>:", "<i>%(a)s</i>:", False),
        ("10", "20", False),
        ("1.5", "1,5", True),
    ],
)
def test_check__text_without_words(tmp_path, msgid, msgstr, is_right):
    """A text without words may get other punctuation, but keeps its placeholders and numbers."""
    path = po(tmp_path, "de", f'#, python-format\nmsgid "{msgid}"\nmsgstr "{msgstr}"\n')
    assert ("wrong translations" not in run(path, "--from", "en", "--to", "de", "--check")[1]) == is_right


POLISH = "nplurals=3; plural=n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2;"
ARABIC = "nplurals=6; plural=n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5;"


@pytest.mark.gettext
@pytest.mark.parametrize(
    ("flag", "number"),
    [
        ("c-format", "%d"),
        ("python-format", "%d"),
        ("python-format", "%(size)d"),
        ("python-brace-format", "{n}"),
        ("qt-format", "%1"),
        ("php-format", "%d"),
        ("no-c-format", "%d"),
    ],
)
def test_check__form_that_says_its_number(tmp_path, flag, number):
    """A form for a few numbers may say them in words or leave them out, where msgfmt accepts that."""
    entry = f'#, {flag}\nmsgid "{number} byte"\nmsgid_plural "{number} bytes"\n'
    few = ["لا بايت", "بايت واحد", "بايتان"]
    many = [f"{number} بايت"] * 3
    for forms, is_right in ((few + many, True), ([*few[:2], "1 بايت", *many], False), ([*few, *few], False)):
        path = po(tmp_path, "ar", entry + "".join(f'msgstr[{form}] "{text}"\n' for form, text in enumerate(forms)))
        path.write_text(path.read_text().replace("UTF-8\\n", f'UTF-8\\n"\n"Plural-Forms: {ARABIC}\\n'))
        is_accepted = "wrong translations" not in run(path, "--from", "en", "--to", "ar", "--check")[1]
        assert is_accepted == (is_right and not fatal(path))


@pytest.mark.gettext
@pytest.mark.parametrize(("most", "is_right"), [(4, True), (5, False)])
def test_check__form_for_some_numbers(tmp_path, most, is_right):
    """A form for fewer than five numbers may leave them out, for msgfmt too."""
    forms = 'msgstr[0] "ein paar Dateien"\nmsgstr[1] "%d Dateien"\n'
    path = po(tmp_path, "de", f'#, c-format\nmsgid "%d file"\nmsgid_plural "%d files"\n{forms}')
    rule = f'"Plural-Forms: nplurals=2; plural=(n < 1 || n > {most});\\n"'
    path.write_text(path.read_text().replace('UTF-8\\n"', f'UTF-8\\n"\n{rule}'))
    is_accepted = "wrong translations" not in run(path, "--from", "en", "--to", "de", "--check")[1]
    assert (is_accepted, fatal(path)) == (is_right, not is_right)


@pytest.mark.parametrize(
    ("number", "is_right"),
    [("%(count)d", True), ("%(count)s", True), ("%(num)s", True), ("%(counts)s", False), ("%(name)s", False)],
)
def test_check__number_among_placeholders(tmp_path, number, is_right):
    """Of several placeholders, a form may leave out the one that is the number, by its conversion or its name."""
    entry = f'#, python-format\nmsgid "{number} file in %(folder)s"\nmsgid_plural "{number} files in %(folder)s"\n'
    forms = ["plik w %(folder)s", f"{number} pliki w %(folder)s", f"{number} plików w %(folder)s"]
    path = po(tmp_path, "pl", entry + "".join(f'msgstr[{form}] "{text}"\n' for form, text in enumerate(forms)))
    path.write_text(path.read_text().replace("UTF-8\\n", f'UTF-8\\n"\n"Plural-Forms: {POLISH}\\n'))
    assert ("wrong translations" not in run(path, "--from", "en", "--to", "pl", "--check")[1]) == is_right


@pytest.mark.gettext
@pytest.mark.parametrize(
    ("flag", "msgid", "sent"),
    [
        ("java-printf-format", "Pay %,d of %1$tB now", "Pay ⟦1⟧ of ⟦2⟧ now"),
        ("object-pascal-format", "Have %0:s of %1:d here", "Have ⟦1⟧ of ⟦2⟧ here"),
        ("gcc-internal-format", "%qD is not %<const%> here", "⟦1⟧ is not ⟦2⟧const⟦3⟧ here"),
        ("gcc-internal-format", "No %<%s%' in %qE here", "No ⟦1⟧⟦2⟧⟦3⟧ in ⟦4⟧ here"),
        ("lisp-format", "Have ~a of ~D here~%", "Have ⟦1⟧ of ⟦2⟧ here⟦3⟧"),
        ("scheme-format", "Have ~a of ~S here", "Have ⟦1⟧ of ⟦2⟧ here"),
    ],
)
def test_placeholders__of_further_flags(tmp_path, scripted_model, flag, msgid, sent):
    """The placeholders of a format that has no name of its own are kept, in their order."""
    source = po(tmp_path, "en", f'#, {flag}\nmsgid "{msgid}"\nmsgstr ""\n')
    scripted_model.script(translating(lambda text: text.replace("here", "hier").replace("now", "nun")))
    assert run(source, "--from", "en", "--to", "de")[1] == ""
    assert asked(scripted_model) == [sent]
    assert not fatal(tmp_path / PLACE.format("de"))
