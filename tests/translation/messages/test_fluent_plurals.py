"""Fluent patterns with the plural variants of the target language."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stapel_agent import services
from stapel_agent.plurals import forms
from stapel_agent.testing import translating
from stapel_agent.translation.messages import fluent
from stapel_agent.translation.messages.fluent_plurals import KEY, expanded, nodes
from stapel_agent.translation.messages.icu_messages import MAX_LENGTH
from stapel_agent.translation.messages.icu_plurals import numbered

DAYS = "{ $n ->\n    [one] { $n } day\n   *[other] { $n } days\n}"
PIECES = [
    "{ $n ->", "{ $g ->\n", "\n [one] ", "\n*[other] ", " [0] ", "[m]", "text", "{ $n }", "}", "\n}", " ", '{"x"}',
    "{ -brand }",
]  # fmt: skip


@pytest.mark.parametrize("to", ["ru", "pl", "ar", "cy", "sl", "ja", "lv", "de"])
def test_cardinals(to):
    """A pattern gets the categories of CLDR, with the same indentation, and `other` stays the default."""
    names = [form.category for form in forms(to)]
    lines = [f"    [{name}] {{ $n }} {'day' if name == 'one' else 'days'}\n" for name in names[:-1]]
    assert expanded(DAYS, "en", to) == "".join(["{ $n ->\n", *lines, "   *[other] { $n } days\n}"]).replace(
        "->\n   *[other]", "->\n    *[other]"
    )


@pytest.mark.parametrize(
    ("pattern", "to", "expected"),
    [
        (
            '{ NUMBER($n, type: "ordinal") -> [one] {$n}st [two] {$n}nd *[other] {$n}th } floor',
            "cy",
            '{ NUMBER($n, type: "ordinal") -> [zero] {$n}th [one] {$n}st [two] {$n}nd [few] {$n}th [many] {$n}th'
            " *[other] {$n}th } floor",
        ),
        (
            "{ $n -> [0] none [one] one day *[other] {$n} days }",
            "ru",
            "{ $n -> [0] none [one] {$n} days [few] {$n} days [many] {$n} days *[other] {$n} days }",
        ),
        (
            "{ $n -> [one] {$name}: one day *[other] {$name}: {$n} days }",
            "ru",
            "{ $n -> [one] {$name}: {$n} days [few] {$name}: {$n} days [many] {$name}: {$n} days"
            " *[other] {$name}: {$n} days }",
        ),
        ("{ $g -> [m] his *[f] her } file", "ru", "{ $g -> [m] his *[f] her } file"),
        ("{ $n -> [one] a day *[few] days }", "ru", "{ $n -> [one] a day *[few] days }"),
        ("Hello { $name }, [one] of *[other]", "ru", "Hello { $name }, [one] of *[other]"),
        (
            "{ $g -> [m] { $n -> [one] x *[other] y } *[f] z }",
            "sl",
            "{ $g -> [m] { $n -> [one] x [two] y [few] y *[other] y } *[f] z }",
        ),
        (
            "{ $n ->\n   *[other] { $n } 日間\n}",
            "pl",
            "{ $n ->\n    [one] { $n } 日間\n    [few] { $n } 日間\n    [many] { $n } 日間\n   *[other] { $n } 日間\n}",
        ),
        ("{ $n ->\n   *[other] { $n } 日間\n}", "zh", "{ $n ->\n   *[other] { $n } 日間\n}"),
        ("{ $n ->\n   *[other] { $m } 日間\n}", "pl", "{ $n ->\n   *[other] { $m } 日間\n}"),
    ],
)
def test_patterns(pattern, to, expected):
    """Exact numbers stay, ordinals are recognised, and other selectors stay as they are."""
    assert expanded(pattern, "en", to) == expected
    assert expanded(expected, "en", to) == expected


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join), st.sampled_from(["ru", "ja", "cy"]))
def test_any_pattern(pattern, to):
    """Any pattern with selectors still has selectors afterwards."""
    found = expanded(pattern, "en", to)
    assert (fluent.structure(found) is None) == (fluent.structure(pattern) is None)
    numbered(nodes(found), to)


@pytest.mark.parametrize(
    ("opening", "depth"),
    [("{ $n ->\n [one] x\n *[other] ", 11), ("{ $n ->\n *[other] a [one] ", 40), ("{$n->*[other]", 1400)],
)
def test_hostile(opening, depth):
    """Nested selectors are not multiplied beyond the maximum length, nor followed to any depth."""
    pattern = opening * depth + "y" + "}" * depth
    assert len(expanded(pattern, "en", "ar")) <= MAX_LENGTH
    assert len(numbered(nodes(expanded(pattern, "en", "ar")), "ar")) <= 60


@pytest.mark.django_db
@pytest.mark.any_database
@pytest.mark.parametrize("to", ["ru", "ja", "ar"])
def test_translate__variants_of_the_language(scripted_model, to):
    """A map of patterns keeps its keys. Each has the variants of the language, and the model gets example numbers."""
    scripted_model.script(translating(str.upper))
    answer = services.translate("en", to, {"days": DAYS}, format="fluent")
    assert [match[2] for match in KEY.finditer(answer["result"]["days"])] == [form.category for form in forms(to)]
    assert all(f" for {form.example}" in scripted_model.requests[0].system_prompt for form in forms(to))
