"""ICU messages with the plural forms of the target language."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stapel_agent import services
from stapel_agent.plurals import forms
from stapel_agent.testing import translating
from stapel_agent.translation.messages.icu_messages import MAX_LENGTH, structure
from stapel_agent.translation.messages.icu_plurals import expanded, nodes, numbered
from tests.rows import each_row
from tests.steps import steps_of
from tests.translation.messages.test_icu_messages import PIECES

unhurried = settings(deadline=None)  # a busy machine must not fail the test

DAYS = "{n, plural, one {# day} other {# days}}"


@each_row(
    [
        ("ru", "{n, plural, one {# day} few {# days} many {# days} other {# days}}"),
        ("pl", "{n, plural, one {# day} few {# days} many {# days} other {# days}}"),
        ("ar", "{n, plural, zero {# days} one {# day} two {# days} few {# days} many {# days} other {# days}}"),
        ("cy", "{n, plural, zero {# days} one {# day} two {# days} few {# days} many {# days} other {# days}}"),
        ("sl", "{n, plural, one {# day} two {# days} few {# days} other {# days}}"),
        ("ja", "{n, plural, other {# days}}"),
        ("lv", "{n, plural, zero {# days} one {# day} other {# days}}"),
        ("de", DAYS),
        ("xx", DAYS),
    ]
)
def test_cardinals(to, message):
    """A message gets the categories of the target language, and loses those that the language does not use."""
    assert expanded(DAYS, "en", to) == message


@each_row(
    [
        # Ordinals: by the source's form for the same number
        (
            "{n,selectordinal,one{#st}two{#nd}few{#rd}other{#th}}",
            "cy",
            "{n,selectordinal,zero{#th}one{#st}two{#nd}few{#rd}many{#th}other{#th}}",
        ),
        ("{n, selectordinal, one {#st} two {#nd} few {#rd} other {#th}}", "ru", "{n, selectordinal, other {#th}}"),
        ("{n, selectordinal, other {#th}}", "it", "{n, selectordinal, many {#th} other {#th}}"),
        (
            "{n, selectordinal, other {#.}}{n, plural, other {}}",
            "it",
            "{n, selectordinal, other {#.}}{n, plural, other {}}",
        ),
        # A form of several numbers names the number, by # or by name
        ("{n, plural, one {a day} other {# days}}", "lv", "{n, plural, zero {# days} one {# days} other {# days}}"),
        (
            "{n, plural, one {a day} other {{n, number} x}}",
            "lt",
            "{n, plural, one {{n, number} x} few {{n, number} x} many {{n, number} x} other {{n, number} x}}",
        ),
        ("{n, plural, one {a day} other {# days}}", "es", "{n, plural, one {a day} many {# days} other {# days}}"),
        ("{n, plural, one {a day} other {days}}", "lv", "{n, plural, zero {days} one {a day} other {days}}"),
        # The # of an inner plural is not that of the outer
        (
            "{n, plural, one {{m, plural, other {#}}} other {# x}}",
            "lv",
            "{n, plural, zero {# x} one {# x} other {# x}}",
        ),
        # Explicit cases and offsets stay where they are
        (
            "{n, plural, offset:1 =0 {none} =1 {you} one {you and #} other {you and # more}}",
            "pl",
            "{n, plural, offset:1 =0 {none} =1 {you} one {you and #} few {you and # more} many {you and # more} "
            "other {you and # more}}",
        ),
        ("{n, plural, =0{no} other{#d} =7{seven}}", "de", "{n, plural, =0{no} one{#d} other{#d} =7{seven}}"),
        # Nested in a select, in a plural, in text, in a tag
        (
            "<b>{g, select, a {{n, plural, one {# x} other {# y}}} other {z}}</b> {name}!",
            "cs",
            "<b>{g, select, a {{n, plural, one {# x} few {# y} many {# y} other {# y}}} other {z}}</b> {name}!",
        ),
        (
            "{a, plural, one {{b, plural, one {x} other {y}}} other {z}}",
            "ja",
            "{a, plural, other {z}}",
        ),
        # Quoted syntax, blanks and line breaks
        (
            "{n, plural,\n  one {it''s '{#}' #}\n  other {#}\n}",
            "ja",
            "{n, plural,\n  other {#}\n}",
        ),
        (
            "{n, plural,\n  one {#}\n  other {#s}\n}",
            "sl",
            "{n, plural,\n  one {#}\n  two {#s}\n  few {#s}\n  other {#s}\n}",
        ),
        # Angular's expressions are arguments
        (
            "{n, plural, =0 {no} one {a file} other {{{ n | number }} files}}",
            "ru",
            "{n, plural, =0 {no} one {{{ n | number }} files} few {{{ n | number }} files} "
            "many {{{ n | number }} files} other {{{ n | number }} files}}",
        ),
        # No plural, or none that is whole
        ("{g, select, a {x} other {y}}", "ru", "{g, select, a {x} other {y}}"),
        ("{n, plural, one {x}}", "ru", "{n, plural, one {x}}"),
        ("{n, plural, lots {x} other {y}}", "ru", "{n, plural, lots {x} other {y}}"),
        ("{n, plural, one {x", "ru", "{n, plural, one {x"),
        ("The word plural, {n}", "ru", "The word plural, {n}"),
    ]
)
def test_messages(message, to, expected):
    """Each form is made from the source's form for the same number. Other branches stay as they are."""
    assert expanded(message, "en", to) == expected
    assert expanded(expected, "en", to) == expected


def test_unknown_source():
    """If the source language is unknown, forms are matched by name."""
    assert expanded("{n, plural, one {a} few {b} many {c} other {d}}", "auto", "ar") == (
        "{n, plural, zero {d} one {a} two {d} few {b} many {c} other {d}}"
    )


def test_numbered():
    """Where each form begins, with example numbers, including those of the plurals around it."""
    message = "All {n, plural, =0 {no} one {#} other {{m, plural, one {x} other {y}}}} {k, plural, one {p} other {q}}"
    message = expanded(message, "en", "ja")
    found = numbered(nodes(message), "ja")
    assert message == "All {n, plural, =0 {no} other {{m, plural, other {y}}}} {k, plural, other {q}}"
    assert [(message[form.start :][:2], form.numbers) for form in found] == [
        ("no", (("n", "0"),)),
        ("{m", (("n", "2"),)),
        ("y}", (("n", "2"), ("m", "2"))),
        ("q}", (("k", "2"),)),
    ]


@unhurried
@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join), st.sampled_from(["ru", "ja", "cy", "de"]))
def test_any_message(text, to):
    """Any message is still a message with the other language's forms, and expanding it again changes nothing."""
    message = expanded(text, "en", to)
    assert (structure(message) is None) == (structure(text) is None)
    assert expanded(message, "en", to) == message
    numbered(nodes(message), to)


@pytest.mark.parametrize(
    ("opening", "depth"),
    [("{n, plural, one {x} other {", 11), ("{n, plural, one {{n} {#} {#}} other {x", 11), ("{n, plural, other {", 40)],
)
def test_hostile(opening, depth):
    """Nested plurals are not multiplied beyond the maximum length, and cost little."""
    text = opening * depth + "y" + "}}" * depth
    assert len(expanded(text, "en", "ar")) <= MAX_LENGTH
    assert len(numbered(nodes(expanded(text, "en", "ar")), "ar")) <= 60
    for number in range(1, depth):
        text = opening * number + "y" + "}}" * number
        assert steps_of(lambda text=text: numbered(nodes(expanded(text, "en", "ar")), "ar")) < 40 * MAX_LENGTH


@pytest.mark.django_db
@pytest.mark.any_database
@pytest.mark.parametrize("to", ["ru", "pl", "ar", "cy", "sl", "ja", "lv"])
def test_translate__forms_of_the_language(scripted_model, to):
    """A map keeps its keys. Each message has CLDR's categories, and the model gets an example number for each form."""
    scripted_model.script(translating(str.upper))
    answer = services.translate("en", to, {"days": DAYS, "place": "{n, selectordinal, one {#st} other {#th}} place"})
    assert (answer["status"], answer["result"].keys()) == ("ok", {"days", "place"})
    for key, ordinal in (("days", False), ("place", True)):
        selectors = re.findall(r"(\w+) \{[^{}]+\}", answer["result"][key])
        assert selectors == [form.category for form in forms(to, ordinal=ordinal)]
    request, *_ = scripted_model.requests
    examples = re.findall(r"after ⟦\d+⟧ for ([\d.]+)", request.system_prompt)
    assert examples == [form.example for ordinal in (False, True) for form in forms(to, ordinal=ordinal)]


@pytest.mark.django_db
@pytest.mark.any_database
def test_translate__missing_form(scripted_model):
    """A model that leaves out a form gets a correction, and its answer is not accepted."""

    def forgetful(request):
        reply = json.loads(translating(str.upper)(request))
        return json.dumps({key: text.replace("⟦5⟧⟦6⟧ DAYS", "") for key, text in reply.items()})

    scripted_model.script(forgetful)
    answer = services.translate("en", "ru", {"days": DAYS})
    assert answer["failed"] == {"days": "invalid_answer: the translation lost '} many {', '#'"}


@pytest.mark.django_db
@pytest.mark.any_database
def test_translate__no_message(scripted_model):
    """In a format whose braces are not ICU messages, branches stay as they are."""
    scripted_model.script(translating(str.upper))
    answer = services.translate("en", "ru", {"days": DAYS}, format="none")
    assert "FEW" not in answer["result"]["days"].upper()
