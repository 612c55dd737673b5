"""The entries of a gettext file, each with its lines as they stand.

Babel's own reader and writer lose what they have no place for: unknown header fields, previous msgids, the flag
no-python-format, the layout of comments. Here only the lines of a translation change.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from babel.messages.pofile import normalize, unescape

STRING = r'("(?:[^"\\]|\\.)*+")\s*+'
FIELD = re.compile(r"(msgctxt|msgid|msgid_plural|msgstr|msgstr\[\d{1,2}\])[ \t]*+" + STRING)
CONTINUATION = re.compile(r"\s*+" + STRING)


@dataclass
class Entry:
    """Its lines, with the blank ones and comments before it, and its texts by keyword: none if it is obsolete."""

    number: int
    lines: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> tuple[str | None, str | None]:
        """What gettext looks an entry up by: context and msgid."""
        return self.texts.get("msgctxt"), self.texts.get("msgid")

    @property
    def is_header(self) -> bool:
        return self.identity == (None, "")

    @property
    def is_fuzzy(self) -> bool:
        return any("fuzzy" in _flags(line) for line in self.lines)

    @property
    def is_plural(self) -> bool:
        return "msgid_plural" in self.texts

    @property
    def is_obsolete(self) -> bool:
        return not self.texts and any(line.startswith("#~") for line in self.lines[-1:])

    @property
    def strings(self) -> dict[str, str]:
        """The translations, by keyword."""
        return {keyword: text for keyword, text in self.texts.items() if keyword.startswith("msgstr")}

    def with_strings(self, strings: Mapping[str, str]) -> Entry:
        """This entry with other translations, and so no longer fuzzy, and without the msgid it had before."""
        lines = []
        for line in self.lines:
            if line.startswith("msgstr"):
                break
            flags = _flags(line)
            if "fuzzy" in flags:
                flags.remove("fuzzy")
                line = "#, " + ", ".join(flags)
            if flags or not line.startswith(("#,", "#|")):
                lines.append(line)
        for keyword, text in strings.items():
            lines += f"{keyword} {normalize(text, width=0)}".split("\n")
        texts = {keyword: text for keyword, text in self.texts.items() if not keyword.startswith("msgstr")}
        return Entry(self.number, lines, {**texts, **strings})


def read_entries(text: str) -> list[Entry]:
    """All that is in a file, in its order. Raises ValueError that names a line."""
    entries = [Entry(1)]
    keyword = ""
    for number, line in enumerate(text.split("\n"), 1):
        if _is_next(line, entries[-1]):
            entries.append(Entry(number))
        entry = entries[-1]
        entry.lines.append(line)
        if match := FIELD.fullmatch(line):
            keyword = match[1]
            if keyword in entry.texts:
                raise ValueError(f"a second {keyword} in line {number}")
            entry.texts[keyword] = unescape(match[2])
        elif (match := CONTINUATION.fullmatch(line)) and entry.texts:
            entry.texts[keyword] += unescape(match[1])
        elif line.strip() and not line.startswith("#"):
            raise ValueError(f"line {number} is none of a gettext file")
    _check(entries)
    return entries


def _is_next(line: str, entry: Entry) -> bool:
    """Does `line` begin the entry after this one?"""
    if entry.is_obsolete:
        return not line.startswith("#~")
    return bool(entry.strings) and (not line.strip() or line.startswith(("#", "msgid", "msgctxt")))


def _check(entries: list[Entry]) -> None:
    seen = set()
    for entry in entries:
        if not entry.texts:
            continue
        indexed = [keyword != "msgstr" for keyword in entry.strings]
        if "msgid" not in entry.texts or not indexed or set(indexed) != {entry.is_plural}:
            raise ValueError(f"the entry of line {entry.number} has not one msgid and its msgstr")
        if entry.identity in seen:
            raise ValueError(f"the entry of line {entry.number} is there twice: msguniq makes one of them")
        seen.add(entry.identity)


def _flags(line: str) -> list[str]:
    return list(dict.fromkeys(flag.strip() for flag in line[2:].split(","))) if line.startswith("#,") else []
