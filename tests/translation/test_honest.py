"""The checks of translations, measured: honest ones pass, and slightly corrupted ones do not."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import django
import polib

from stapel_agent.translation.entry import Entry
from stapel_agent.translation.existing_translations import review
from stapel_agent.translation.language.language_check import is_unchanged, other_language
from tests.rows import each_row
from tests.translation.honest import HONEST, SORRY, TRANSLATIONS

MASKS = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}|<[^>]*>")
PATHS = sorted(Path(django.__file__).parent.glob("c*/**/locale/*/LC_MESSAGES/django.po"))
EVERY = 12
"""Every twelfth catalogue of Django's is read."""
MASKED = re.compile(r"differs|has a placeholder|lost '|has \d+ line breaks")
"""Errors in placeholders and line breaks, which a model sees as marks."""
MOST_REFUSED = 0.002
"""Some real translations have a wrong number, a lost letter, or a translator's remark."""

CORRUPTIONS = {
    "empty of letters": lambda text: "—",
    "an invisible filler": lambda text: text[:3] + "\u3164" + text[3:],
    "a reversed direction": lambda text: text[:3] + "\u202e" + text[3:],
    "another encoding": lambda text: text if text.isascii() else text.encode().decode("latin-1"),
    "a label": lambda text: f"Translation: {text}",
    "quotation marks": lambda text: f'"{text}"',
    "a note": lambda text: f"{text} (Note: this is a rather free version.)",
    "a pleasantry": lambda text: f"{text} Hope this helps!",
    "a fence": lambda text: f"```\n{text}",
    "a domain": lambda text: f"{text} evil.com",
    "a short address": lambda text: f"{text} bit.ly/x",
    "an escaped tag": lambda text: f"{text} \\u003cscript",
    "a wide tag": lambda text: f"{text} ＜script＞",
    "a formula": lambda text: f'=HYPERLINK("x") {text}',
    "another number": lambda text: re.sub(r"[1-9]\d+", lambda number: str(int(number[0]) + 1), text, count=1),
    "one number more": lambda text: f"{text} 317",
    "refused": lambda text: "I'm sorry, but I can't help with that request.",
    "refused in German": lambda text: "Diesen Text kann ich leider nicht übersetzen.",
    "refused in Chinese": lambda text: "抱歉，我无法协助处理这个请求。",
}


@each_row(HONEST)
def test_honest(source, translation, language):
    """All ways in which people write numbers, times, prices and apologies pass, also the check of the language."""
    assert review(Entry(source), translation, "en", language).fault == ""
    assert other_language(source, translation, "en", language) is None
    assert not is_unchanged(source, translation, "en", language)


def test_honest__languages():
    """The corpus has more than thirty languages."""
    assert len(TRANSLATIONS) > 30


@each_row(CORRUPTIONS)
def test_corrupted(kind):
    """No corruption that changes a text passes."""
    corrupted = [(source, CORRUPTIONS[kind](text), text, language) for source, text, language in HONEST]
    passed = [
        (bad, language)
        for source, bad, text, language in corrupted
        if bad != text
        and not ("refused" in kind and source == SORRY)
        and not review(Entry(source), bad, "en", language).fault
    ]
    assert passed == []


def test_honest__django():
    """Of Django's own translations into a hundred languages, at most one in five hundred is refused."""
    faults, count = Counter[str](), 0
    for path in PATHS[::EVERY]:
        language = path.parts[-3]
        for entry in polib.pofile(str(path)).translated_entries():
            if entry.msgid_plural or "\n" in entry.msgid or entry.msgid == entry.msgstr or language.startswith("en"):
                continue
            count += 1
            if Counter(MASKS.findall(entry.msgid)) == Counter(MASKS.findall(entry.msgstr)):
                fault = review(Entry(entry.msgid), entry.msgstr, "en", language).fault
                faults.update([fault] if fault and not MASKED.match(fault) else [])
    assert count > 2000
    assert faults.total() <= count * MOST_REFUSED, faults
