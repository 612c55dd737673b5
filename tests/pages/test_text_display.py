"""Foreign text as HTML: nothing runs, nothing hides, nothing is too long."""

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
    """Objects and arrays are laid out, in their own order; anything else is no JSON to show as such."""
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
    """What cannot be read, or would indent to megabytes, is left as it is."""
    assert indented(text) is None


def test_visible__unseen_characters():
    """Control, direction and zero-width characters and half surrogates are spelled out; line breaks stay."""
    assert visible("a\x00b\u202ec\ud800d\ufeff\u2066\x1b[0m\n\tü🙂") == (
        "a⟨U+0000⟩b⟨U+202E⟩c⟨U+D800⟩d⟨U+FEFF⟩⟨U+2066⟩⟨U+001B⟩[0m\n\tü🙂"
    )


@pytest.mark.parametrize("text", [None, ""])
def test_text_block__nothing(text):
    """No text is a dash."""
    assert text_block(text) == "-"


def test_text_block__markup():
    """Markup in a text is text."""
    assert text_block("<script>alert('x')</script>&amp;") == PRE.format(
        "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&amp;amp;"
    )


def test_text_block__json():
    """JSON is laid out, and what was stored stays at hand."""
    assert text_block("[1]") == (
        PRE.format("[\n  1\n]") + "<details><summary>As stored</summary>" + PRE.format("[1]") + "</details>"
    )


def test_text_block__json_already_laid_out():
    """What is stored as it would be shown is shown once."""
    assert text_block("[\n  1\n]") == PRE.format("[\n  1\n]")


def test_text_block__cut():
    """Of a text too long to show, the note says how much is missing."""
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
    """A JSON value is laid out and escaped; NULL is a dash."""
    assert json_block(value) == expected
