"""Finds the start or the end of a key that somebody has cut. Takes linear time for any text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase

LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
SHORTEST_PART = 8
LONGEST_SEED = 64
SWITCH = re.compile(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])")
MOST_SWITCHES = 3
"""How often ordinary words, names of models and identifiers switch between letters, capitals and digits."""
LONG_RUN = re.compile(r"[A-Za-z0-9]{20}")


def cut_key_spans(lowered: str, keys: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Yield where the first or the last characters of one of the `keys` stand in a text in lower case.

    A part counts only if it is too long to be an ordinary word.
    """
    backwards, size = lowered[::-1], len(lowered)
    for key in keys:
        yield from _starts(lowered, key)
        yield from ((size - end, size - start) for start, end in _starts(backwards, key[::-1]))


def _starts(text: str, key: str) -> Iterator[tuple[int, int]]:
    length = _seed_length(key)
    key = key.translate(LOWER)
    start = text.find(key[:length]) if length else -1
    while start >= 0:
        end = start + length
        longest = min(start + len(key), len(text))
        while end < longest and text[end] == key[end - start]:
            end += 1
        yield start, end
        start = text.find(key[:length], max(start, end - length) + 1)


@lru_cache(maxsize=256)
def _seed_length(key: str) -> int:
    """Return the length from which the start of `key` cannot be an ordinary word. 0 if there is none."""
    if key.split() != [key]:
        return 0
    lengths = range(SHORTEST_PART, min(len(key), LONGEST_SEED))
    return next((length for length in lengths if _is_no_word(key[:length])), 0)


def _is_no_word(part: str) -> bool:
    return len(SWITCH.findall(part)) > MOST_SWITCHES or bool(LONG_RUN.search(part))
