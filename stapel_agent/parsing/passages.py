"""The passages of an answer, between its code fences, and how likely JSON in each of them is the answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

FENCE = re.compile(r"^[ \t]*+(`{3,}+|~{3,}+)([^\n`{\[]*+$|[^\s`{\[]*+)", re.MULTILINE)


class Rank(IntEnum):
    """How likely it is that JSON within prose is the answer."""

    CHANCE = 0
    """Empty, or an array of only numbers: prose may contain one by chance."""
    SAMPLE = 1
    """Part of a code sample."""
    LIGHT_LINE = 2
    """Empty, or an array of only numbers, on separate lines."""
    PLAIN = 3
    FENCED = 4
    """Alone in a closed fence that names no language other than JSON."""


@dataclass(frozen=True)
class Passage:
    """The text between two fences. `language` is None outside fences; `closed` says whether both fences exist."""

    offset: int
    text: str
    language: str | None
    closed: bool

    def rank(self, start: int, end: int, value: Any) -> Rank:
        is_json = self.language is None or bool(JSON_LANGUAGE.fullmatch(self.language))
        if self.closed and is_json and end - start == len(self.text.strip()):
            return Rank.FENCED
        is_light = not any(isinstance(item, str | list | dict) for item in value)
        if is_light:
            return Rank.LIGHT_LINE if self._stands_alone(start, end) and is_json else Rank.CHANCE
        is_sample = self.closed or not is_json or CODE_BEFORE.search(self.text, max(0, start - CODE_LENGTH), start)
        return Rank.SAMPLE if is_sample else Rank.PLAIN

    def _stands_alone(self, start: int, end: int) -> bool:
        before, after = (
            LINE_BEFORE.search(self.text, max(0, start - CODE_LENGTH), start),
            LINE_AFTER.match(self.text, end),
        )
        return bool(before and after)


CODE_LENGTH = 32
CODE_BEFORE = re.compile(r"(?:[=(`]|\breturn|\bawait|\bprint)\s*+\Z")
JSON_LANGUAGE = re.compile(r"(?:json.*|te?xt|plaintext|output|answer|result|)", re.IGNORECASE | re.DOTALL)
LINE_BEFORE = re.compile(r"(?:\A|\n)[ \t]*+\Z")
LINE_AFTER = re.compile(r"[ \t\r]*+(?:\n|\Z)")


def passages(text: str) -> Iterator[Passage]:
    """Yield the parts of a text between its fences."""
    start, opening = 0, None
    for fence in FENCE.finditer(text):
        closed = opening is not None and fence[1].startswith(opening[1]) and not fence[2].strip()
        yield Passage(start, text[start : fence.start()], _language(opening), closed)
        start, opening = fence.end(), None if closed else fence
    yield Passage(start, text[start:], _language(opening), closed=False)


def _language(opening: re.Match[str] | None) -> str | None:
    return None if opening is None else opening[2].strip()
