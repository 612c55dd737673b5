"""`manage.py llm_translate` on the layouts of real projects: paths, plural forms, marks, context."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from stapel_agent.providers import ProviderResult
from stapel_agent.testing import translating
from tests.catalogues.files import made
from tests.management.test_llm_translate import row, run

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def held(path: Path) -> object:
    return json.loads(path.read_text(encoding="utf-8"))


def strings(path: Path) -> list[str]:
    return re.findall(r'msgstr(?:\[\d\])? "(.+)"', path.read_text(encoding="utf-8"))


# Layouts


def test_i18next__namespaces(tmp_path, scripted_model):
    """Each namespace of a language has its own file in the other language's folder."""
    first = made(tmp_path, "locales/en/common.json", {"title": "Common things"})
    second = made(tmp_path, "locales/en/shop.json", {"title": "A good shop"})
    deep = made(tmp_path, "locales/en/admin/users.json", {"title": "All users"})
    scripted_model.script(translating(str.upper))
    _, err = run(first, second, deep, "--to", "de", "--from", "en")
    assert err == ""
    folder = tmp_path / "locales" / "de"
    names = ("common.json", "shop.json", "admin/users.json")
    assert [held(folder / name)["title"] for name in names] == ["COMMON THINGS", "A GOOD SHOP", "ALL USERS"]


@pytest.mark.parametrize(
    ("source", "to", "target"),
    [
        ("_locales/en/messages.json", "pt-BR", "_locales/pt_BR/messages.json"),
        ("web/en-US/app.json", "de", "web/de/app.json"),
        ("i18n/messages.en.json", "fr", "i18n/messages.fr.json"),
        ("po/en/shop.po", "de", "po/de/shop.po"),
        ("locale/django.pot", "pt-br", "locale/pt_BR/LC_MESSAGES/django.po"),
        ("i18n/shop.pot", "de", "i18n/de.po"),
    ],
)
def test_layouts(tmp_path, scripted_model, monkeypatch, source, to, target):
    """The target is where the source's layout has it. The table names it from the working directory."""
    monkeypatch.chdir(tmp_path)
    content = 'msgid "A text"\nmsgstr ""\n' if ".po" in source else {"a": {"message": "A text"}}
    scripted_model.script(translating(str.upper))
    out, err = run(made(tmp_path, source, content), "--to", to)
    assert (err, (tmp_path / target).exists(), f" {target}\n" in out) == ("", True, True)


def test_template__beside_folders(tmp_path, scripted_model):
    """A template beside the folders of languages has its targets in them, and its source texts too."""
    entry = 'msgid "cart.title"\nmsgstr "{}"\n'
    header = 'msgid ""\nmsgstr ""\n"Language: en\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    made(tmp_path, "texts/en/LC_MESSAGES/shop.po", header + entry.format("A cart"))
    scripted_model.script(translating(str.upper))
    assert run(made(tmp_path, "texts/shop.pot", entry.format("")), "--from", "en", "--to", "de")[1] == ""
    assert strings(tmp_path / "texts/de/LC_MESSAGES/shop.po") == ["A CART"]


@pytest.mark.parametrize("arguments", [[], ["--out", "out"]])
def test_shared_target__refused(tmp_path, scripted_model, monkeypatch, arguments):
    """Two sources never share a target. No model is called, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    made(tmp_path, "shop.json", {"title": "A good shop"})
    made(tmp_path, "blog.json", {"title": "A good blog"})
    for sources in (["shop.json"], ["blog.json"], ["shop.json", "blog.json"]):
        _, err = run(*sources, "--to", "de", *arguments)
        assert "have the same target" in err
    assert (scripted_model.requests, [path.name for path in tmp_path.rglob("de*")]) == ([], [])


def test_shared_target__of_folders(tmp_path, scripted_model):
    """Files with the same name whose targets would go to one folder are refused too."""
    sources = [made(tmp_path, f"{name}/en.json", {"a": name}) for name in ("x", "y")]
    _, err = run(*sources, "--to", "de", "--out", tmp_path / "out")
    assert ("have the same target" in err, scripted_model.requests) == (True, [])


NAMED_BY_LANGUAGE = {
    "messages.{}.json": '{"a": "A text"}',
    "app_{}.arb": '{"a": "A text"}',
    "my_app_{}.arb": '{"a": "A text"}',
    "devise.{}.yml": "a: A text\n",
    "shop.{}.po": 'msgid "A text"\nmsgstr ""\n',
    "main.{}.ftl": "a = A text\n",
    "strings.{}.xml": '<resources><string name="a">A text</string></resources>',
    "shop.{}.strings": '"a" = "A text";\n',
    "{}.json": '{"a": "A text"}',
    "locales/{}/shop.json": '{"a": "A text"}',
    "locale/{}/LC_MESSAGES/django.po": 'msgid "A text"\nmsgstr ""\n',
    "{}.lproj/Localizable.strings": '"a" = "A text";\n',
}


@pytest.mark.parametrize("known", [[], ["--from", "en"]])
@pytest.mark.parametrize("to_folder", [False, True])
@pytest.mark.parametrize(("name", "content"), NAMED_BY_LANGUAGE.items())
def test_named_by_language__again(tmp_path, scripted_model, name, content, to_folder, known):
    """The command continues beside the translations that it has made, for the same languages and for others."""
    source = made(tmp_path, name.format("en"), content)
    options = [*known, *(["--out", tmp_path / "out"] if to_folder else [])]
    scripted_model.script(translating(str.upper))
    for targets in (["de"], ["de", "pl"], ["pl", "fr"]):
        _, err = run(source, *options, *(word for to in targets for word in ("--to", to)))
        assert err == ""
    if not to_folder:
        assert all("A TEXT" in (tmp_path / name.format(to)).read_text() for to in ("de", "pl", "fr"))


@pytest.mark.parametrize("name", ["app_{}.arb", "{}.json", "locales/{}/shop.json"])
def test_translations_among_the_sources(tmp_path, scripted_model, name):
    """Of files given by a pattern, those that are translations of another are no sources."""
    sources = [made(tmp_path, name.format(tag), {"a": "A text"}) for tag in ("de", "en", "pl")]
    scripted_model.script(translating(str.upper))
    out, err = run(*sources, "--to", "de", "--to", "pl", "--to", "fr")
    assert (err, out.count("\n"), row(out, "fr")[:2]) == ("", 4, ["0", "1"])
    assert "have the same target" in run(*sources, "--to", "fr")[1]


@pytest.mark.parametrize("place", ["locale/{}/LC_MESSAGES/django.po", "po/{}.po"])
def test_translations_among_the_sources__gettext(tmp_path, scripted_model, place):
    """Of gettext files given by a pattern, those of the language of --from are the sources."""
    sources = [made(tmp_path, place.format(tag), 'msgid "A text"\nmsgstr ""\n') for tag in ("de", "en", "pl")]
    scripted_model.script(translating(str.upper))
    out, err = run(*sources, "--from", "en", "--to", "de", "--to", "pl", "--to", "fr")
    assert (err, out.count("\n")) == ("", 4)
    assert all(strings(tmp_path / place.format(to)) == ["A TEXT"] for to in ("de", "pl", "fr"))
    assert "have the same target" in run(*sources, "--to", "de", "--to", "pl")[1]


def test_own_language__in_place(tmp_path, scripted_model):
    """A .po file in the target language is completed in place, and its translations are kept."""
    header = 'msgid ""\nmsgstr ""\n"Language: de\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    source = made(tmp_path, "shop.po", header + 'msgid "Yes"\nmsgstr "Ja"\n\nmsgid "Not now"\nmsgstr ""\n')
    scripted_model.script(translating(str.upper))
    out, err = run(source, "--to", "de")
    assert (row(out)[:2], err, strings(source)[-2:]) == (["1", "1"], "", ["Ja", "NOT NOW"])
    assert list(tmp_path.iterdir()) == [source]


# Marks

FUZZY = 'msgid "Old text"\nmsgstr ""\n\n#, fuzzy\n#| msgid "Before"\nmsgid "Other text"\nmsgstr "Vorher"\n'


def test_mark__fuzzy(tmp_path, scripted_model):
    """Machine translations are marked on request. A second run does not ask for them again."""
    source = made(tmp_path, "shop.pot", 'msgid "Old text"\nmsgstr ""\n')
    scripted_model.script(translating(str.upper))
    assert run(source, "--to", "de", "--mark", "fuzzy")[1] == ""
    assert '#, fuzzy\nmsgid "Old text"\nmsgstr "OLD TEXT"' in (tmp_path / "de.po").read_text()
    scripted_model.script("never asked")
    out, err = run(source, "--to", "de")
    assert row(out)[:2] == ["1", "0"]
    assert err == "de: 1 text is marked as fuzzy: review it, or translate it again with --overwrite-fuzzy\n"


def test_mark__not_in_json(tmp_path, scripted_model):
    """JSON cannot mark translations as fuzzy."""
    _, err = run(made(tmp_path, "en.json", {"a": "A text"}), "--to", "de", "--mark", "fuzzy")
    assert ("cannot mark translations as fuzzy" in err, scripted_model.requests) == (True, [])


@pytest.mark.parametrize(
    ("arguments", "kept", "is_marked"), [([], "Vorher", True), (["--overwrite-fuzzy"], "OTHER TEXT", False)]
)
def test_fuzzy__existing_entries(tmp_path, scripted_model, arguments, kept, is_marked):
    """A fuzzy translation stays as it is, with its mark, unless --overwrite-fuzzy is given, which a line names."""
    target = made(tmp_path, "de.po", FUZZY)
    scripted_model.script(translating(str.upper))
    _, err = run(target, "--to", "de", *arguments)
    assert err == "" if arguments else "de: 1 text is marked as fuzzy: review it, or translate" in err
    assert strings(target)[-2:] == ["OLD TEXT", kept]
    assert ("#, fuzzy\n#| msgid" in target.read_text()) == is_marked


def test_fuzzy__named_by_check(tmp_path):
    """--check also says how many texts are fuzzy. In string catalogs, these are the ones that need review."""
    assert "de: 1 text is marked as fuzzy" in run(made(tmp_path, "de.po", FUZZY), "--to", "de", "--check")[1]
    units = {tag: {"stringUnit": {"state": "needs_review", "value": tag}} for tag in ("de", "fr")}
    tree = {"sourceLanguage": "en", "strings": {name: {"localizations": units} for name in ("One", "Two")}}
    source = made(tmp_path, "App.xcstrings", tree)
    _, err = run(source, "--to", "fr")
    assert err == "fr: 2 texts are marked as fuzzy: review them, or translate them again with --overwrite-fuzzy\n"
    assert run(source, "--to", "fr", verbosity=0) == ("", "")


ARRAYS = {
    "{}.json": ('{{"n": {{"list": [{}]}}}}', '"{}"', ", ", "/n/list"),
    "{}.yml": ("{lang}:\n  list:\n{}", "    - {}\n", "", "/list"),
    "values{}/a.xml": (
        '<resources>\n  <string-array name="list">\n{}  </string-array>\n</resources>\n',
        "    <item>{}</item>\n",
        "",
        "/list",
    ),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_array__another_length(tmp_path, scripted_model, name):
    """If an array has another length in the target, its items may have moved: the command names it."""
    layout, item, between, key = ARRAYS[name]

    def array(language, *texts):
        place = {"values{}/a.xml": {"en": "", "de": "-de"}}.get(name, {}).get(language, language)
        return made(
            tmp_path,
            name.format(place),
            layout.replace("{lang}", language).format(between.join(map(item.format, texts))),
        )

    source = array("en", "First line", "Second line")
    scripted_model.script(translating(str.upper))
    for _ in range(2):
        assert run(source, "--to", "de")[1] == ""
    array("en", "First line", "New line", "Second line")
    _, err = run(source, "--to", "de")
    assert re.fullmatch(rf"de: an array differs in length from .*, so review them\n  {key}\n", err)
    assert run(source, "--to", "de")[1] == ""


def test_files__suffix_with_underscore(tmp_path, scripted_model):
    """Of files such as app_en.json and app_de.json, --from tells which is the source. Namespaces stay apart."""
    scripted_model.script(translating(str.upper))
    sources = [made(tmp_path, name, {"a": f"Text of {name}"}) for name in ("app_en.json", "shop_en.json")]
    for _ in range(2):
        files = sorted(tmp_path.glob("*.json"))
        assert run(*files, "--from", "en", "--to", "de")[1] == ""
    assert [path.name for path in files] == ["app_de.json", "app_en.json", "shop_de.json", "shop_en.json"]
    assert "with --from if their names end in it" in run(*sources, "--to", "fr")[1]


def test_files__named_twice(tmp_path, scripted_model, monkeypatch):
    """A file that is named twice, by its path and from the working directory, is translated once."""
    source = made(tmp_path, "en.json", {"a": "Text"})
    monkeypatch.chdir(tmp_path)
    scripted_model.script(translating(str.upper))
    assert row(run("en.json", source, "--to", "de")[0])[1] == "1"


# Checks and estimates


def test_check__names_the_faults(tmp_path, scripted_model):
    """--check calls no model, lists wrong translations, and changes nothing."""
    days = "{n, plural, one {# day} other {# days}}"
    texts = {"lost": "Hello {name}", "tag": "A <b>bold</b> text", "fine": "Pay {sum}", "none": "Missing", "days": days}
    source = made(tmp_path, "en.json", {**texts, "alt": '<img alt="A cat">'})
    translations = {"lost": "Hallo", "tag": "Ein <b>fetter Text", "fine": "{sum} zahlen", "days": days}
    target = made(tmp_path, "ru.json", {**translations, "alt": '<img alt="Eine Katze">'})
    before = target.read_text()
    out, err = run(source, "--to", "ru", "--check")
    assert re.findall(r"^  (/\w+)$", err, re.MULTILINE) == ["/lost", "/tag", "/days"]
    assert err.endswith("CommandError: wrong translations: 3; correct them, or delete them and run without --check\n")
    assert (out, scripted_model.requests, target.read_text()) == ("", [], before)


def test_check__all_right(tmp_path, scripted_model):
    """Correct translations pass, in other words, in another order, and with the forms of their language."""
    days = "{n, plural, one {# день} few {# дня} many {# дней} other {# дня}}"
    source = made(tmp_path, "en.json", {"a": "%(n)s of %(m)s", "d": "{n, plural, one {# day} other {# days}}"})
    made(tmp_path, "ru.json", {"a": "%(m)s, %(n)s", "d": days})
    assert run(source, "--to", "ru", "--check") == ("2 translations checked: no errors\n", "")
    assert scripted_model.requests == []


def test_check__missing(tmp_path, scripted_model):
    """--check says how many texts have no translation, which is no error."""
    source = made(tmp_path, "en.json", {"a": "Cat", "b": "Dog", "c": "Cow"})
    made(tmp_path, "de.json", {"a": "Katze"})
    checked = "1 translation checked: no errors; 2 texts without a translation\n"
    assert run(source, "--to", "de", "--check") == (checked, "")


def test_check__to_be_reviewed(tmp_path, scripted_model):
    """--check also lists what is not wrong but doubtful: untranslated texts and missed terms of the glossary."""
    texts = {"same": "Add it to the cart now", "term": "The cart is full", "fine": "Your cart"}
    source = made(tmp_path, "en.json", texts)
    made(tmp_path, "de.json", {**texts, "term": "Der Korb ist voll", "fine": "Ihr Warenkorb"})
    glossary = made(tmp_path, "terms.txt", {"cart": "Warenkorb"})
    out, err = run(source, "--from", "en", "--to", "de", "--check", "--glossary", glossary)
    assert err.splitlines() == [
        "de: the translation is the text itself, not translated; review it",
        "  /same",
        "de: the translation does not translate 'cart' as 'Warenkorb'; review it",
        "  /term",
    ]
    assert out == "3 translations checked: no errors\n"


def test_check__quoted_argument(tmp_path, scripted_model):
    """Apostrophes around an argument in ARB files are quotation marks, which Flutter does not interpret by default."""
    source = made(tmp_path, "app_en.arb", {"a": "Delete '{name}'?", "b": "Delete '{name}'?"})
    made(tmp_path, "app_hr.arb", {"a": "Izbrisati „{name}”?", "b": "Izbrisati „{ime}”?"})
    err = run(source, "--to", "hr", "--from", "en", "--check")[1]
    assert re.findall(r"^  (/\w+)$", err, re.MULTILINE) == ["/b"]


RESOURCES = '<resources><plurals name="a">{}</plurals></resources>'
ITEM = '<item quantity="{}">{}</item>'
KEEPS_IT = {"few": "%d plików", "many": "%d plików", "other": "%d pliku"}
"""The Polish forms that are for several numbers."""


def polish(tmp_path, name, forms):
    """The source file of a type with plural forms, beside its Polish translation."""
    if name == "strings.xml":
        both = [RESOURCES.format("".join(ITEM.format(*form) for form in one.items())) for one in forms]
        made(tmp_path, "values-pl/strings.xml", both[1])
        return made(tmp_path, "values/strings.xml", both[0])
    both = [{f"a_{form}": text.replace("%d", "{{count}}") for form, text in one.items()} for one in forms]
    made(tmp_path, "pl.json", both[1])
    return made(tmp_path, "en.json", both[0])


@pytest.mark.parametrize("name", ["strings.xml", "en.json"])
@pytest.mark.parametrize(
    ("forms", "wrong"),
    [
        ({"one": "jeden plik"}, 0),
        ({"one": "1 plik"}, 0),
        ({"one": "plik"}, 0),
        ({"one": "5 plików"}, 1),
        ({"one": "plik %s"}, 1),
        ({"one": "%d plik", "few": "kilka plików"}, 1),
        ({"one": "%d plik", "other": "plików"}, 1),
    ],
)
def test_check__form_for_one_number(tmp_path, scripted_model, name, forms, wrong):
    """A form that is for one number alone may say it in words, or leave it out. The others show their numbers."""
    source = polish(tmp_path, name, ({"one": "%d file", "other": "%d files"}, KEEPS_IT | forms))
    err = run(source, "--from", "en", "--to", "pl", "--check")[1]
    assert err.count(f"wrong translations: {wrong}") == bool(wrong) == bool(err)


@pytest.mark.parametrize("name", ["strings.xml", "en.json"])
@pytest.mark.parametrize(("few", "wrong"), [("%d nowe pliki", 0), ("nowe pliki", 1)])
def test_check__form_for_several_numbers(tmp_path, scripted_model, name, few, wrong):
    """A form for several numbers shows the number, whether or not the source's form for 1 does."""
    forms = KEEPS_IT | {"one": "nowy plik", "few": few}
    source = polish(tmp_path, name, ({"one": "a new file", "other": "%d new files"}, forms))
    err = run(source, "--from", "en", "--to", "pl", "--check")[1]
    assert err.count(f"wrong translations: {wrong}") == bool(wrong) == bool(err)


@pytest.mark.parametrize(
    ("text", "is_right"),
    [("Bett &amp; Frühstück", True), ("Bett&#160;&#38; Tee", True), ("Bett &lt; Tee", False), ("&unknown;", None)],
)
def test_check__references_of_xml(tmp_path, text, is_right):
    """In XML, an ampersand is a reference, also where the source has a word. A sign of markup is another matter."""
    resources = '<resources><string name="a">{}</string></resources>'
    source = made(tmp_path, "values/strings.xml", resources.format("Bed and tea"))
    made(tmp_path, "values-de/strings.xml", resources.format(text))
    out, err = run(source, "--from", "en", "--to", "de", "--check")
    assert ("no errors" in out, "wrong translations: 1" in err) == (is_right is True, is_right is False)


def test_check__plural_of_a_person(tmp_path, scripted_model):
    """Any plural form may be translated from the singular or from the plural."""
    entry = 'msgid "one file"\nmsgid_plural "%d files"\nmsgstr[0] "%d Datei"\nmsgstr[1] "{}"\n'
    header = 'msgid ""\nmsgstr ""\n"Language: de\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    assert run(made(tmp_path, "a.po", header + entry.format("%d Dateien")), "--to", "de", "--check")[1] == ""
    wrong = run(made(tmp_path, "a.po", header + entry.format("%s Dateien")), "--to", "de", "--check")[1]
    assert "CommandError: wrong translations: 1; " in wrong


def tokens_of(text: str) -> int:
    """What tokenizers make of German and English: four letters a token."""
    return len(text) // 4


def test_estimate__near_and_bound(tmp_path, scripted_model, agent):
    """--estimate calls no model. A run costs about the first figure; with answers that all fail, up to the second."""
    agent(PRICES={"claude-haiku-4-5-20251001": {"input": "1", "output": "5"}})
    source = made(tmp_path, "en.json", {f"k{n}": f"The text number {n} of a small shop" for n in range(60)})

    def german(request):
        text = translating(lambda text: f"Der Text Nummer {text.split()[3]} eines kleinen Ladens")(request)
        sent = tokens_of(request.prompt + (request.system_prompt or ""))
        return ProviderResult(text, input_tokens=sent, output_tokens=tokens_of(text))

    out, err = run(source, "--to", "de", "--from", "en", "--estimate")
    said = re.match(r"de: 60 texts, about (\d+) tokens, \$(0\.\d+); at most (\d+) tokens, \$(\d\.\d+)\n", out)
    assert (err, scripted_model.requests, (tmp_path / "de.json").exists()) == ("", [], False)
    for reply, least, most in (("no JSON at all", 0, int(said[3])), (german, 0.5, int(said[1]))):
        scripted_model.script(reply)
        spent = row(
            run(
                source,
                "--to",
                "de",
                "--from",
                "en",
            )[0]
        )
        assert least * most < int(spent[4]) + int(spent[5]) <= most


# Plural forms


@pytest.mark.parametrize(
    ("to", "source", "target"),
    [
        (
            "ru",
            {"i_one": "{{count}} item", "i_other": "{{count}} items", "j": "x y"},
            {"i_one": "{{count}} ITEM"} | {f"i_{name}": "{{count}} ITEMS" for name in ("few", "many", "other")},
        ),
        ("ja", {"i_one": "One item", "i_other": "{{count}} items"}, {"i_other": "{{count}} ITEMS"}),
        (
            "lv",
            {"i_one": "One item", "i_other": "{{count}} items"},
            {f"i_{name}": "{{count}} ITEMS" for name in ("zero", "one", "other")},
        ),
        (
            "de",
            {"i_zero": "No items", "i_one": "One item", "i_other": "{{count}} items"},
            {"i_zero": "NO ITEMS", "i_one": "ONE ITEM", "i_other": "{{count}} ITEMS"},
        ),
        (
            "cy",
            {"p_ordinal_one": "{{count}}st place", "p_ordinal_other": "{{count}}th place"},
            {"p_ordinal_one": "{{count}}ST PLACE"}
            | {f"p_ordinal_{name}": "{{count}}TH PLACE" for name in ("zero", "two", "few", "many", "other")},
        ),
        (
            "de",
            {"p_ordinal_one": "{{count}}st place", "p_ordinal_other": "{{count}}th place"},
            {"p_ordinal_other": "{{count}}TH PLACE"},
        ),
        (
            "ru",
            {"i": "{{count}} item", "i_plural": "{{count}} items"},
            {"i_0": "{{count}} ITEM", "i_1": "{{count}} ITEMS", "i_2": "{{count}} ITEMS"},
        ),
        ("ja", {"i": "One item", "i_plural": "{{count}} items"}, {"i_0": "{{count}} ITEMS"}),
        ("ja", {"i": "{{count}} item", "i_plural": "{{count}} items"}, {"i_0": "{{count}} ITEMS"}),
        (
            "sl",
            {"i": "{{count}} item", "i_plural": "{{count}} items"},
            {"i_0": "{{count}} ITEMS", "i_1": "{{count}} ITEM", "i_2": "{{count}} ITEMS", "i_3": "{{count}} ITEMS"},
        ),
        (
            "he",
            {"i": "One item", "i_plural": "{{count}} items"},
            {"i_0": "ONE ITEM", **{f"i_{number}": "{{count}} ITEMS" for number in (1, 2, 3)}},
        ),
        ("jv", {"i": "One item", "i_plural": "{{count}} items"}, {"i_0": "{{count}} ITEMS", "i_1": "{{count}} ITEMS"}),
        ("hsb", {"i": "One item", "i_plural": "{{count}} items"}, {"i": "{{count}} ITEMS"}),
        ("de", {"i": "One item", "i_plural": "{{count}} items"}, {"i": "ONE ITEM", "i_plural": "{{count}} ITEMS"}),
        (
            "pl",
            {"inbox": {"one": "One message", "other": "%{count} messages"}},
            {"inbox": {"one": "ONE MESSAGE"} | dict.fromkeys(["few", "many", "other"], "%{count} MESSAGES")},
        ),
        (
            "ja",
            {"inbox": {"one": "One message", "other": "%{count} messages"}},
            {"inbox": {"other": "%{count} MESSAGES"}},
        ),
        (
            "ja",
            {"steps": [{"i_one": "One item", "i_other": "{{count}} items"}]},
            {"steps": [{"i_other": "{{count}} ITEMS"}]},
        ),
        ("ja", {"i_one": " ", "i_other": "{{count}} items"}, {"i_one": " ", "i_other": "{{count}} ITEMS"}),
        (
            "ru",
            {"kind_other": "Something else", "one": "Number one"},
            {"kind_other": "SOMETHING ELSE", "one": "NUMBER ONE"},
        ),
    ],
)
def test_json__plural_keys(tmp_path, scripted_model, to, source, target):
    """Plural keys are those of the target language. The text of a form for several numbers shows the number."""
    scripted_model.script(translating(lambda text: re.sub(r"[a-z]+", lambda word: word[0].upper(), text)))
    path = made(tmp_path, "en.json", source)
    _, err = run(path, "--to", to, "--from", "en")
    found = held(tmp_path / f"{to}.json")
    found.pop("j", None)
    assert (err, found) == ("", target)
    scripted_model.script("never asked")
    assert run(path, "--to", to, "--from", "en")[1] == ""
    assert scripted_model.requests == []


@pytest.mark.parametrize(
    ("names", "examples"), [(("i_one", "i_other"), {"1", "2", "5", "1.5"}), (("i", "i_plural"), {"2", "5"})]
)
def test_json__forms_have_examples(tmp_path, scripted_model, names, examples):
    """Each of several forms is asked for with an example number. The singular of the older format needs none."""
    source = made(tmp_path, "en.json", dict(zip(names, ("{{count}} item", "{{count}} items"), strict=True)))
    scripted_model.script(translating(str.upper))
    run(source, "--to", "ru", "--from", "en")
    told = " ".join(request.system_prompt for request in scripted_model.requests)
    assert set(re.findall(r"numbers such as ([\d.]+)\.", told)) == examples


NUMBERS = ["%d", "%<PRIuMAX>", "%'d", "%1$d", "@count", "%1", "%n", "{n}", "{{n}}", "$n", "%{n}", "__n__"]


@pytest.mark.gettext
@pytest.mark.parametrize(
    ("number", "to"), [*((number, "ru") for number in NUMBERS), *(("%d", to) for to in ("sl", "lv", "de"))]
)
def test_gettext__forms_show_their_number(tmp_path, scripted_model, number, to):
    """A form for several numbers is translated from the text that shows the number. msgfmt accepts the file."""
    flag = "#, c-format\n" if number in ("%d", "%'d", "%<PRIuMAX>") else ""
    source = made(
        tmp_path, "shop.pot", f'{flag}msgid "one ref"\nmsgid_plural "{number} refs"\nmsgstr[0] ""\nmsgstr[1] ""\n'
    )
    scripted_model.script(translating(lambda text: text.replace("ref", "REF")))
    run(source, "--to", to, "--from", "en")
    first = strings(tmp_path / f"{to}.po")[0] if to != "de" else f"{number} REFs"
    assert first == f"{number} REFs"
    checked = subprocess.run(["msgfmt", "-c", "-o", "/dev/null", tmp_path / f"{to}.po"], capture_output=True, text=True)
    assert "fatal" not in checked.stderr and "error" not in checked.stderr, checked.stderr


# Context


def test_gettext__context_and_comments(tmp_path, scripted_model):
    """Contexts and comments are sent to the model. Source locations are sent on request."""
    entries = '#. On a button.\n#  For the shop.\n#: shop.py:3\nmsgctxt "{}"\nmsgid "Open"\nmsgstr ""\n\n'
    source = made(tmp_path, "shop.pot", "".join(entries.format(name) for name in ("verb", "adjective")))
    scripted_model.script(translating(str.upper))
    run(source, "--to", "de", "--from", "en")
    told = scripted_model.requests[0].system_prompt
    expected = ["verb", "adjective", "On a button.", "For the shop.", "shop.py:3"]
    assert [name for name in expected if name in told] == expected[:4]
    assert [list(json.loads(request.prompt).values()) for request in scripted_model.requests][0] == ["Open", "Open"]
    scripted_model.script(translating(str.upper))
    run(source, "--to", "fr", "--from", "en", "--references")
    assert "shop.py:3" in scripted_model.requests[0].system_prompt


def test_gettext__formats(tmp_path, scripted_model):
    """The flags of an entry set its format."""
    source = made(tmp_path, "shop.pot", '#, python-brace-format\nmsgid "Pay {sum} at 5%d"\nmsgstr ""\n')
    scripted_model.script(translating(str.upper))
    run(source, "--to", "de", "--from", "en")
    assert json.loads(scripted_model.requests[0].prompt) == {"1": "Pay ⟦1⟧ at 5%d"}


def test_angular__locale(tmp_path, scripted_model):
    """The `locale` of Angular's files names the language and is not translated. Elsewhere, it is a text."""
    texts = {"1": "Hello {$NAME}"}
    source = made(tmp_path, "messages.json", {"locale": "en-US", "translations": texts})
    scripted_model.script(translating(str.upper))
    assert run(source, "--to", "pt-BR")[1] == ""
    assert held(tmp_path / "pt-BR.json") == {"locale": "pt-BR", "translations": {"1": "HELLO {$NAME}"}}
    assert "is in 'en-US' already" in run(source, "--to", "en-US")[1]
    run(made(tmp_path, "app/other.json", {"locale": "Locale of the app"}), "--to", "de")
    assert held(tmp_path / "app" / "de.json") == {"locale": "LOCALE OF THE APP"}
    run(made(tmp_path, "menu/other.json", {"locale": "Language", "translations": "Texts"}), "--to", "de")
    assert held(tmp_path / "menu" / "de.json") == {"locale": "LANGUAGE", "translations": "TEXTS"}


def test_arb__messages(tmp_path, scripted_model):
    """ARB files contain ICU messages. Notes stay, and the locale becomes the target's."""
    days = "{n, plural, one{# day} other{# days}}"
    tree = {"@@locale": "en", "save": "Save it", "@save": {"description": "A button."}, "days": days}
    source = made(tmp_path, "app_en.arb", tree)
    scripted_model.script(translating(str.upper))
    assert run(source, "--to", "lv", "--from", "en")[1] == ""
    assert "A button." in scripted_model.requests[0].system_prompt
    forms = "{n, plural, zero{# DAYS} one{# DAY} other{# DAYS}}"
    assert held(tmp_path / "app_lv.arb") == {**tree, "@@locale": "lv", "save": "SAVE IT", "days": forms}


def test_json__messages_of_any_file(tmp_path, scripted_model):
    """A file that only looks like Chrome's is translated as a whole."""
    source = made(tmp_path, "en.json", {"a": {"message": "A message", "title": "A title"}})
    scripted_model.script(translating(str.upper))
    run(source, "--to", "de", "--from", "en")
    assert held(tmp_path / "de.json") == {"a": {"message": "A MESSAGE", "title": "A TITLE"}}


def test_chrome__message_that_failed(tmp_path, scripted_model):
    """A message without a translation is left out with its notes, because Chrome requires a text."""
    tree = {name: {"message": f"The {name}", "description": "A button."} for name in ("first", "second")}
    source = made(tmp_path, "_locales/en/messages.json", tree)
    scripted_model.script(lambda request: json.dumps({"1": "DIE ERSTE"} if "first" in request.prompt else {}))
    run(source, "--to", "de", "--from", "en")
    assert held(tmp_path / "_locales" / "de" / "messages.json") == {"first": {**tree["first"], "message": "DIE ERSTE"}}


def test_string_catalog__two_languages(tmp_path, scripted_model):
    """A file with all languages gets several languages in one run. Untranslated texts are listed for review."""
    strings = {"Save it now": {}, "A good shop": {"localizations": {"fr": {"stringUnit": {"value": "Bonne boutique"}}}}}
    source = made(tmp_path, "Localizable.xcstrings", {"sourceLanguage": "en", "strings": strings, "version": "1.0"})
    scripted_model.script(
        lambda request: translating(lambda text: text if text.startswith("Save") else "Guter Laden")(request)
    )
    _, err = run(source, "--to", "de", "--to", "nl", "--from", "en")
    found = {name: sorted(entry["localizations"]) for name, entry in held(source)["strings"].items()}
    assert found == {"Save it now": ["de", "nl"], "A good shop": ["de", "fr", "nl"]}
    assert "de: came back untranslated; it is in the file, to be reviewed\n  Save it now\n" in err


def test_chrome__messages(tmp_path, scripted_model):
    """In Chrome's files, only messages are translated, with their descriptions as context. Key paths are optional."""
    tree = {"save": {"message": "Save it", "description": "A button.", "placeholders": {"n": {"content": "$1"}}}}
    source = made(tmp_path, "_locales/en/messages.json", tree)
    scripted_model.script(translating(str.upper))
    run(source, "--to", "de", "--from", "en", "--key-paths")
    told = scripted_model.requests[0].system_prompt
    assert ["A button." in told, "save/message" in told] == [True, True]
    expected = {"save": {**tree["save"], "message": "SAVE IT"}}
    assert held(tmp_path / "_locales" / "de" / "messages.json") == expected
