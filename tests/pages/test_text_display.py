"""Foreign text as HTML is never executed, hides nothing and is limited in length."""

import pytest

from stapel_agent.pages.text_display import DISPLAYED_CHARACTERS, indented, json_block, text_block, visible

PRE = '<pre class="agent-text" dir="auto" tabindex="0">{}</pre>'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"b":1,"a":["ü",null]}', '{\n  "b": 1,\n  "a": [\n    "ü",\n    null\n  ]\n}'),
        (" \n[1]", "[\n  1\n]"),
        ("{}", "{}"),
        ('{"cut": ', None),
        ("12", None),
        ('"text"', None),
        ("{prose}", None),
        ("", None),
    ],
)
def test_indented__json_or_not(text, expected):
    """Objects and arrays are indented, in their own order. Nothing else is shown as JSON."""
    assert indented(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50_000 + "]" * 50_000,
        "[" * 900 + "1" + "]" * 900,
        "[" * 400 + ",".join("1" * 10_000) + "]" * 400,
        "[" + "1" * 5_000 + "]",
        "[1e999, NaN]",
        "[" + ",".join("1" * DISPLAYED_CHARACTERS) + "]",
    ],
    ids=["bottomless", "deep", "exploding", "huge number", "no numbers", "too long"],
)
def test_indented__hostile(text):
    """Invalid JSON, and JSON that would become megabytes when indented, stays as it is."""
    assert indented(text) is None


def test_visible__unseen_characters():
    """Control, direction and zero-width characters and unpaired surrogates are spelled out. Line breaks stay."""
    assert visible("a\x00b\u202ec\ud800d\ufeff\u2066\x1b[0m\n\tü🙂") == (
        "a⟨U+0000⟩b⟨U+202E⟩c⟨U+D800⟩d⟨U+FEFF⟩⟨U+2066⟩⟨U+001B⟩[0m\n\tü🙂"
    )


@pytest.mark.parametrize("text", [None, ""])
def test_text_block__nothing(text):
    """No text is shown as a dash."""
    assert text_block(text) == "-"


def test_text_block__markup():
    """Markup is shown as text."""
    assert text_block("<script>alert('x')</script>&amp;") == PRE.format(
        "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&amp;amp;"
    )


def test_text_block__json():
    """JSON is indented, with the stored form below it."""
    assert text_block("[1]") == (
        PRE.format("[\n  1\n]") + "<details><summary>As stored</summary>" + PRE.format("[1]") + "</details>"
    )


def test_text_block__json_already_laid_out():
    """A stored form that equals the shown one is shown once."""
    assert text_block("[\n  1\n]") == PRE.format("[\n  1\n]")


def test_text_block__cut():
    """If a text is too long, the note says how much is missing."""
    assert text_block("<" * 5_000_000) == (
        '<p class="agent-note">The first 100,000 of 5,000,000 characters are shown; 4,900,000 are cut.</p>'
        + PRE.format("&lt;" * DISPLAYED_CHARACTERS)
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "-"),
        ({"provider": "<b>"}, PRE.format("{\n  &quot;provider&quot;: &quot;&lt;b&gt;&quot;\n}")),
        ({}, PRE.format("{}")),
        ("\ud800", PRE.format("&quot;⟨U+D800⟩&quot;")),
    ],
)
def test_json_block__values(value, expected):
    """A JSON value is indented and escaped. NULL is a dash."""
    assert json_block(value) == expected
