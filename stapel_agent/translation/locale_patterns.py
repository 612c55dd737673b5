"""Patterns of dates and prices: texts without words, which each language has in its own order."""

from __future__ import annotations

import re

from .injected_code import injected

DIRECTIVE = re.compile(r"%[-_0^#]?([aAbBcCdDeFgGhHIjklLmMNpPrRsStTuUVwWxXyYzZ])")
"""A directive of strftime."""
PARTS = ("Yy", "Bbhm", "de", "HIkl", "M")
"""The directives for each part of a date or time that a translation keeps."""
ELSE = re.compile(r"[{}<>$%\d\n]")
"""What a date pattern does not have beside its directives."""
PRICE = re.compile(r"(?:[-()\s\u200e\u200f]|%[un]|[%٪](?![un])){2,20}")
AMOUNT = re.compile("%[un]")
"""The unit and the number in the patterns of Rails."""


def is_same_pattern(source: str, translation: str) -> bool:
    """Whether both are patterns of a date with the same parts, or of a price."""
    return _is_same_date(source, translation) or _is_same_price(source, translation)


def _is_same_date(source: str, translation: str) -> bool:
    ours, theirs = ("".join(DIRECTIVE.findall(text)) for text in (source, translation))
    if any(map(str.isalnum, DIRECTIVE.sub("", source))) or ELSE.search(DIRECTIVE.sub("", source + translation)):
        return False
    counts = [(_count(part, ours), _count(part, theirs)) for part in PARTS if _count(part, ours)]
    is_same = len(counts) > 1 and all(one == other for one, other in counts)
    return is_same and (not _is_half(theirs) or _is_half(ours)) and injected(source, translation) is None


def _is_half(directives: str) -> bool:
    """Whether the hour is one of twelve, and nothing says in which half of the day."""
    return not set("Il").isdisjoint(directives) and set("pPr").isdisjoint(directives)


def _count(part: str, directives: str) -> int:
    return sum(map(directives.count, part))


def _is_same_price(source: str, translation: str) -> bool:
    if not (PRICE.fullmatch(source) and PRICE.fullmatch(translation)):
        return False
    ours, theirs = (sorted(AMOUNT.findall(text)) for text in (source, translation))
    return bool(ours) and ours == theirs
