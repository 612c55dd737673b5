"""Which texts of a file are translated, and what is written to its target."""

import json
import os
import re
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from babel.messages.pofile import normalize
from hypothesis import given, settings
from hypothesis import strategies as st

from stapel_agent.catalogues import CatalogueError, FuzzyPolicy, locale_name, open_catalogue, read_glossary, with_number
from stapel_agent.catalogues.android_text import with_characters
from stapel_agent.catalogues.target_paths import target_path
from tests.catalogues.files import made
from tests.steps import calls_of, grows_linearly

HEADER = 'msgid ""\nmsgstr ""\n"Language: {}\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n'


def translate(source: Path, to: str = "de", *, overwrite: bool = False, fuzzy: FuzzyPolicy = FuzzyPolicy()) -> str:  # noqa: B008
    """The target after every pending text was replaced by itself in brackets."""
    catalogue = open_catalogue(source, to, overwrite=overwrite, fuzzy=fuzzy)
    held = {} if overwrite else catalogue.translations()
    catalogue.write({key: f"[{text}]" for key, text in catalogue.texts().items() if key not in held})
    return catalogue.target.read_bytes().decode()


def compiled(path: Path) -> str:
    """What msgfmt, called as in Django, reports about a file."""
    return subprocess.run(["msgfmt", "--check-format", "-o", os.devnull, path], capture_output=True, text=True).stderr


# JSON


def test_json__keys_are_pointers(tmp_path):
    """Texts at any depth have unique keys, even if names contain dots and slashes. Blanks and numbers are not texts."""
    tree = {"a.b": "1", "a": {"b": "2", "b/c~": "3"}, "l": ["4", {"x": "5"}, ["6"], 7, None, True], "": "8", "no": " "}
    catalogue = open_catalogue(made(tmp_path, "en.json", tree), "de")
    assert catalogue.texts() == {
        "/a.b": "1",
        "/a/b": "2",
        "/a/b~1c~0": "3",
        "/l/0": "4",
        "/l/1/x": "5",
        "/l/2/0": "6",
        "/": "8",
    }


def test_json__the_rest_is_copied(tmp_path):
    """Numbers, booleans, nulls, blanks and empty containers are copied unchanged."""
    tree = {"t": "x", "n": 1.5, "b": [True, None, "x"], "e": {}, "l": [], "blank": " "}
    target = translate(made(tmp_path, "en.json", tree))
    assert json.loads(target) == {**tree, "t": "[x]", "b": [True, None, "[x]"]}


@pytest.mark.parametrize(
    "layout",
    [
        '{\n  "ä": "[x]",\n  "l": [\n    "[x]"\n  ]\n}\n',
        '{\n\t"ä": "[x]",\n\t"l": [\n\t\t"[x]"\n\t]\n}',
        '{"ä": "[x]", "l": ["[x]"]}\n',
        '{"ä":"[x]","l":["[x]"]}',
        '{\r\n    "ä": "[x]",\r\n    "l": [\r\n        "[x]"\r\n    ]\r\n}\r\n',
        '\ufeff{\n "ä": "[x]"\n}\n',
    ],
)
def test_json__layout(tmp_path, layout):
    """Indentation, line ends, byte order mark and the last line break are those of the source."""
    assert translate(made(tmp_path, "en.json", layout.replace("[x]", "x"))) == layout


def test_json__layout_of_the_target(tmp_path):
    """An existing target keeps its layout, its order and its own keys. New keys come next to their neighbours."""
    source = made(tmp_path, "en.json", '{"a": "1", "b": "2", "c": "3", "d": "4"}')
    made(tmp_path, "de.json", '{\n   "own": "0",\n   "c": "C",\n   "a": "A"\n}\n')
    assert translate(source) == ('{\n   "own": "0",\n   "c": "C",\n   "d": "[4]",\n   "a": "A",\n   "b": "[2]"\n}\n')


def test_json__gaps(tmp_path):
    """Blank, null and missing values are untranslated. A number that a person changed is not."""
    source = made(tmp_path, "en.json", '{"a": "1", "b": "2", "c": ["3", "4"], "n": 5}')
    made(tmp_path, "de.json", '{"a": " ", "b": null, "c": ["C"], "n": 6}')
    assert json.loads(translate(source)) == {"a": "[1]", "b": "[2]", "c": ["C", "[4]"], "n": 6}


def test_json__untranslated(tmp_path):
    """An untranslated text is missing from an object, and blank in an array, whose items have positions."""
    source = made(tmp_path, "en.json", '{"a": "1", "o": {"p": "2"}, "l": ["3", "4"], "m": ["5"]}')
    catalogue = open_catalogue(source, "de")
    catalogue.write({"/l/1": "vier"})
    assert json.loads(catalogue.target.read_text()) == {"l": ["", "vier"]}
    assert catalogue.translations() == {"/l/1": "vier"}


def test_json__overwrite(tmp_path):
    """With `overwrite`, the target gets the source's shape, and keeps what only the target has."""
    source = made(tmp_path, "en.json", '{"a": "1", "o": {"p": "2"}}')
    made(tmp_path, "de.json", '{"own": "0", "a": "A", "o": "no object"}')
    with pytest.raises(CatalogueError, match="differs from the source in structure at '/o'"):
        open_catalogue(source, "de")
    assert json.loads(translate(source, overwrite=True)) == {"own": "0", "a": "[1]", "o": {"p": "[2]"}}


def test_json__long_keys(tmp_path):
    """Keys may have any length and script."""
    keys = ["k" * 500, "ключ", "鍵" * 200, "a\nb"]
    source = made(tmp_path, "en.json", dict.fromkeys(keys, "x"))
    assert json.loads(translate(source)) == dict.fromkeys(keys, "[x]")


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
TREE = st.dictionaries(
    TEXT,
    st.recursive(
        TEXT | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    ),
)

unhurried = settings(deadline=None, max_examples=30)  # each writes files


@unhurried
@given(TREE)
def test_json__any_tree(tree):
    """A tree translated into itself is unchanged, and then nothing is pending."""
    with TemporaryDirectory() as folder:
        catalogue = open_catalogue(made(Path(folder), "en.json", tree), "de")
        catalogue.write(catalogue.texts())
        assert json.loads(catalogue.target.read_text()) == tree
        assert catalogue.translations() == catalogue.texts()


# Portions


def in_gettext(texts: dict[str, str]) -> str:
    return "".join(f'msgid "{text}"\nmsgstr ""\n\n' for text in texts.values())


def in_strings_xml(texts: dict[str, str]) -> str:
    strings = "".join(f'  <string name="{key}">{text}</string>\n' for key, text in texts.items())
    return f"<resources>\n{strings}</resources>\n"


def in_groups_of_ten(texts: dict[str, str]) -> str:
    lines = [f"  {key}: {text}\n" for key, text in texts.items()]
    groups = (f" group{start}:\n" + "".join(lines[start : start + 10]) for start in range(0, len(lines), 10))
    return "en:\n" + "".join(groups)


FILES = {
    "shop.pot": in_gettext,
    "en.json": json.dumps,
    "nested/en.json": lambda texts: json.dumps({"all": texts}),
    "values/strings.xml": in_strings_xml,
    "en.lproj/a.strings": lambda texts: "".join(f'"{key}" = "{text}";\n' for key, text in texts.items()),
    "en.yml": in_groups_of_ten,
    "a.xcstrings": lambda texts: json.dumps({"sourceLanguage": "en", "strings": {text: {} for text in texts.values()}}),
    "en.ftl": lambda texts: "".join(f"{key} = {text}\n" for key, text in texts.items()),
}
"""How each file type holds texts."""


@pytest.mark.parametrize("name", FILES)
def test_write__portions(tmp_path, name):
    """A portion costs the same in a large file as in a small one. After each, the file has all translations so far."""
    costs = []
    for count in (100, 1600):
        texts = {f"key{number}": f"text {number}" for number in range(count)}
        source = made(tmp_path / str(count), name, FILES[name](texts))
        catalogue = open_catalogue(source, "de")
        items = [(key, f"[{text}]") for key, text in catalogue.texts().items()]
        catalogue.write(dict(items[:20]))
        costs.append(calls_of(lambda: catalogue.write(dict(items[20:40]))))  # noqa: B023  (called at once)
        assert open_catalogue(source, "de").translations() == dict(items[:40])
    assert costs[1] <= costs[0] + 50


@pytest.mark.parametrize("name", FILES)
def test_file__linear(tmp_path_factory, name):
    """A file with four times as many texts takes about four times the work."""

    def work(count: int) -> None:
        texts = {f"key{number}": f"text {number}" for number in range(count)}
        source = made(tmp_path_factory.mktemp("linear"), name, FILES[name](texts))
        catalogue = open_catalogue(source, "ru")
        catalogue.write({key: f"[{text}]" for key, text in catalogue.texts().items()})
        assert len(catalogue.translations()) == count

    assert grows_linearly(work, 50)


@pytest.mark.parametrize(
    ("name", "before", "mine"),
    [
        ("shop.pot", '"two"\nmsgstr ""', '"two"\nmsgstr "mine"'),
        ("en.json", None, '{"b": "mine"}'),
        ("values/strings.xml", "</resources>", '<string name="b">mine</string></resources>'),
        ("en.lproj/a.strings", None, 'b = "mine";'),
        ("en.yml", None, "de:\n group0:\n  b: mine\n"),
        ("en.ftl", "a = eins", "b = mine"),
    ],
)
def test_write__changed_meanwhile(tmp_path, name, before, mine):
    """What a person saves in the target between two portions is kept, and so are earlier translations."""
    texts = {"a": "one", "b": "two", "c": "three"}
    catalogue = open_catalogue(made(tmp_path, name, FILES[name](texts)), "de")
    first, second, third = catalogue.texts()
    catalogue.write({first: "eins"})
    written = catalogue.target.read_text()
    catalogue.target.write_text(written.replace(before, mine) if before else mine)
    catalogue.write({third: "drei"})
    assert open_catalogue(tmp_path / name, "de").translations() == {first: "eins", second: "mine", third: "drei"}


# Files


def test_write__permissions_and_links(tmp_path):
    """The file keeps its permissions, a link stays a link, and no other file is left in the folder."""
    (tmp_path / "shared").mkdir()
    real = made(tmp_path / "shared", "real.json", "{}")
    real.chmod(0o640)
    (tmp_path / "de.json").symlink_to(real)
    translate(made(tmp_path, "en.json", '{"a": "1"}'))
    assert (json.loads(real.read_text()), real.stat().st_mode & 0o777) == ({"a": "[1]"}, 0o640)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["de.json", "en.json", "real.json", "shared"]
    assert (tmp_path / "de.json").is_symlink()


@pytest.mark.parametrize(
    "fault", [None, PermissionError(1, "Operation not permitted"), OSError(22, "Invalid argument")]
)
def test_write__owner(tmp_path, monkeypatch, fault):
    """The file keeps its owner, if the process may set it: in a container, that is often root."""
    owners = []

    def fchown(file, *owner):
        owners.append(owner)
        if fault:
            raise fault

    monkeypatch.setattr(os, "fchown", fchown)
    target = made(tmp_path, "de.json", "{}")
    translate(made(tmp_path, "en.json", '{"a": "1"}'))
    assert (owners, json.loads(target.read_text())) == ([(target.stat().st_uid, target.stat().st_gid)], {"a": "[1]"})


def test_write__fails_whole(tmp_path, monkeypatch):
    """If a file cannot be written, it stays as it is."""
    target = made(tmp_path, "de.json", '{"a": ""}')

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CatalogueError, match="cannot be written: No space left"):
        translate(made(tmp_path, "en.json", '{"a": "1"}'))
    assert target.read_text() == '{"a": ""}'
    assert sorted(path.name for path in tmp_path.iterdir()) == ["de.json", "en.json"]


@pytest.mark.parametrize(
    ("tag", "name"),
    [("de", "de"), ("pt-br", "pt_BR"), ("zh_hans", "zh_Hans"), ("es-419", "es_419"), ("sr-Latn-RS", "sr_Latn_RS")],
)
def test_locale_name__as_django_has_it(tag, name):
    """Folders are named as in Django."""
    assert locale_name(tag) == name


@pytest.mark.parametrize("tag", ["", "xx", "de_", "../de", "de.UTF-8", "Deutsch", "d" * 10_000, "de\n"])
def test_locale_name__unknown(tag):
    """An invalid language tag is refused, with an example of a valid one."""
    with pytest.raises(CatalogueError, match="use a tag such as 'de' or 'pt-BR'"):
        locale_name(tag)


def test_glossary__for_all_or_by_language(tmp_path):
    """A glossary is for all languages, or has a glossary for each."""
    assert read_glossary(made(tmp_path, "a.json", '{"Stapel": "Stapel"}'), "de") == {"Stapel": "Stapel"}
    by_language = made(tmp_path, "b.json", '{"pt-BR": {"file": "arquivo"}}')
    assert [read_glossary(by_language, tag) for tag in ("pt_BR", "de")] == [{"file": "arquivo"}, {}]
    with pytest.raises(CatalogueError, match="must hold"):
        read_glossary(made(tmp_path, "c.json", '{"file": 1}'), "de")


@pytest.mark.parametrize(
    ("source", "folder", "target"),
    [
        ("a/en.json", "b", "b/pt-BR.json"),
        ("locale/en/LC_MESSAGES/django.po", "b", "b/pt-BR.po"),
        ("LC_MESSAGES/x.json", None, "LC_MESSAGES/pt-BR.json"),
    ],
)
def test_target_path__places(source, folder, target):
    """The target is beside the source, in the given folder, or where gettext looks for the language."""
    assert target_path(Path(source), "pt-BR", folder and Path(folder)) == Path(target)


@pytest.mark.parametrize(
    ("source", "from_lang", "target"),
    [
        ("a/app_en.json", "en", "a/app_pt_BR.json"),
        ("a/app_en_GB.json", "en", "a/app_pt_BR.json"),
        ("a/app_en.json", "auto", "a/pt-BR.json"),
        ("a/app_en.arb", "auto", "a/app_pt_BR.arb"),
        ("a/sign_in.json", "en", "a/pt-BR.json"),
        ("a/app.en.json", "auto", "a/app.pt-BR.json"),
    ],
)
def test_target_path__suffix(source, from_lang, target):
    """After an underscore, only the language of --from counts as one, except in ARB files."""
    assert target_path(Path(source), "pt-BR", None, from_lang) == Path(target)


def test_target_path__from_within(tmp_path, monkeypatch):
    """gettext's layout is also recognised from inside of it."""
    (tmp_path / "en" / "LC_MESSAGES").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "en" / "LC_MESSAGES")
    assert target_path(Path("django.po"), "de", None) == Path("../../de/LC_MESSAGES/django.po")


# gettext

TEMPLATE = r"""# Titles of the shop.
# Copyright, all of it.
#, fuzzy
msgid ""
msgstr ""
"Project-Id-Version: shop 1.0\n"
"Last-Translator: Jane <jane@example.com>\n"
"Content-Type: text/plain; charset=CHARSET\n"
"Plural-Forms: nplurals=INTEGER; plural=EXPRESSION;\n"
"X-Domain: shop\n"

#. Said at the door.
#: door.py:3 door.py:9
#, no-python-format
msgid "Hello 100% sir"
msgstr ""

#, python-format
msgctxt "list"
msgid "%d file"
msgid_plural "%d files"
msgstr[0] ""
msgstr[1] ""
"""

REVISED = re.compile(r"(PO-Revision-Date: )([^\\]*)")
TRANSLATED = r"""# Titles of the shop.
# Copyright, all of it.
msgid ""
msgstr ""
"Project-Id-Version: shop 1.0\n"
"Last-Translator: \n"
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"
"X-Domain: shop\n"
"PO-Revision-Date: NOW\n"
"Language-Team: \n"
"Language: de\n"
"MIME-Version: 1.0\n"
"Content-Transfer-Encoding: 8bit\n"

#. Said at the door.
#: door.py:3 door.py:9
#, no-python-format
msgid "Hello 100% sir"
msgstr "[Hello 100% sir]"

#, python-format
msgctxt "list"
msgid "%d file"
msgid_plural "%d files"
msgstr[0] "[%d file]"
msgstr[1] "[%d files]"
"""


@pytest.mark.gettext
def test_template__new_language(tmp_path):
    """A template becomes a file in the target language, with its comments and a valid header."""
    source = made(tmp_path, "shop.pot", TEMPLATE)
    before = datetime.now(UTC).replace(second=0, microsecond=0)
    told, (revised,) = REVISED.sub(r"\1NOW", translate(source)), REVISED.findall((tmp_path / "de.po").read_text())
    assert told == TRANSLATED
    assert before <= datetime.strptime(revised[1], "%Y-%m-%d %H:%M%z") <= datetime.now(UTC)
    assert compiled(tmp_path / "de.po") == ""
    assert open_catalogue(source, "de").translations() == {
        key: f"[{text}]" for key, text in open_catalogue(source, "de").texts().items()
    }


@pytest.mark.gettext
@pytest.mark.parametrize(
    ("to", "strings"),
    [
        ("de", ["[%d file]", "[%d files]"]),
        ("ru", ["[%d file]", "[%d files]", "[%d files]"]),
        ("ja", ["[%d files]"]),
        ("ar", ["[%d files]", "[%d file]", "[%d files]", "[%d files]", "[%d files]", "[%d files]"]),
    ],
)
def test_plurals__forms_of_the_language(tmp_path, to, strings):
    """There are as many forms as the language has. The form for 1 is translated from the singular."""
    target = translate(made(tmp_path, "shop.pot", TEMPLATE), to)
    written = "".join(f'msgstr[{form}] "{string}"\n' for form, string in enumerate(strings))
    assert target.endswith(f'msgid_plural "%d files"\n{written}')
    assert compiled(tmp_path / f"{to}.po") == ""


@pytest.mark.parametrize(
    ("to", "examples"), [("de", [""]), ("ru", ["", "2", "5"]), ("ja", [""]), ("ar", ["", "0", "2", "3", "11", "100"])]
)
def test_plurals__hints(tmp_path, to, examples):
    """If the plural is the source of several forms, each gets an example number."""
    catalogue = open_catalogue(made(tmp_path, "shop.pot", TEMPLATE), to)
    hints = {catalogue.hint(key) for key in catalogue.texts()}
    assert hints == {number and f"Each text is used with numbers such as {number}." for number in examples}


@pytest.mark.parametrize(
    ("to", "strings"),
    [
        ("de", ["[One file]", "[{n} files]"]),  # only for 1
        ("ru", ["[{n} files]", "[{n} files]", "[{n} files]"]),  # also for 21
        ("fr", ["[{n} files]", "[{n} files]"]),  # also for 0
    ],
)
@pytest.mark.parametrize("number", ["{n}", "%d", "%,d", "%1$,d"])
def test_plurals__singular_without_its_number(tmp_path, to, strings, number):
    """A singular that does not show the number is only used for a form that is for 1 alone."""
    entry = f'msgid "One file"\nmsgid_plural "{number} files"\nmsgstr[0] ""\nmsgstr[1] ""\n'
    target = translate(made(tmp_path, "shop.pot", entry), to)
    written = [line.split('"')[1] for line in target.splitlines() if line.startswith("msgstr[")]
    assert written == [text.replace("{n}", number) for text in strings]


@pytest.mark.parametrize(
    ("to", "rule"),
    [
        *(("es", "(n != 1)"), ("es-MX", "(n != 1)"), ("it", "(n != 1)"), ("ca", "(n != 1)")),
        *(("fr", "(n > 1)"), ("fr-CA", "(n > 1)")),
        *(("pt", "(n != 1)"), ("pt-PT", "(n != 1)"), ("pt-BR", "(n > 1)")),
        ("tlh", "(n != 1)"),
    ],
)
def test_plurals__as_msginit_writes_them(tmp_path, to, rule):
    """A new file in a Romance language has two forms, like those of gettext's own tools, whatever Babel knows.

    So has one in a language that Babel does not know.
    """
    target = translate(made(tmp_path, "shop.pot", TEMPLATE), to)
    assert f'"Plural-Forms: nplurals=2; plural={rule};\\n"' in target


@pytest.mark.parametrize(
    ("text", "translation", "said"),
    [
        ("%ld files", "viele Dateien", " files"),
        ("%ld files", "1 Datei", "1 files"),
        ("%ld of 1 file", "1 Datei", " of 1 file"),
        ("%s has %ld files", "%s hat eine", "%s has  files"),
        ("%ld files of %s", "Dateien von %s", ""),
        ("{count} files of {name}", "Dateien von {name}", " files of {name}"),
        ("$kid has {n} toys", "$kid hat es", "$kid has  toys"),
        ("{many} files of {name}", "Dateien von {name}", ""),
    ],
)
def test_with_number__in_place_of_the_placeholder(text, translation, said):
    """The placeholder of the number is left out, or replaced by the number if the translation has it."""
    assert with_number(text, 1, translation) == said


def test_plurals__all_or_none(tmp_path):
    """An entry with missing forms is not written: gettext would show the empty one."""
    catalogue = open_catalogue(made(tmp_path, "shop.pot", TEMPLATE), "de")
    singular, plural = [key for key, text in catalogue.texts().items() if "%d" in text]
    catalogue.write({singular: "%d Datei"})
    assert 'msgstr[0] ""\nmsgstr[1] ""\n' in catalogue.target.read_text()
    catalogue.write({plural: "%d Dateien"})
    assert 'msgstr[0] "%d Datei"\nmsgstr[1] "%d Dateien"\n' in catalogue.target.read_text()


def test_plurals__of_the_targets_header(tmp_path):
    """A target with a Plural-Forms header gets those forms."""
    source = made(tmp_path, "shop.pot", TEMPLATE)
    header = HEADER.format("lv") + '"Plural-Forms: nplurals=3; plural=n==0 ? 2 : n!=1;\\n"\n'
    made(tmp_path, "lv.po", header)
    assert translate(source, "lv").endswith('msgstr[0] "[%d file]"\nmsgstr[1] "[%d files]"\nmsgstr[2] "[%d files]"\n')
    for rule, fault in (("7", "a form outside its 3"), ("1/0", "divides by zero"), ("n n", "plural form")):
        made(tmp_path, "lv.po", header.replace("n!=1", rule))
        with pytest.raises(CatalogueError, match=fault):
            open_catalogue(source, "lv")


PERSONS = r"""# Von Hand
msgid ""
msgstr ""
"Language: de\n"
"Content-Type: text/plain; charset=utf-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"
"MIME-Version: 1.0\n"
"Content-Transfer-Encoding: 8bit\n"
"X-Poedit: yes\n"

#  Two  spaces
msgid "Yes"
msgstr ""
"J"
"a"

#, fuzzy, c-format
#| msgid "Not"
msgid "No\n"
msgstr "Nicht\n"

#, fuzzy
#~ msgid "Gone"
#~ msgstr "Weg"

# last
msgid "\"Quoted\"\tand\\"
msgstr ""

#~ msgid "Later"
#~ msgstr "Später"
"""


@pytest.mark.gettext
def test_po__in_place(tmp_path):
    """A person's translations, comments, header and obsolete entries stay. Fuzzy entries are replaced on request."""
    source = made(tmp_path, "de.po", PERSONS)
    expected = (
        PERSONS.replace("#, fuzzy, c-format\n", "#, c-format\n")
        .replace('#| msgid "Not"\n', "")
        .replace('msgstr "Nicht\\n"', 'msgstr ""\n"[No\\n"\n"]\\n"')
        .replace('and\\\\"\nmsgstr ""', 'and\\\\"\nmsgstr "[\\"Quoted\\"\\tand\\\\]"')
    )
    assert translate(source, fuzzy=FuzzyPolicy(overwrite=True)) == expected
    assert compiled(source) == ""
    os.utime(source, (1, 1))
    translate(source)
    assert source.stat().st_mtime == 1


def test_po__overwrite(tmp_path):
    """`overwrite` also replaces a person's translation."""
    assert 'msgid "Yes"\nmsgstr "[Yes]"\n' in translate(made(tmp_path, "de.po", PERSONS), overwrite=True)


def test_po__new_entries(tmp_path):
    """Entries that the target lacks are added after its own, before its obsolete entries."""
    made(tmp_path, "de.po", PERSONS)
    source = made(tmp_path, "shop.pot", 'msgid "Yes"\nmsgstr ""\n\n\n#: new.py:1\n#, fuzzy\nmsgid "New"\nmsgstr "?"\n')
    new = '\n#: new.py:1\nmsgid "New"\nmsgstr "[New]"\n'
    assert translate(source) == PERSONS.replace('\n#~ msgid "Later', f'{new}\n#~ msgid "Later')


def test_po__new_entries_again(tmp_path):
    """Several added entries keep their order, and can be translated again."""
    made(tmp_path, "de.po", PERSONS)
    source = made(
        tmp_path, "shop.pot", "".join(f'msgid "{name}"\nmsgstr ""\n\n' for name in ("New", "Newer", "Newest"))
    )
    catalogue = open_catalogue(source, "de", overwrite=True)
    new, newer, newest = catalogue.texts()
    catalogue.write({new: "Neu", newer: "Neuer", newest: "Neueste"})
    catalogue.write({newer: "Neuere"})
    added = "".join(
        f'\nmsgid "{name}"\nmsgstr "{text}"\n'
        for name, text in {"New": "Neu", "Newer": "Neuere", "Newest": "Neueste"}.items()
    )
    assert catalogue.target.read_text() == PERSONS.replace('\n#~ msgid "Later', f'{added}\n#~ msgid "Later')


def test_po__context_tells_apart(tmp_path):
    """The same msgid in two contexts is two texts. A failure names both by their msgid."""
    source = made(tmp_path, "shop.pot", "".join(f'msgctxt "{c}"\nmsgid "May"\nmsgstr ""\n\n' for c in "ab"))
    catalogue = open_catalogue(source, "de")
    first, second = catalogue.texts()
    assert (catalogue.name(first), catalogue.name(second)) == ("May", "May")
    catalogue.write({first: "Mai", second: "dürfen"})
    assert 'msgctxt "b"\nmsgid "May"\nmsgstr "dürfen"\n' in catalogue.target.read_text()


def test_po__crlf_and_mark(tmp_path):
    """Line ends are kept. A byte order mark is removed, because neither msgfmt nor Django accepts one."""
    content = ("\ufeff" + PERSONS.replace("\n", "\r\n")).encode()
    target = translate(made(tmp_path, "de.po", content))
    assert target.startswith("# Von Hand\r\n")
    assert target.count("\n") == target.count("\r\n") == 31


def test_po__line_separators(tmp_path):
    """Line separators other than a line break are kept in texts."""
    source = made(tmp_path, "shop.pot", 'msgid "a\u2028b\x0bc\x85"\nmsgstr ""\n')
    translate(source)
    assert list(open_catalogue(source, "de").translations().values()) == ["[a\u2028b\x0bc\x85]"]


@unhurried
@given(TEXT.filter(str.strip), TEXT.filter(lambda text: text.strip("\n").strip()))
def test_po__any_text(msgid, translation):
    """A msgid and its translation are kept, except that line breaks at the ends are those of the msgid."""
    with TemporaryDirectory() as folder:
        source = made(Path(folder), "shop.pot", f'msgid {normalize(msgid)}\nmsgstr ""\n')
        catalogue = open_catalogue(source, "de")
        ((key, text),) = catalogue.texts().items()
        assert text == msgid
        catalogue.write({key: translation})
        written = open_catalogue(source, "de").translations()[key]
        assert written.strip("\n") == translation.strip("\n")
        assert [written.startswith("\n"), written.endswith("\n")] == [msgid.startswith("\n"), msgid.endswith("\n")]


UNTOUCHED = r"""# Of the shop
# by hand
#, fuzzy
msgid ""
msgstr ""
"Project-Id-Version: shop\n"
"Language: \n"
"X-Long: a field that another program has wrapped at a place that no wrapping "
"would choose\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n"
"%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\n"

#: shop.py:1
# note after the place
#, fuzzy
#| msgid "prize"
msgid "price"
msgstr "цена"

msgid ""
"One text on "
"two lines that is longer than a line of seventy-nine characters, so it would be wrapped again"
msgstr ""
"Один текст"

#~ msgid "Gone"
#~ msgstr   "Нет"

#: shop.py:2
#,python-format,  no-wrap
msgid   "a gap"
msgstr ""

# The end."""


def test_po__untouched(tmp_path):
    """What is not translated keeps its bytes: comments, wrapping, blanks, obsolete entries and header fields."""
    target = translate(made(tmp_path, "ru.po", UNTOUCHED), "ru")
    expected = UNTOUCHED.replace('"Language: ', '"Language: ru').replace("hand\n#, fuzzy\n", "hand\n")
    assert target == expected.replace('msgstr ""\n\n# The end', 'msgstr "[a gap]"\n\n# The end')


@pytest.mark.parametrize("is_wrapped", [False, True])
def test_po__second_run(tmp_path, is_wrapped):
    """A later run adds new entries and changes nothing else. Its header does not decide how texts are wrapped."""
    words = "one two three " * 10
    entry = 'msgid "{0}"\nmsgstr ""\n'
    source = made(tmp_path, "shop.pot", entry.format(words))
    if is_wrapped:
        source.write_text(subprocess.run(["msgcat", source], capture_output=True, text=True, check=True).stdout)
    before = translate(source, "pl")
    source.write_text(source.read_text() + "\n" + entry.format("new") + "\n" + entry.format(f"new {words}"))
    after = translate(source, "pl")
    assert after.startswith(f'{before}\nmsgid "new"\nmsgstr "[new]"\n\nmsgid')
    assert (f'msgid "new {words}"' in after) != is_wrapped
    assert 'msgid "new"\nmsgstr "[new]"\n\n' in after


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('# Of a\nmsgid "a"\nmsgstr ""\n', '{}\n# Of a\nmsgid "a"\nmsgstr "[a]"\n'),
        ('# Shop\n\n# Of a\nmsgid "a"\nmsgstr ""', '# Shop\n{}\n# Of a\nmsgid "a"\nmsgstr "[a]"'),
        ('\nmsgid "a"\nmsgstr ""\n\n\n', '{}\nmsgid "a"\nmsgstr "[a]"\n\n\n'),
    ],
)
def test_po__without_a_header(tmp_path, content, expected):
    """A missing header is added after the comment of the file."""
    header = HEADER.format("de") + '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n'
    assert translate(made(tmp_path, "de.po", content)) == expected.format(header)


def test_po__another_charset(tmp_path):
    """A file with another charset than UTF-8 is refused, with the fix."""
    made(tmp_path, "de.po", PERSONS.replace("charset=utf-8", "charset=ISO-8859-1").replace("ä", "ae"))
    with pytest.raises(CatalogueError, match="its charset is ISO-8859-1: convert it with msgconv -t UTF-8"):
        open_catalogue(made(tmp_path, "shop.pot", TEMPLATE), "de")


def test_po__plural_of_one_side(tmp_path):
    """An entry with a plural in only one of source and target is refused before a model is called."""
    made(tmp_path, "de.po", HEADER.format("de") + '\nmsgctxt "list"\nmsgid "%d file"\nmsgstr "%d Datei"\n')
    source = made(tmp_path, "shop.pot", TEMPLATE)
    with pytest.raises(CatalogueError, match="'%d file' has a plural in only one of source and target: run msgmerge"):
        open_catalogue(source, "de")
    assert 'msgstr[1] "[%d files]"' in translate(source, overwrite=True)


TRICKY = r"""# Title with a blank line
#
# X <x@example.com>, 2020.
msgid ""
msgstr ""
"Project-Id-Version: a b\n"
"Language: de\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"
"X-Zed-²: kept: as it is\n"
"X-Generator: Some 1.0\n"

#No blank, and a long line that has an address in it: https://example.com/a-path/with-hyphens/and-so-on-and-on
#.Extracted
#. Twice
#:a-b.c:1 glob/*.c:2
#: other.c:3
#,no-python-format, max-length:3
#| msgctxt "old context"
#| msgid ""
#| "old "
#| "one"
msgctxt ""
msgid "tabs\tquotes\"back\\slash\\n \v\f\b\r"
msgstr "Tabs\tund \"so\"\\\n"
"weiter"

msgid "a b%s b"
msgstr " c d "

#, fuzzy, range: 0..10
#| msgid "old %d"
#| msgid_plural "olds %d"
msgid "%d thing"
msgid_plural "%d things"
msgstr[0] "%d Ding"
msgstr[1] ""
"%d "
"Dinge"

msgctxt "same"
msgid "%d thing"
msgstr "Ding"

msgid "gap"
msgstr ""

# Of the obsolete
#, c-format
#~| msgctxt "c"
#~| msgid "older"
#~ msgctxt "c"
#~ msgid "old%s"
#~ msgid_plural ""
#~ "olds"
#~ "%s"
#~ msgstr[0] "alt%s"
#~ msgstr[1] "alte%s"

# The end.
#:
"""


def shown(path: Path) -> str:
    """What GNU gettext reads in a file, in its own layout."""
    return subprocess.run(["msgcat", "--no-wrap", path], capture_output=True, text=True, check=True).stdout


def test_po__round_trip(tmp_path):
    """Everything that gettext reads in a file is still there after a text was added, and so is a comment at the end."""
    source = made(tmp_path, "de.po", TRICKY)
    before = shown(source)
    catalogue = open_catalogue(source, "de")
    (gap,) = (key for key, text in catalogue.texts().items() if text == "gap")
    catalogue.write({gap: "Lücke"})
    assert shown(source) == before.replace('msgid "gap"\nmsgstr ""', 'msgid "gap"\nmsgstr "Lücke"')
    assert source.read_text().endswith('#~ msgstr[1] "alte%s"\n\n# The end.\n#:\n')
    again = source.read_text()
    catalogue = open_catalogue(source, "de", overwrite=True)
    catalogue.write({gap: "Lücke"})
    assert source.read_text() == again


def test_po__wrapped_as_it_was(tmp_path):
    """Long texts are wrapped if the file wraps them, and on one line if it does not."""
    words = "one two three " * 10
    entry = f'msgid "{words}"\nmsgstr "{words}"\n\nmsgid "gap"\nmsgstr ""\n'
    source = made(tmp_path, "de.po", TRANSLATED + "\n" + entry)
    assert f'msgstr "{words}"\n' in translate(source)
    before = shown(source)
    wrapped = subprocess.run(["msgcat", source], capture_output=True, text=True, check=True).stdout
    source.write_text(wrapped.replace('"[gap]"', '""'))
    assert max(map(len, translate(source).splitlines())) < 80
    assert shown(source) == before


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ('msgid "a\nmsgstr ""\n', "line 1 is not valid in a gettext file"),
        ('msgid "a"\nmsgstr "b" "c"\n', "line 2 is not valid in a gettext file"),
        ('msgid "a"\nmsgstr "\\a\\033"\n', "line 2 is not valid in a gettext file, or has an escape other than"),
        ('msgid "a"\nmsgid_plural "b"\nmsgstr[10] "c"\n', "line 3 is not valid in a gettext file"),
        ('msgid "a"\n# c\nmsgid "b"\nmsgstr ""\n', "every msgid must have exactly one msgstr"),
        (
            'msgid "a"\nmsgid_plural "b"\nmsgstr[0] ""\nmsgstr[1] "c"\nmsgstr[1] "d"\n',
            "every msgid must have exactly one msgstr",
        ),
        ('msgid "a"\nmsgid_plural "b"\nmsgstr ""\n', "'a' has a plural in only one of msgid and msgstr"),
        ('msgid "a"\nmsgstr[0] ""\n', "'a' has a plural in only one of msgid and msgstr"),
        ('msgid ""\nmsgstr ""\n\nmsgid ""\nmsgstr "X: y\\n"\n', "'' occurs twice"),
        ('msgid "a"\nmsgid "a"\nmsgstr ""\nmsgstr ""\n', "(line 2): run msgfmt to find the error"),
        ('msgid "a"\nmsgstr ""\n' + '"b"\n\n#:\n' * 10_001, 'more than 10,000 lines in a row begin with "'),
        ("#c\n" * 10_001 + 'msgid "a"\nmsgstr ""\n', "more than 10,000 lines in a row begin with #"),
        ('#~ msgid ""\n' + '#~ "b"\n' * 10_001 + '#~ msgstr ""\n', 'more than 10,000 lines in a row begin with "'),
    ],
)
def test_po__refused(tmp_path, content, fault):
    """A file that polib would change or parse too slowly is refused, and stays as it is."""
    source = made(tmp_path, "de.po", content)
    with pytest.raises(CatalogueError) as refused:
        open_catalogue(source, "de")
    assert fault in str(refused.value)
    assert source.read_text() == content


@pytest.mark.parametrize("marker", ["", "#~ "])
def test_po__many_entries(tmp_path, marker):
    """Only the lines of one text or comment are limited, not how many entries follow each other."""
    entries = "".join(f'{marker}msgid "{number}"\n{marker}msgstr "b"\n\n' for number in range(5_001))
    catalogue = open_catalogue(made(tmp_path, "en.po", entries), "de")
    assert len(catalogue.texts()) == (0 if marker else 5_001)


def test_json__many_plural_texts(tmp_path):
    """Twenty thousand texts with plural forms take a second, not a minute: each is looked up once."""
    forms = {f"key{number}_{form}": form for number in range(20_000) for form in ("one", "other")}
    source = made(tmp_path, "en.json", forms)
    began = time.process_time()
    assert len(open_catalogue(source, "pl").texts()) == 80_000
    assert time.process_time() - began < 10


def test_json__nested_plural_forms(tmp_path):
    """If a key is a form of one text and the singular of another, both get their forms."""
    source = made(tmp_path, "en.json", {"x_one": "a", "x_other": "b", "x_other_plural": "c"})
    assert json.loads(translate(source)) == {"x_one": "[a]", "x_other": "[b]", "x_other_plural": "[c]"}


@pytest.mark.parametrize(
    ("name", "source", "target"),
    [
        ("en.json", {"en": {"a": "A text"}}, {"de": {"a": "A text"}}),
        ("locales/en/app.json", {"en": {"a": "A text"}}, {"de": {"a": "A text"}}),
        ("messages.json", {"en": {"a": "A text"}}, {"de": {"a": "A text"}}),
        ("locales/en/app.json", {"app": {"a": "A text"}}, {"app": {"a": "A text"}}),
        ("en.json", {"en": "English"}, {"en": "English"}),
        ("en.json", {"en": {"a": "English"}, "de": {"a": "German"}}, {"en": {"a": "English"}, "de": {"a": "German"}}),
        ("app.json", {"to": {"a": "A text"}, "id": {"a": "B text"}}, {"to": {"a": "A text"}, "id": {"a": "B text"}}),
    ],
)
def test_json__root(tmp_path, name, source, target):
    """A root that is the source's language becomes the target's."""
    catalogue = open_catalogue(made(tmp_path, name, source), "de", from_lang="en")
    catalogue.write(catalogue.texts())
    assert json.loads(catalogue.target.read_text()) == target


def test_json__several_languages(tmp_path):
    """A file with the texts of several languages is refused."""
    source = made(tmp_path, "all.json", {"de": {"a": "Ein Text"}, "fr": {"a": "Un texte"}})
    for from_lang in ("de", "fr-CA"):
        with pytest.raises(CatalogueError, match="put those of each language into a file"):
            open_catalogue(source, "it", from_lang=from_lang)


class Searched(str):
    """A text that fails if it is searched for a part of it."""

    def __contains__(self, part: object) -> bool:
        raise AssertionError("the whole source was searched for one reference")


def test_with_characters__work():
    """The references of the source stay. It is not searched again for each reference of a translation."""
    source = Searched("A &amp; B&#160;")
    assert with_characters("A &amp; B&#160;&#228; &lt;", source) == "A &amp; B&#160;ä &lt;"
