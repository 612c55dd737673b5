"""The formats' own tools accept the translations that we accept."""

import os
import random
import re
import subprocess
from string import Formatter

import polib
import pytest
from pyicumessageformat import Parser

from stapel_agent.catalogues.gettext_formats import FORMATS, PROTECTED, protected_signs
from stapel_agent.translation.placeholders.masking import Damaged, Protected
from tests.translation.placeholders.test_placeholder_formats import ESCAPED, HIDDEN, REFUSED, REORDERED

NEW = {"c++-format", "d-format", "go-format", "modula2-format", "ocaml-format", "rust-format", "sh-printf-format"}
"""Flags that msgfmt has since gettext 0.22 or later."""
FLAGS = sorted({*FORMATS, *PROTECTED} - {"qt-plural-format"})
TEMPLATES = [
    "%s",
    "%d",
    "{a}",
    "{0}",
    "{}",
    "%(a)s",
    "%1$s",
    "%2$d",
    "%1",
    "%2",
    "$a",
    "%@",
    "%%",
    "5%",
    "word",
    "it's",
    ":a",
]
DIRECTIVES = ["%1%", "%0:s", "%<a>d", "%qE", "%j", "%5.2f", "~a", "~d"]
"""Templates for flags without a format of their own."""
HEADER = {
    "Project-Id-Version": "a 1",
    "PO-Revision-Date": "2026-01-01 00:00+0000",
    "Last-Translator": "Somebody <somebody@example.com>",
    "Language-Team": "none",
    "Language": "de",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
}


def accepted(name, *directives):
    """Pairs of a text in the format and an accepted translation, even from a very unreliable model."""
    chosen, templates = random.Random(name), [*TEMPLATES, *DIRECTIVES] if directives else TEMPLATES
    rows = [text for format, text, *_ in [*HIDDEN, *REORDERED, *ESCAPED, *REFUSED] if format == name]
    for source in [*rows, *(" ".join(chosen.choices(templates, k=4)) for _ in range(300))]:
        protected = Protected(source, name, [*protected_signs(name, source), *directives])
        words = protected.masked.split(" ")
        for translation in (" ".join(chosen.sample(words, len(words))), protected.masked.upper(), words[0], "% s %d"):
            try:
                yield source, protected.restore(translation)
            except Damaged:
                continue


@pytest.mark.gettext
@pytest.mark.parametrize("flag", FLAGS)
def test_accepted__by_msgfmt(tmp_path, flag):
    """An accepted translation passes `msgfmt -c` with the flag of its format. An empty one does not."""
    directives = [PROTECTED[flag]] if flag in PROTECTED else []
    pairs = dict(accepted(FORMATS.get(flag, "none"), *directives))
    assert len(pairs) > 50
    assert faults(tmp_path, flag, pairs) == ""
    assert flag in NEW or any(faults(tmp_path, flag, {text: "nothing of it"}) for text in [*TEMPLATES, *DIRECTIVES])


def faults(folder, flag, pairs):
    """The errors that msgfmt reports about the pairs of texts."""
    file = polib.POFile(wrapwidth=0)
    file.metadata = HEADER
    file.extend(polib.POEntry(msgid=text, msgstr=other, flags=[flag]) for text, other in pairs.items())
    file.save(str(folder / "de.po"))
    command = ["msgfmt", "-c", "-o", os.devnull, folder / "de.po"]
    return subprocess.run(command, capture_output=True, text=True).stderr


class Anything(dict):
    """A value for every name."""

    def __missing__(self, name):
        return 1


def by_percent(text):
    """Apply Python's `%`, with a mapping if the text has names, and otherwise with as many values as it takes."""
    values = [mark for mark in re.findall(r"%.", text) if mark != "%%"]
    if "%(" in values and set(values) != {"%("}:
        raise ValueError("Python cannot format names beside values without one")
    return text % (Anything() if "%(" in values else (1,) * len(values))


def by_format(text):
    return Formatter().vformat(text, [1] * 9, Anything())


def by_icu(text):
    return sorted(re.findall(r"'name': '(\w+)'", str(Parser().parse(text))))


RUN = {"python": by_percent, "python-brace": by_format, "icu": by_icu}


@pytest.mark.parametrize("name", RUN)
def test_accepted__by_the_format(name):
    """An accepted translation can be formatted if its source can, and ICU finds the same arguments in both."""
    tried = 0
    for source, translation in accepted(name):
        try:
            expected = RUN[name](source)
        except (ValueError, TypeError, SyntaxError, KeyError, IndexError, AttributeError):
            continue
        found, tried = RUN[name](translation), tried + 1
        assert name != "icu" or found == expected
    assert tried > 50
