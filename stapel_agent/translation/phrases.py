"""Phrases of many languages, searched in one pass.

`*` at the end of a phrase stands for any ending. A phrase begins with a word; in scripts without spaces, anywhere.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Set
from functools import cached_property

WORD = re.compile(r"[^\W\d_]+")
WORD_START = r"(?:(?<![^\W\d_])|(?=[\u0900-\U0010ffff]))"
UNSPACED_FROM = "\u0900"
"""The first letter of scripts whose phrases may begin and end anywhere."""
HEAD = 3
"""How many letters at the beginning of a word distinguish most words."""


class Phrases:
    """Some phrases, with patterns for what stands before and after them. They are compiled at the first search.

    `may_be_in()` excludes most texts much faster than a search.
    """

    def __init__(self, phrases: Iterable[str], *, before: str = "", after: str = "") -> None:
        self._parts = list(phrases)
        self._before, self._after = before, after

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(f"{self._before}{WORD_START}(?:{either(self._parts)}){self._after}")

    @cached_property
    def _heads(self) -> Set[str]:
        return {match[0][:HEAD] for match in map(WORD.match, self._parts) if match}

    @cached_property
    def _letters(self) -> re.Pattern[str]:
        letters = "".join({part[0] for part in self._parts if part[0] >= UNSPACED_FROM})
        return re.compile(f"[{letters}]" if letters else "(?!)")

    def may_be_in(self, text: str, heads: Set[str]) -> bool:
        """Whether a phrase may begin somewhere in `text`, whose words begin with `heads`."""
        return not heads.isdisjoint(self._heads) or (not text.isascii() and self._letters.search(text) is not None)

    def search(self, text: str) -> re.Match[str] | None:
        return self._pattern.search(text)

    def match(self, text: str) -> re.Match[str] | None:
        return self._pattern.match(text)


def heads_of(text: str) -> Set[str]:
    """The first letters of the words of `text`."""
    return {word[:HEAD] for word in WORD.findall(text)}


def listed(phrases: str) -> list[str]:
    """The phrases of a text in which ` / ` separates them."""
    return " ".join(phrases.split()).split(" / ")


def either(phrases: Iterable[str]) -> str:
    """A pattern for any of `phrases`, without their beginning. The longest that matches counts."""
    by_letter = defaultdict[str, list[str]](list)
    for phrase in sorted(set(phrases), key=len, reverse=True):
        end = r"(?!\w)" if phrase[-1] != "*" and phrase[-1] < UNSPACED_FROM else ""
        by_letter[phrase[0]].append(re.escape(phrase[1:].rstrip("*")) + end)
    return "|".join(f"{re.escape(letter)}(?:{'|'.join(rest)})" for letter, rest in by_letter.items())
