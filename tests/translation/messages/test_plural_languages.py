"""Plural forms in messages, for every language of Babel: the categories of CLDR, and visible numbers."""

import re

import pytest
from babel import Locale, localedata

from stapel_agent.plurals import category, forms
from stapel_agent.translation.messages import fluent_plurals, icu_plurals

LANGUAGES = sorted({identifier.partition("_")[0] for identifier in localedata.locale_identifiers()} | {"pt_PT"})
NUMBERS = [*range(130), 1000, 10**6]
SOURCES = {
    "icu": {
        False: "{n, plural, one {a day} other {# days}}",
        True: "{n, selectordinal, one {#st} two {#nd} few {#rd} other {#th}}",
    },
    "fluent": {
        False: "{ $n -> [one] a day *[other] { $n } days }",
        True: '{ NUMBER($n, type: "ordinal") -> [one] { $n }st [two] { $n }nd [few] { $n }rd *[other] { $n }th }',
    },
}
EXPANDED = {"icu": icu_plurals.expanded, "fluent": fluent_plurals.expanded}
BRANCHES = {
    "icu": re.compile(r"(\w+) \{([^{}]+)\}"),
    "fluent": re.compile(r"\[(\w+)\] ((?:[^\[\]{}*]|\{ \$n \})+?) (?=\*?\[|\})"),
}


def shows_number(text):
    return "#" in text or "$n" in text


@pytest.mark.parametrize("ordinal", [False, True], ids=["cardinal", "ordinal"])
@pytest.mark.parametrize("notation", SOURCES)
def test_messages__every_language(notation, ordinal):
    """A message has the categories of CLDR in each language, and shows the number if its form is for several."""
    for tag in LANGUAGES:
        locale = Locale.parse(tag)
        rule = locale.ordinal_form if ordinal else locale.plural_form
        message = EXPANDED[notation](SOURCES[notation][ordinal], "en", tag)
        branches = dict(BRANCHES[notation].findall(message))
        assert branches.keys() == {*rule.tags, "other"}, (tag, message)
        numbers = {name: [number for number in NUMBERS if rule(number) == name] for name in branches}
        for name, text in branches.items():
            assert shows_number(text) or (numbers[name] == [1] and text == "a day"), (tag, name, message)


@pytest.mark.parametrize("notation", SOURCES)
@pytest.mark.parametrize("tag", ["ru", "pl", "ar", "cy", "sl", "ja", "lv"])
def test_messages__two_plurals(notation, tag):
    """Two plurals in one message both get their forms, one after the other or nested."""
    source = SOURCES[notation][False]
    message = EXPANDED[notation](f"{source} and {source}", "en", tag)
    found = [name for name, _ in BRANCHES[notation].findall(message)]
    assert found == [form.category for form in forms(tag)] * 2


def test_messages__example_numbers():
    """The example number of a form belongs to that form, in every language."""
    for tag in LANGUAGES:
        for ordinal in (False, True):
            message = icu_plurals.expanded(SOURCES["icu"][ordinal], "en", tag)
            names = [name for name, _ in BRANCHES["icu"].findall(message)]
            numbers = [dict(form.numbers)["n"] for form in icu_plurals.numbered(icu_plurals.nodes(message), tag)]
            assert [category(tag, number, ordinal=ordinal) for number in numbers] == names, tag
