"""Character references such as `&amp;` and `&nbsp;`, and ampersands: a translation must have the same as its source."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from html import unescape

REFERENCE = re.compile(r"&(?:\#[0-9]{1,7}|\#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
BARE = re.compile(r"&(?!(?:#|[A-Za-z])[A-Za-z0-9]{1,31};)")

REWRITTEN = frozenset("&\"'")
"""Characters that a translation may replace with words: "and" for an ampersand."""
PUNCTUATION = frozenset("‘’‚‛“”„‟‹›«»–—…·‐‑\u00ad\u200b\u200c\u200d\u200e\u200f\u00a0\u202f\u2009¿¡")
"""Characters that each language uses in its own way."""
SPACES = "\u00a0\u202f"
ESCAPED_AT_WILL = frozenset(">\"'")
"""Characters that mean the same in markup with and without a reference."""


def corrected(source: str, translation: str) -> str:
    """Return `translation` with bare ampersands written as `&amp;`, if the source writes all of its ampersands so."""
    if "&amp;" not in source or BARE.search(source):
        return translation
    return BARE.sub("&amp;", translation)


def changed(source: str, translation: str, hidden: Iterable[str] = ()) -> str | None:
    """Return what is wrong with the references of `translation`, or None. `hidden` are hidden parts of the source."""
    if "&" not in source and "&" not in translation:
        return None
    if "&&" in source and _single(translation) > _single(source):
        return "has '&' in place of '&&'"
    ours, theirs = _read(source), _read(translation)
    for reference, character in theirs.items():
        if reference in ours or character in ours.values():
            continue
        # French or German punctuation is allowed if the source itself uses references.
        is_as_bare = character in ESCAPED_AT_WILL and character in source
        is_markup = ours or any(map(REFERENCE.search, hidden))
        if not ((ours and character in PUNCTUATION) or (is_markup and is_as_bare)):
            return f"has {reference!r}, which the text does not have"
    for character, times in Counter(map(unescape, REFERENCE.findall(source))).items():
        lost = character not in REWRITTEN and (character not in PUNCTUATION or character in SPACES)
        if lost and _count(translation, character) < min(times, 1):
            reference = next(name for name, value in ours.items() if value == character)
            return f"lost {reference!r}"
    return None


def _single(text: str) -> int:
    """Count the ampersands that are neither doubled nor part of a reference."""
    return REFERENCE.sub("", text).replace("&&", "").count("&")


def _read(text: str) -> dict[str, str]:
    """The references of `text`, each with its character. An unknown reference maps to itself."""
    return {reference: unescape(reference) for reference in REFERENCE.findall(text)} if "&" in text else {}


def _count(text: str, character: str) -> int:
    plain = unescape(text) if "&" in text else text
    return sum(plain.count(space) for space in SPACES) if character in SPACES else plain.count(character)
