"""Phrases of many languages, searched in one pass.

`*` at the end of a phrase stands for any ending. A phrase begins with a word; in scripts without spaces, anywhere.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Set

WORD = re.compile(r"[^\W\d_]+")
WORD_START = r"(?:(?<![^\W\d_])|(?=[\u0900-\U0010ffff]))"
UNSPACED_FROM = "\u0900"
"""The first letter of scripts whose phrases may begin and end anywhere."""
HEAD = 3
"""How many letters at the beginning of a word distinguish most words."""


class Phrases:
    """A pattern for some phrases. `may_be_in()` excludes most texts much faster than a search."""

    def __init__(self, phrases: Iterable[str]) -> None:
        parts = list(phrases)
        self.pattern = re.compile(f"{WORD_START}(?:{either(parts)})")
        self._heads = {match[0][:HEAD] for match in map(WORD.match, parts) if match}
        letters = "".join({part[0] for part in parts if part[0] >= UNSPACED_FROM})
        self._letters = re.compile(f"[{letters}]" if letters else "(?!)")

    def may_be_in(self, text: str, heads: Set[str]) -> bool:
        """Whether a phrase may begin somewhere in `text`, whose words begin with `heads`."""
        return not self._heads.isdisjoint(heads) or (not text.isascii() and self._letters.search(text) is not None)

    def search(self, text: str) -> re.Match[str] | None:
        return self.pattern.search(text)


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
