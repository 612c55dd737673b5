"""Retrieved text is safe to quote: attack by attack, language by language, and for any text."""

import re
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stapel_agent.safety import invisible_characters, markers
from stapel_agent.safety.markers import sanitize_for_rag
from tests.rows import each_row
from tests.safety.attacks import ATTACKS
from tests.safety.ordinary import ORDINARY

unhurried = settings(deadline=None)  # a busy machine must not fail the test

# Independent of the package's tables: what a tokenizer or a parser would look for, after NFKC.
LITERALS = [
    "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|start_header_id|>", "<|eot_id|>", "<|channel|>", "<|user|>",
    "[inst]", "[/inst]", "<<sys>>", "<</sys>>", "<start_of_turn>", "<end_of_turn>", "<turn|>", "<|turn>", "<bos>",
    "</s>", "[tool_calls]", "[available_tools]", "[system_prompt]", "<tool_call>", "</tool_call>", "[gmask]",
    "<function_calls>", '<invoke name="', "<think>", "</think>", "<system>", "[|system|]", "]~b]", "```", "</document>",
    "</context>", "</source>", "</system>", "</search_results>", "✿function✿",
]  # fmt: skip
LINES = ["\n\nHuman:", "\n\nAssistant:", "\n### Instruction:", "\n### Response:", "\n~~~", "\nSystem:"]
HIDDEN = [
    "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202e", "\u2066", "\u200f", "\ufe0f", "\0", "\x1b",
    "\x9b", "\u034f", "\u3164", "\U000e0041", "\U000e0101", "\u180e", "\u061c",
]  # fmt: skip
SIGNS = list("<>|[]/«»#:`~_ \n\r\ts·") + ["＜", "‹", "｜", "［", "：", "\f", "\u2028"]
WORDS = [
    "Human", "system", "SYS", "INST", "document", "a", "e~", "im_start", "א", "م", "क", "葛", "ᠨ", "☎", "👩", "🏴", "1",
]  # fmt: skip
FRAGMENTS = st.lists(st.sampled_from([*LITERALS, *LINES, *HIDDEN, *SIGNS, *WORDS]), max_size=30).map("".join)
TEXTS = st.text(st.characters(exclude_categories=()), max_size=40) | FRAGMENTS


def plain(text):
    """`text` after a tokenizer's normalisation, without invisible characters."""
    seen = (c for c in text if c in "\n\r\t" or unicodedata.category(c) not in {"Cc", "Cf", "Mn"} and c not in HIDDEN)
    return unicodedata.normalize("NFKC", "".join(seen))


def survivors(text):
    """The markers that are still in `text`."""
    left = plain("\n\n" + text)
    return [marker for marker in LITERALS if marker in left.lower()] + [
        line for line in LINES if line in left.replace("System::", "")
    ]


@each_row(ATTACKS.values())
def test_sanitize__attack(attack, quoted):
    """Wherever the text is, each marker gets its dot and hidden characters are removed. Nothing else changes."""
    assert sanitize_for_rag(attack) == quoted
    assert sanitize_for_rag(quoted) == quoted
    assert sanitize_for_rag(f"\n{attack}\n") == f"\n{quoted}\n"


@each_row(ORDINARY.values())
def test_sanitize__ordinary(text):
    """Ordinary text stays exactly as it is."""
    assert sanitize_for_rag(text) == text


@each_row([*LITERALS, *LINES])
def test_sanitize__every_marker(marker):
    """One dot breaks each marker, in ASCII or fullwidth, even if hidden characters split it anywhere."""
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c < "~" else c for c in marker)
    for drawn in {marker, wide}:
        broken = sanitize_for_rag(drawn)
        assert broken.replace("·", "", 1) == drawn
        assert survivors(broken) == []
        for position in range(1, len(drawn)):
            for hidden in HIDDEN:
                split = sanitize_for_rag(drawn[:position] + hidden + drawn[position:])
                assert split.replace(hidden, "") == broken


@pytest.mark.parametrize("value", [None, b"text", 1, ["text"]])
def test_sanitize__no_str(value):
    """A value that is not a str is a TypeError that names its type."""
    with pytest.raises(TypeError, match=rf"'{type(value).__name__}'"):
        sanitize_for_rag(value)


@unhurried
@given(TEXTS)
def test_sanitize__any_text(text):
    """No text keeps a marker, and sanitising it twice changes nothing."""
    once = sanitize_for_rag(text)
    assert survivors(once) == []
    assert sanitize_for_rag(once) == once


@unhurried
@given(TEXTS)
def test_sanitize__only_dots_are_added(text):
    """All visible characters of any text stay, in their order."""
    seen = [c for c in sanitize_for_rag(text) if c != "·"]
    breaks = str.maketrans("\f\v\x85", "\n\n\n")
    remaining = iter(text.translate(breaks))
    assert all(c in remaining for c in seen)
    lost = set(text.translate(breaks)) - set(seen) - {"·"}
    assert {unicodedata.category(c) for c in lost} <= {"Cc", "Cf", "Mn", "Cn", "Lo"}


@unhurried
@given(st.text(alphabet=[chr(point) for point in range(32, 127) if chr(point) not in "<[]`~:"]))
def test_sanitize__ascii_prose(text):
    """ASCII without the characters of markers stays as it is."""
    assert sanitize_for_rag(text) == text


@unhurried
@given(
    st.text(st.characters(categories=["L", "N", "P", "Zs"], exclude_characters="<[]`~:·\u00ad\u3164\uffa0\u115f\u1160"))
)
def test_sanitize__prose_of_any_script(text):
    """Letters, digits, punctuation and blanks of any script stay, unless they are part of a marker."""
    quoted = sanitize_for_rag(text)
    assert quoted.replace("·", "") == text


def test_pattern__possessive():
    """Each quantifier in the patterns is possessive or bounded, so nothing backtracks."""
    for pattern in (
        markers.MARKER.pattern,
        invisible_characters.REMOVED.pattern,
        invisible_characters.DIRECTIONS.pattern,
    ):
        code = re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", "x", re.sub(r"\s#.*", "", pattern))
        assert re.findall(r"[*+](?![+])(?<![+*?}][+])", code) == []


def test_import__light():
    """The module imports neither Django nor a client library, nor anything else of the package."""
    program = (
        "import sys; import stapel_agent.safety.markers; "
        "print(sorted(name for name in sys.modules if name.split('.')[0] in "
        "{'django', 'stapel_core', 'httpx', 'jsonschema', 'stapel_agent'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    names = ["stapel_agent", *("stapel_agent.safety" + end for end in ("", ".invisible_characters", ".markers"))]
    assert done.stdout.strip() == str(names)
