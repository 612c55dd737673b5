"""Data rates, such as 5 MB/s: a translation must not turn a rate into a size, or a size into a rate."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from .figures import Figure
from .unit_spellings import spellings_of, tidy_after
from .units import unit_after

RATE = re.compile(r"[\s-]{0,2}(?:[kmgt]?(bps)\b|[^\W\d_](?:[^\W\d_]|[.?׳-]){0,11}\s?(?:/\s?|per |a ))", re.IGNORECASE)
"""A unit and what connects it to its time."""
SLASH = re.compile(r"/|ps\b", re.IGNORECASE)
SECOND = "time:second"
STEM = 4
"""How many letters an inflected word for the second has from CLDR's form."""


def is_rate(figure: Figure) -> bool:
    """Whether it has a unit of data, and "per second" after it."""
    if figure.place is None or not any(unit.startswith("data:") for unit in figure.units):
        return False
    after = tidy_after(figure.place.after)
    match = RATE.match(after)
    return match is not None and bool(match[1] or SECOND in unit_after(after[match.end() :], figure.place.spellings))


def other_rate(figures: Iterable[Figure], other: str, tag: str) -> Figure | None:
    """The first rate of `figures` if the `other` text, in the language `tag`, mentions none."""
    rate = next(filter(is_rate, figures), None)
    if rate is None or SLASH.search(other):
        return None
    seconds, lower = _seconds(tag), other.lower()
    return None if not seconds or any(second in lower for second in seconds) else rate


@lru_cache(maxsize=64)
def _seconds(tag: str) -> frozenset[str]:
    """The beginnings of the words for the second."""
    words = [word for word, units in spellings_of(tag).after.meanings.items() if SECOND in units]
    return frozenset(word.rstrip(".")[:STEM] for word in words if len(word) > 1 or not word.isascii())
