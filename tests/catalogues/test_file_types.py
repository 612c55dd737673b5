"""The files of Android, Apple, Rails and Fluent: what is translated, what stays, and what is refused."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stapel_agent.catalogues import CatalogueError, ContextOptions, FuzzyPolicy, open_catalogue
from tests.catalogues.files import (
    ANDROID,
    FLUENT,
    RAILS,
    SOURCES,
    STRINGS,
    STRINGSDICT,
    XCSTRINGS,
    made,
    read,
    translate,
)

DOCUMENTS = [name for name in SOURCES if not name.endswith("xcstrings")]

RUSSIAN = {
    "res/values/strings.xml": r"""<?xml version="1.0" encoding="utf-8"?>
<!-- Copyright of
     the shop -->
<resources xmlns:tools="http://schemas.android.com/tools" xmlns:xliff="urn:oasis:names:tc:xliff:document:1.2">

    <!-- Section -->

    <!-- Title of the page -->
    <string name="title" tools:ignore="Typos">It!\'s \"open\" &amp; free</string>
    <string name="html"><![CDATA[<b>Hi!</b> %1$s]]></string>
    <string name="bold" product="tablet">A <b>bold</b> text for <xliff:g id="n">%1$d</xliff:g></string>
    <string name="wrapped">Two! lines</string>
    <string-array name="days">
        <item>Monday!</item>
        <item>@string/title</item>
    </string-array>
    <!-- In the basket -->
    <plurals name="files">
        <item quantity="one">%d file</item>
        <item quantity="few">%d files</item>
        <item quantity="many">%d files</item>
        <item quantity="other">%d files</item>
    </plurals>
</resources>
""",
    "en.lproj/Localizable.strings": STRINGS.replace("It's", "It!'s")
    .replace("Save %", "Save! %")
    .replace("Spread out", "Spread! out")
    .replace(r"\U00e9", "é"),
    "en.lproj/Localizable.stringsdict": STRINGSDICT.replace("No photo", "No! photo").replace(
        "\t\t\t<key>other</key>\n",
        "".join(
            f"\t\t\t<key>{name}</key>\n" + "\t\t\t<string>%d photos</string>\n" * (name != "other")
            for name in ("few", "many", "other")
        ),
    ),
    "config/locales/en.yml": RAILS.replace("en:\n", "ru:\n", 1)
    .replace("Hello", "Hello!")
    .replace("Save it", "Save! it")
    .replace("Don''t", "Don!''t")
    .replace("Bold", "Bold!")
    .replace("Sunday", "Sunday!")
    .replace("Monday", "Monday!")
    .replace(
        '    other: "%{count} messages"\n',
        "".join(f'    {name}: "%{{count}} messages"\n' for name in ("few", "many", "other")),
    )
    .replace("one message", '"%{count} messages"')
    .replace("A long\n    text", "A long text"),
    "locales/en-US/main.ftl": FLUENT.replace("Tidy Shop", "Tidy! Shop")
    .replace("Hello", "Hello!")
    .replace("First", "First!"),
}


@pytest.mark.fluent
@pytest.mark.parametrize("name", DOCUMENTS)
def test_document__new_language(tmp_path, name):
    """Everything but the translations is as in the source: comments, order, layout. Plural forms are the target's."""
    target = translate(made(tmp_path, name, SOURCES[name]), "ru")
    assert target.read_text() == RUSSIAN[name]
    read(target)
    assert (
        open_catalogue(tmp_path / name, "ru").translations().keys()
        == open_catalogue(tmp_path / name, "ru").texts().keys()
    )


def test_string_catalog__new_language(tmp_path):
    """A string catalog is its own target. Other languages, and texts that are not translated, stay as they are."""
    source = made(tmp_path, "Localizable.xcstrings", XCSTRINGS)
    assert translate(source, "ru") == source
    strings = json.loads(source.read_text())["strings"]
    forms = dict.fromkeys(("few", "many", "other"), "%lld items") | {"one": "%lld item"}
    plural = {name: {"stringUnit": {"state": "translated", "value": text}} for name, text in sorted(forms.items())}
    assert strings["%lld items"]["localizations"]["ru"] == {"variations": {"plural": plural}}
    assert strings["Save it"]["localizations"]["ru"] == {"stringUnit": {"state": "translated", "value": "Save! it"}}
    for entry in strings.values():
        entry.get("localizations", {}).pop("ru", None)
    assert strings == json.loads(XCSTRINGS)["strings"]
    kept = source.read_text()
    assert [line for line in XCSTRINGS.splitlines() if line not in kept.splitlines()] == []


def test_string_catalog__layout(tmp_path):
    """A string catalog without changes is written exactly as Xcode writes it."""
    for content in (XCSTRINGS, XCSTRINGS.rstrip(), '{\n  "sourceLanguage" : "en",\n  "strings" : {\n\n  }\n}'):
        source = made(tmp_path, "Localizable.xcstrings", content)
        catalogue = open_catalogue(source, "de")
        assert catalogue.text(catalogue.draft(), catalogue.file).text == content


@pytest.mark.fluent
@pytest.mark.parametrize(
    ("source", "to", "target"),
    [
        ("res/values/strings.xml", "de", "res/values-de/strings.xml"),
        ("res/values/strings.xml", "pt-BR", "res/values-pt-rBR/strings.xml"),
        ("res/values/strings.xml", "zh-Hans", "res/values-b+zh+Hans/strings.xml"),
        ("res/values/strings.xml", "es-419", "res/values-b+es+419/strings.xml"),
        ("res/values/strings.xml", "he", "res/values-iw/strings.xml"),
        ("res/values-en-rGB-land/strings.xml", "de", "res/values-de-land/strings.xml"),
        ("res/values-iw/strings.xml", "de", "res/values-de/strings.xml"),
        ("en.lproj/Localizable.strings", "pt-BR", "pt-BR.lproj/Localizable.strings"),
        ("Base.lproj/InfoPlist.strings", "de", "de.lproj/InfoPlist.strings"),
        ("en.lproj/Localizable.stringsdict", "zh-Hans", "zh-Hans.lproj/Localizable.stringsdict"),
        ("config/locales/en.yml", "de", "config/locales/de.yml"),
        ("config/locales/devise.en.yml", "de", "config/locales/devise.de.yml"),
        ("locales/en-US/browser/main.ftl", "pt-BR", "locales/pt-BR/browser/main.ftl"),
    ],
)
def test_target__layouts(tmp_path, source, to, target):
    """The target is where the platform looks for the language."""
    content = next(text for name, text in SOURCES.items() if name.endswith(source.rpartition(".")[2]))
    assert open_catalogue(made(tmp_path, source, content), to).target == tmp_path / target
    out = tmp_path / "out"
    assert open_catalogue(tmp_path / source, to, out).target.is_relative_to(out)


def test_target__existing_folder(tmp_path):
    """An existing folder of the language is used, even if it is spelled in another way."""
    for folder in ("res/values-b+pt+BR", "pt_BR.lproj"):
        (tmp_path / folder).mkdir(parents=True)
    sources = [made(tmp_path, name, SOURCES[name]) for name in DOCUMENTS[:2]]
    assert [open_catalogue(source, "pt-BR").target.parent.name for source in sources] == [
        "values-b+pt+BR",
        "pt_BR.lproj",
    ]


EXISTING = {
    "res/values-de/strings.xml": (
        '<resources xmlns:tools="t" xmlns:xliff="x">\n  <string name="own">Eigenes</string><!-- mine -->\n'
        '  <string name="title">Titel</string>\n'
        '  <plurals name="files">\n  <item quantity="other">%d Dateien</item>\n  </plurals>\n</resources>',
        ["title"],
    ),
    "de.lproj/Localizable.strings": ('"own"="Eigenes";\n"title"  =  "Titel %@"; // mine\n', ["title"]),
    "de.lproj/Localizable.stringsdict": (
        STRINGSDICT.replace("%d photo<", "%d Foto<").replace("%d photos<", "<"),
        ["one"],
    ),
    "config/locales/de.yml": ('de:\n  own: "Eigenes" # mine\n  title: Titel %{name}\n', ["title"]),
    "locales/de/main.ftl": ("own = Eigenes\n# mine\nhello = Hallo, { $name }!\n", ["hello"]),
}


@pytest.mark.fluent
@pytest.mark.parametrize(("source", "target"), list(zip(DOCUMENTS, EXISTING, strict=True)))
def test_document__existing_translations(tmp_path, source, target):
    """Existing values in the target stay as they are written. Missing ones are added in the source's order."""
    content, names = EXISTING[target]
    made(tmp_path, target, content)
    before = content.splitlines()
    translate(made(tmp_path, source, SOURCES[source]))
    after = (tmp_path / target).read_text()
    kept = [line for line in before if line.strip() and "string></string" not in line]
    assert [line for line in kept if line.strip() not in after] == []
    catalogue = open_catalogue(tmp_path / source, "de")
    assert catalogue.translations().keys() == catalogue.texts().keys()
    read(tmp_path / target)
    assert all(name in after for name in names)


@pytest.mark.fluent
@pytest.mark.parametrize("name", SOURCES)
def test_document__overwrite_and_again(tmp_path, name):
    """`overwrite` replaces everything. Without it, a second run changes nothing."""
    source = made(tmp_path, name, SOURCES[name])
    target = translate(source)
    first = target.read_text()
    translate(source, how=lambda text: f"{text}?")
    assert target.read_text() == first
    catalogue = open_catalogue(source, "de", overwrite=True)
    texts = catalogue.texts()
    catalogue.write(texts)
    assert {key: text.strip() for key, text in open_catalogue(source, "de").translations().items()} == {
        key: text.strip() for key, text in texts.items()
    }


def test_string_catalog__states(tmp_path):
    """Texts marked as new are untranslated. Those that need review are replaced on request. Marks can be set."""
    tree = json.loads(XCSTRINGS)
    unit = {"state": "needs_review", "value": "Sichern"}
    tree["strings"]["Save it"]["localizations"]["de"] = {"stringUnit": unit}
    tree["strings"]["%lld items"]["localizations"]["de"] = {"stringUnit": {"state": "new", "value": "%lld items"}}
    source = made(tmp_path, "Localizable.xcstrings", json.dumps(tree))
    assert open_catalogue(source, "de").translations() == {"/Save it/stringUnit": "Sichern"}
    catalogue = open_catalogue(source, "de", fuzzy=FuzzyPolicy(mark=True, overwrite=True))
    assert catalogue.translations() == {}
    catalogue.write({"/Save it/stringUnit": "Speichern"})
    written = json.loads(source.read_text())["strings"]["Save it"]["localizations"]["de"]
    assert written == {"stringUnit": {"state": "needs_review", "value": "Speichern"}}


def test_string_catalog__varied_by_a_person(tmp_path):
    """A localization that a person has varied by device is neither translated nor changed."""
    tree = json.loads(XCSTRINGS)
    device = {"variations": {"device": {"iphone": {"stringUnit": {"state": "translated", "value": "Sichern"}}}}}
    tree["strings"]["Save it"]["localizations"]["de"] = device
    source = made(tmp_path, "Localizable.xcstrings", json.dumps(tree))
    assert "/Save it/stringUnit" not in open_catalogue(source, "de").texts()
    translate(source)
    assert json.loads(source.read_text())["strings"]["Save it"]["localizations"]["de"] == device


def test_string_catalog__source_language(tmp_path):
    """The texts of `--from` are translated where there are any, and else those of the catalog's own language."""
    states = {"Save": "translated", "Open": "needs_review", "Close": "new"}
    german = {name: {"de": {"stringUnit": {"state": state, "value": f"{name}?"}}} for name, state in states.items()}
    strings = {name: {"localizations": localizations} for name, localizations in german.items()} | {"Quit": {}}
    source = made(tmp_path, "a.xcstrings", {"sourceLanguage": "en", "version": "1.0", "strings": strings})
    rows = {}
    for from_lang, to in (("auto", "fr"), ("auto", "en"), ("en", "fr"), ("de", "fr"), ("de", "en")):
        catalogue = open_catalogue(source, to, from_lang=from_lang)
        rows[from_lang, to] = [(text, catalogue.language(key)) for key, text in catalogue.texts().items()]
    own = ["Save", "Open", "Close", "Quit"]
    assert rows == {
        ("auto", "fr"): [(text, "en") for text in own],
        ("auto", "en"): [],
        ("en", "fr"): [(text, "en") for text in own],
        ("de", "fr"): [("Save?", "de"), *((text, "en") for text in own[1:])],
        ("de", "en"): [("Save?", "de")],
    }


# Plural forms

FORMS = {
    "ja": ["other"],
    "pl": ["one", "few", "many", "other"],
    "ar": ["zero", "one", "two", "few", "many", "other"],
    "sl": ["one", "two", "few", "other"],
    "lv": ["zero", "one", "other"],
}


@pytest.mark.fluent
@pytest.mark.parametrize("to", FORMS)
def test_plurals__categories(tmp_path, to):
    """Each type gets the categories of the language in CLDR. Apple and Rails also keep `zero`."""
    for name in SOURCES:
        translate(made(tmp_path, name, SOURCES[name]), to)
    android = read(tmp_path / f"res/values-{to}/strings.xml")["files"][0]
    assert [getattr(key, "value", None) or key for (key,) in android.variants] == FORMS[to]
    with_zero = [*(["zero"] if "zero" not in FORMS[to] else []), *FORMS[to]]
    photos = read(tmp_path / f"{to}.lproj/Localizable.stringsdict")["%d photos"]["photos"]
    assert [name for name in photos if not name.startswith("NS")] == with_zero
    assert list(read(tmp_path / f"config/locales/{to}.yml")[to]["inbox"]) == with_zero
    items = read(tmp_path / "Localizable.xcstrings")["strings"]["%lld items"]["localizations"][to]
    assert sorted(items["variations"]["plural"]) == sorted(FORMS[to])


def test_plurals__written_as_a_whole(tmp_path):
    """A plural with a missing form is not written, because programs need all. It is written when all are there."""
    source = made(tmp_path, "res/values/strings.xml", ANDROID)
    catalogue = open_catalogue(source, "ru")
    catalogue.write({"/files/one": "%d файл", "/title": "Заголовок"})
    assert "<plurals" not in catalogue.target.read_text()
    catalogue.write({f"/files/{name}": "%d файла" for name in ("few", "many", "other")})
    assert '<item quantity="one">%d файл</item>' in catalogue.target.read_text()
    assert open_catalogue(source, "ru").translations().keys() == {"/title", *(f"/files/{name}" for name in FORMS["pl"])}


@pytest.mark.parametrize(
    ("name", "source", "keys"),
    [
        ("ja.yml", 'ja:\n  x:\n    other: "%{count}日間"\n', ["//x/one", "//x/few", "//x/many", "//x/other"]),
        ("ja.yml", "ja:\n  x:\n    other: その他\n", ["//x/other"]),
        ("ja.json", '{"x_other": "{{count}}日間"}', ["/x_one", "/x_few", "/x_many", "/x_other"]),
        ("ja.json", '{"x": {"other": "{{ count, number }}日間"}}', ["/x/one", "/x/few", "/x/many", "/x/other"]),
        ("ja.json", '{"x_other": "その他 {{countries}}"}', ["/x_other"]),
    ],
)
def test_plurals__from_one_form(tmp_path, name, source, keys):
    """Where the source's language has one plural form, a text with the number gets the forms of the target's."""
    assert list(open_catalogue(made(tmp_path, name, source), "pl").texts()) == keys


# Context


@pytest.mark.fluent
def test_context__comments_and_limits(tmp_path):
    """Comments and length limits are sent with their text, and those on a plural with each of its forms."""
    limited = ANDROID.replace("Title of the page", "Title of the page [CHAR LIMIT=12]")
    catalogue = open_catalogue(made(tmp_path, "res/values/strings.xml", limited), "de")
    options = ContextOptions(key_paths=True)
    entries = {key: catalogue.entry(key, text, options) for key, text in catalogue.texts().items()}
    context = "Title of the page [CHAR LIMIT=12]\nKey: title"
    text = 'It\'s "open" &amp; free'
    assert entries["/title"] == {"text": text, "context": context, "format": "android", "max_length": 12}
    assert entries["/files/other"]["context"] == "In the basket\nKey: files/other"
    others = {
        "en.lproj/Localizable.strings": ("/title", "Title of the page"),
        "en.lproj/Localizable.stringsdict": ("/%d photos/photos/one", "Under an album"),
        "Localizable.xcstrings": ("/Save it/stringUnit", ""),
        "config/locales/en.yml": ("//title", "Title of the page for everybody"),
        "locales/en-US/main.ftl": ("/hello/.title", "$name (String) - of the user"),
    }
    for name, (key, comment) in others.items():
        assert open_catalogue(made(tmp_path, name, SOURCES[name]), "de").context(key, ContextOptions()) == comment


# Texts

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]) | st.sampled_from("\"'<>&\\@?#:{}[]*.% ")
)
unhurried = settings(deadline=None, max_examples=40)


@pytest.mark.parametrize(
    "name", ["en.lproj/Localizable.strings", "en.lproj/Localizable.stringsdict", "config/locales/en.yml"]
)
@unhurried
@given(text=TEXTS.filter(str.strip))
def test_texts__any(tmp_path_factory, name, text):
    """Any text is written so that this package and others read it back unchanged."""
    source = made(tmp_path_factory.mktemp("any"), name, SOURCES[name])
    catalogue = open_catalogue(source, "de")
    given = text.replace("\\", "\\\\") if name.endswith("strings") else text
    catalogue.write(dict.fromkeys(catalogue.texts(), given))
    assert set(open_catalogue(source, "de").translations().values()) == {given}
    read(catalogue.target)


@pytest.mark.fluent
@unhurried
@given(text=TEXTS.filter(str.strip))
def test_texts__any_for_android(tmp_path_factory, text):
    """Any text results in a file that others can read, and that is unchanged when written again."""
    source = made(tmp_path_factory.mktemp("any"), "res/values/strings.xml", ANDROID)
    catalogue = open_catalogue(source, "de")
    catalogue.write(dict.fromkeys(catalogue.texts(), text))
    read(catalogue.target)
    first = catalogue.target.read_text()
    written = open_catalogue(source, "de").translations()
    again = open_catalogue(source, "de", overwrite=True)
    again.write(written)
    assert again.target.read_text() == first


@pytest.mark.fluent
@unhurried
@given(text=TEXTS.filter(str.strip))
def test_texts__any_for_fluent(tmp_path_factory, text):
    """Any text without braces results in a file with the same messages."""
    source = made(tmp_path_factory.mktemp("any"), "locales/en-US/main.ftl", FLUENT)
    catalogue = open_catalogue(source, "de")
    catalogue.write(dict.fromkeys(catalogue.texts(), text.translate({ord("{"): "(", ord("}"): ")"}).strip()))
    assert read(catalogue.target).keys() == read(source).keys()


# Refusals

BOMB = '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><resources><string name="x">&b;</string></resources>'


@pytest.mark.fluent
@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("values/strings.xml", BOMB, "its DOCTYPE has declarations"),
        ("values/strings.xml", "<resources>", "it is not valid XML"),
        ("values/strings.xml", "<manifest></manifest>", "its root must be <resources>"),
        ("values/strings.xml", "<resources>" + "<a>" * 200 + "</a>" * 200 + "</resources>", "more than 100 levels"),
        ("values/strings.xml", '<?xml version="1.0" encoding="latin-1"?><resources></resources>', "save it as UTF-8"),
        ("values/strings.xml", ANDROID.replace('"html"', '"title"'), "the name 'title' occurs twice"),
        ("values/strings.xml", ANDROID.replace("<![CDATA[", "x<![CDATA["), "mixes CDATA"),
        ("values/strings.xml", ANDROID.replace('"one"', '"single"'), "an unknown or repeated quantity, 'single'"),
        ("en.lproj/a.strings", '"a" = "b"\n"c" = "d";', "the entry after line 1"),
        ("en.lproj/a.strings", '"a" = "b";\n/* open', "the entry after line"),
        ("en.lproj/a.strings", '"a" = "b";\n"a" = "c";', "the key 'a' occurs twice"),
        ("en.lproj/a.stringsdict", "<plist><array/></plist>", "its root must be <plist>"),
        ("en.lproj/a.stringsdict", STRINGSDICT.replace("<string>d</string>", "<array/>"), "unknown value <array>"),
        ("a.xcstrings", '{"sourceLanguage": "en", "strings": []}', "is not a string catalog"),
        ("a.xcstrings", '{"sourceLanguage": ["en"], "strings": {"a": {}}}', "is not a string catalog"),
        ("a.xcstrings", '{"sourceLanguage": "en", "strings": {"a": []}}', "is not a string catalog"),
        ("a.xcstrings", '{"sourceLanguage": "en", "strings": {"a": {"localizations": {"en": 3}}}}', "is not a string"),
        ("en.yml", "en:\n  a: &x y\n  b: *x\n", "line 2 has an anchor, alias or tag"),
        ("en.yml", "a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "line 1 has an anchor, alias or tag"),
        ("en.yml", "en: !ruby/object:Gem {}\n", "line 1 has an anchor, alias or tag"),
        ("en.yml", "en:\n  a: x\n---\nde:\n  a: y\n", "several documents"),
        ("en.yml", "en:\n  a: x\n  a: y\n", "line 3 has a key that is not a text, or that occurs twice"),
        ("en.yml", "en: " + "[" * 150 + "]" * 150, "more than 100 levels deep"),
        ("en.yml", "- a\n", "does not map keys"),
        ("en.ftl", "a = " + "{" * 5000, "it is nested too deeply"),
        ("en.ftl", "a = b\0", "it contains a NUL"),
        ("en.ftl", "a = b\nno message\n", "line 2 is not valid Fluent"),
        ("en.ftl", "a = b\na = c\n", "the message 'a' occurs twice"),
    ],
)
def test_refused__before_anything(tmp_path, name, content, fault):
    """A file that cannot be read, or could not be written back unchanged, is refused with the fix."""
    source = made(tmp_path, name, content)
    with pytest.raises(CatalogueError) as refused:
        open_catalogue(source, "de")
    assert fault in str(refused.value)


def test_refused__endless_yaml(tmp_path):
    """Endless nesting is refused by libyaml or, with versions that accept it, by us."""
    with pytest.raises(CatalogueError, match="it is not valid YAML|it is nested more than 100 levels deep"):
        open_catalogue(made(tmp_path, "en.yml", "en: " + "[" * 100_000), "de")


@pytest.mark.parametrize(
    ("source", "target", "content", "fault"),
    [
        ("config/locales/en.yml", "config/locales/de.yml", "de:\n    title: Titel\n", "layout: indent it"),
        ("config/locales/en.yml", "config/locales/de.yml", "de:\n  menu: {title: }\n", "layout at 'menu': indent it"),
        ("config/locales/en.yml", "config/locales/de.yml", "de:\n  menu: Menü\n", "structure at 'menu'"),
        (
            "res/values/strings.xml",
            "res/values-de/strings.xml",
            '<resources><string name="files">x</string></resources>',
            "structure at 'files'",
        ),
    ],
)
def test_refused__another_structure(tmp_path, source, target, content, fault):
    """A target with another structure is refused."""
    made(tmp_path, target, content)
    with pytest.raises(CatalogueError, match=f"differs from the source in {fault}"):
        open_catalogue(made(tmp_path, source, SOURCES[source]), "de")


def test_android__empty_tag(tmp_path):
    """An empty tag in the target is filled."""
    target = made(tmp_path, "res/values-de/strings.xml", '<resources>\n  <string name="title"/>\n</resources>\n')
    open_catalogue(made(tmp_path, "res/values/strings.xml", ANDROID), "de").write({"/title": "Der Titel"})
    assert '\n  <string name="title">Der Titel</string>\n</resources>' in target.read_text()


STRING, ARRAY = '<string name="a">A</string>', '<string-array name="a"><item>B</item></string-array>'
PLURALS = '<plurals name="a"><item quantity="one">%d c</item><item quantity="other">%d d</item></plurals>'


@pytest.mark.parametrize("theirs", ["", STRING, PLURALS, ARRAY, f"{ARRAY}\n{STRING}", f"{PLURALS}\n{ARRAY}"])
def test_android__same_name(tmp_path, theirs):
    """Resources of several types may have the same name, whichever of them the target has."""
    source = made(tmp_path, "values/strings.xml", f"<resources>\n{STRING}\n{PLURALS}\n{ARRAY}\n</resources>\n")
    target = made(tmp_path, "values-de/strings.xml", f"<resources>\n{theirs}\n</resources>\n")
    catalogue = open_catalogue(source, "de")
    assert list(catalogue.texts()) == ["/a", "/a (plurals)/one", "/a (plurals)/other", "/a (string-array)/0"]
    existing = {"/a": STRING, "/a (plurals)/one": PLURALS, "/a (plurals)/other": PLURALS, "/a (string-array)/0": ARRAY}
    assert set(catalogue.translations()) == {key for key, element in existing.items() if element in theirs}
    catalogue.write({key: f"{text}!" for key, text in catalogue.texts().items()})
    written = target.read_text()
    assert all(written.count(tag) == 1 for tag in ("<string ", "<plurals ", "<string-array "))
    assert written.count("!") == sum(element not in theirs for element in existing.values())


@pytest.mark.parametrize(
    ("ours", "theirs", "key"),
    [(PLURALS, STRING, "/a/other"), (STRING, PLURALS, "/a"), (ARRAY, f"{STRING}{PLURALS}", "/a/0")],
)
def test_android__same_name_in_target(tmp_path, ours, theirs, key):
    """If only the target has resources of several types with a name, the source's is found among them."""
    source = made(tmp_path, "values/strings.xml", f"<resources>{ours}</resources>")
    made(tmp_path, "values-de/strings.xml", f"<resources>{theirs}{ours}</resources>")
    assert key in open_catalogue(source, "de").translations()


@pytest.mark.parametrize(
    ("ours", "theirs", "written"),
    [
        (ARRAY, '<string-array name="a"/> <!-- mine -->', f"{ARRAY} <!-- mine -->"),
        (ARRAY, '<string-array name="a"></string-array>', ARRAY),
        (PLURALS, '<plurals name="a" tools:x="y" />', PLURALS.replace('"a"', '"a" tools:x="y"')),
        (STRING, '<string name="a" translatable="false">C</string>', ""),
        (STRING, '<item name="a" type="string">C</item>', ""),
        (STRING, '<item name="a" type="string"/>', '<item name="a" type="string">A</item>'),
        (STRING, '<item name="a" type="id"/>', f'{STRING}<item name="a" type="id"/>'),
        (ARRAY, '<array name="a"><item>C</item></array>', ""),
        (STRING, '<array name="a"><item>C</item></array>', f'{STRING}<array name="a"><item>C</item></array>'),
        ('<item name="a" type="string">A</item>', STRING.replace("A", "C"), ""),
    ],
)
def test_android__declared_in_another_way(tmp_path, ours, theirs, written):
    """A resource of the target is found if it is empty, an `item` or `array`, or no longer to be translated."""
    source = made(tmp_path, "values/strings.xml", f"<resources>{ours}</resources>")
    target = made(tmp_path, "values-de/strings.xml", f'<resources xmlns:tools="t">{theirs}</resources>')
    translate(source, how=str)
    assert target.read_text() == f'<resources xmlns:tools="t">{written or theirs}</resources>'


@pytest.mark.parametrize("ours", ['<array name="a"><item>B</item></array>', '<plurals name="a"/>'])
def test_android__not_translated(tmp_path, ours):
    """An `array` may hold other values than texts. Empty resources have none."""
    assert open_catalogue(made(tmp_path, "values/a.xml", f"<resources>{ours}</resources>"), "de").texts() == {}


def test_android__comment_in_a_text(tmp_path):
    """A comment in a text is for the translator. It is not translated, and an existing translation keeps its own."""
    strings = '<resources>\n    <string name="{}">{}</string>\n    <string name="b">{}</string>\n</resources>\n'
    source = made(tmp_path, "res/values/a.xml", strings.format("a", "%1$d left", "Vote<!-- the button --> now"))
    target = made(tmp_path, "res/values-de/a.xml", strings.format("a", " <!-- 5 übrig --> %1$d übrig", ""))
    catalogue = open_catalogue(source, "de")
    assert (catalogue.texts(), catalogue.translations()) == (
        {"/a": "%1$d left", "/b": "Vote now"},
        {"/a": "%1$d übrig"},
    )
    assert catalogue.comment("/b") == "the button"
    catalogue.write({"/b": "Jetzt wählen"})
    assert target.read_text() == strings.format("a", " <!-- 5 übrig --> %1$d übrig", "Jetzt wählen")


@pytest.mark.fluent
def test_android__markup(tmp_path):
    """Well-formed markup stays markup, with `&` in its attributes escaped. Other markup becomes text."""
    catalogue = open_catalogue(made(tmp_path, "res/values/strings.xml", ANDROID), "de")
    catalogue.write({"/title": '<a href="?a=1&b=2">l\'ami</a>', "/wrapped": "<b>Fett"})
    written = catalogue.target.read_text()
    assert """>@<a href="?a=1&amp;b=2">l\\'ami</a></string>""".replace("@", "") in written
    assert ">&lt;b>Fett</string>" in written
    read(catalogue.target)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Tom &amp; J&eacute;r&ocirc;me&nbsp;!", "Tom &amp; Jérôme\u00a0!"),
        ("<b>&rsquo;</b> &AMP; &LT; &#8217; &#xe9; &apos;", "<b>’</b> &amp; &lt; &#8217; &#xe9; &apos;"),
        ('<a title="R&amp;D&nbsp;&AMP;">x</a>', '<a title="R&amp;D\u00a0&amp;">x</a>'),
        (
            "&unknown; &été; &#0; &#xd800; &#X41; &amp;nbsp;",
            "&amp;unknown; &amp;été; &amp;#0; &amp;#xd800; &amp;#X41; &amp;nbsp;",
        ),
        ("&nbsp; <b>", "\u00a0 &lt;b>"),
    ],
)
def test_android__references(tmp_path, text, written):
    """References that XML does not know become their characters, and whatever is none becomes text."""
    source = made(tmp_path, "values/strings.xml", '<resources><string name="a">A &amp; <b>B</b></string></resources>')
    target = translate(source, how=lambda _: text)
    assert target.read_text() == f'<resources><string name="a">{written}</string></resources>'
    assert list(open_catalogue(source, "de").translations()) == ["/a"]


def test_rails__values_of_a_person(tmp_path):
    """Blanks, numbers and symbols in the target are values. So is one text in place of plural forms, or the reverse."""
    source = """en:
  delimiter: ","
  order: [year, month]
  hours:
    one: One hour
    other: "%{count} hours"
  days: Some days
  name: The name
"""
    target = """de:
  delimiter: " "
  order:
  - :month
  - :year
  hours: "%{count} Stunden"
  days:
    one: Ein Tag
    other: Tage
"""
    made(tmp_path, "de.yml", target)
    assert translate(made(tmp_path, "en.yml", source)).read_text() == f"{target}  name: The! name\n"
    assert open_catalogue(tmp_path / "en.yml", "de").texts().keys() == {
        *("//delimiter", "//order/0", "//order/1", "//name")
    }


@pytest.mark.parametrize(
    ("target", "written"),
    [
        ("  a:\n  block:\n", "  a: A text\n  block: |\n    First\n    second\n"),
        ("  a: \n  block: \n", '  a: A text \n  block: "First\\nsecond\\n" \n'),
        ("  a: # todo\n  block: ~ # todo\n", '  a: A text # todo\n  block: "First\\nsecond\\n" # todo\n'),
        ("  'a':\n  block: ''\n", "  'a': A text\n  block: |\n    First\n    second\n"),
        ("  items:\n    -\n    - # two\n", "  items:\n    - One item\n    - Two items # two\n"),
        ("  flow: {b: , c, d: }\n", "  flow: {b: B text, c: C text, d: D text}\n"),
    ],
)
def test_rails__empty_values(tmp_path, target, written):
    """A value is written so that it is separate from its key, and from a comment after it."""
    block = "  a: A text\n  block: |\n    First\n    second\n"
    source = f"{block}  items:\n    - One item\n    - Two items\n  flow: {{b: B text, c: C text, d: D text}}\n"
    made(tmp_path, "de.yml", f"de:\n{target}")
    path = translate(made(tmp_path, "en.yml", f"en:\n{source}"), how=str)
    assert written in path.read_text()
    assert read(path)["de"] == read(tmp_path / "en.yml")["en"]


def test_rails__several_languages(tmp_path):
    """A file with the texts of several languages is refused. Other keys at the root may look like languages."""
    source = made(tmp_path, "all.yml", "en:\n  a: A text\nde-AT:\n  a: Ein Text\n")
    with pytest.raises(CatalogueError, match="put those of each language into a file"):
        open_catalogue(source, "fr")
    texts = open_catalogue(made(tmp_path, "app.yml", "to:\n  a: A text\nid:\n  a: B text\n"), "fr").texts()
    assert texts == {"/to/a": "A text", "/id/a": "B text"}


def test_rails__norwegian(tmp_path):
    """A language code that YAML reads as a boolean is quoted."""
    target = translate(made(tmp_path, "config/locales/en.yml", RAILS), "no")
    assert list(read(target)) == ["no"]


@pytest.mark.fluent
def test_android__prefixes(tmp_path):
    """A target declares the prefixes of the source, because its markup may use them."""
    target = made(tmp_path, "res/values-de/strings.xml", '<resources xmlns:tools="t"></resources>')
    translate(made(tmp_path, "res/values/strings.xml", ANDROID))
    head = '<resources xmlns:tools="t" xmlns:xliff="urn:oasis:names:tc:xliff:document:1.2">'
    assert target.read_text().startswith(head)
    read(target)


@pytest.mark.fluent
@pytest.mark.parametrize(
    ("ours", "theirs", "written"),
    [
        ("a = Text\n", "a =\n    .title = Titel\n", "a = Text!\n    .title = Titel\n"),
        ("a =\n    Text\n    .b = B\n", "a =\n    .b = C\n", "a =\n    Text!\n    .b = C\n"),
        ("a =\n    .b = B\n", "a = Text\n", "a = Text\n    .b = B!\n"),
        ("a = Text\n    .b = B\n    .c = C\n", "a =\n    .c = D\n", "a = Text!\n    .b = B!\n    .c = D\n"),
    ],
)
def test_fluent__value_or_attributes(tmp_path, ours, theirs, written):
    """A value goes before the attributes, whichever of them the target has."""
    made(tmp_path, "de/main.ftl", theirs)
    target = translate(made(tmp_path, "en/main.ftl", ours), how=lambda text: f"{text}!")
    assert target.read_text() == written


def test_fluent__not_installed(tmp_path, monkeypatch):
    """Without the extra, the error names the package."""
    monkeypatch.setitem(__import__("sys").modules, "fluent", None)
    with pytest.raises(CatalogueError, match=r"pip install 'fluent\.syntax"):
        open_catalogue(made(tmp_path, "en.ftl", FLUENT), "de")


@pytest.mark.fluent
@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_document__line_ends(tmp_path, name, newline):
    """Line ends are kept."""
    source = tmp_path / name
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_bytes(SOURCES[name].replace("\n", newline).encode())
    content = translate(source).read_bytes()
    assert content.count(b"\n") - content.count(b"\r\n") == (0 if newline == "\r\n" else content.count(b"\n"))


@pytest.mark.parametrize(
    ("target", "written"),
    [
        (b'{\r\n "a": "x",\n "b": "y"\r\n}\n', b'{\r\n "a": "x",\n "b": "y",\r\n "c": "C text"\r\n}\n'),
        (
            b'\xef\xbb\xbf{\n "c": "",\r\n "b": "y", "a": "x"\r\n}',
            b'\xef\xbb\xbf{\n "c": "C text",\n "b": "y", "a": "x"\r\n}',
        ),
    ],
)
def test_json__mixed_line_ends(tmp_path, target, written):
    """Lines that do not change keep their line ends. Others get those of the first line."""
    path = made(tmp_path, "de.json", target)
    translate(made(tmp_path, "en.json", '{"a": "A text", "b": "B text", "c": "C text"}'), how=str)
    assert path.read_bytes() == written
