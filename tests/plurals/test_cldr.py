"""The plural categories of languages, compared with CLDR in Babel."""

from decimal import Decimal

import pytest
from babel import Locale, localedata
from babel.plural import PluralRule

from stapel_agent.plurals import category, cldr, forms


@pytest.mark.parametrize("ordinal", [False, True])
def test_forms__every_language(ordinal):
    """Every language of Babel has CLDR's categories, each with an example number that CLDR puts into it."""
    for identifier in {*(name.partition("_")[0] for name in localedata.locale_identifiers()), "pt_PT"}:
        locale = Locale.parse(identifier)
        rule = locale.ordinal_form if ordinal else locale.plural_form
        found = forms(identifier, ordinal=ordinal)
        assert {form.category for form in found} == {*rule.tags, "other"}, identifier
        for form in found:
            assert form.example == "" or rule(Decimal(form.example)) == form.category, (identifier, form)
        assert [form.category for form in found if not form.example] == [], identifier


@pytest.mark.parametrize(
    ("rule", "examples"),
    [
        (
            {"one": "v = 0 and i % 10 = 1", "few": "v = 0 and i % 10 = 2..4", "many": "v = 0 and i % 10 = 0,5..9"},
            {"one": "1", "few": "2", "many": "5", "other": "1.5"},
        ),
        (
            {"zero": "n = 0", "one": "n = 1", "two": "n = 2", "few": "n % 100 = 3..10", "many": "n % 100 = 11..99"},
            {"zero": "0", "one": "1", "two": "2", "few": "3", "many": "11", "other": "100"},
        ),
        ({}, {"other": "2"}),
        ({"one": "i = 0,1", "many": "i != 0 and i % 1000000 = 0"}, {"one": "1", "many": "1000000", "other": "2"}),
        ({"one": "v = 0 and i % 100 = 1", "two": "v = 0 and i = 2"}, {"one": "1", "two": "2", "other": "3"}),
    ],
    ids=["few and many", "six", "one", "rare", "two"],
)
def test_forms__examples(rule, examples, monkeypatch):
    """An example is a small number if the category has one."""
    monkeypatch.setattr(Locale, "plural_form", property(lambda locale: PluralRule(rule)))
    cldr.forms.cache_clear()
    found = {form.category: form.example for form in forms("fr")}
    cldr.forms.cache_clear()
    assert found == examples


def test_forms__for_one_number_only():
    """A category for a single whole number names it. Russian's form of 1 is also used for 21."""
    only = {
        tag: {form.category: form.only for form in forms(tag) if form.only is not None} for tag in ("en", "ru", "ar")
    }
    assert only == {"en": {"one": 1}, "ru": {}, "ar": {"zero": 0, "one": 1, "two": 2}}


def test_forms__tags():
    """A tag in any form finds the nearest language. A language that is not in CLDR has no forms."""
    assert forms("pt_PT") == forms("pt-pt") != forms("pt")
    assert forms("de-x-formal") == forms("de") == forms("de-DE-1996")
    assert (forms("auto"), forms("xx"), category("xx", "1")) == ((), (), "")
