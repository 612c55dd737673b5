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
CLOCK = ("HIkl", "M", "S")
"""The directives of a time, in the order that every language has them."""
TIMES = set("HIklMSTRrXcsLpP")
PRICE = re.compile(r"(?:[-()\s\u200e\u200f]|%[un]|[%٪](?![un])){2,20}")
AMOUNT = re.compile("%[un]")
"""The unit and the number in the patterns of Rails."""


def is_same_pattern(source: str, translation: str) -> bool:
    """Whether both are patterns of a date with the same parts, or of a price."""
    return _is_same_date(source, translation) or _is_same_price(source, translation)


def misplaced_time(source: str, translation: str) -> str:
    """Return what is wrong with the time in the translation of a date pattern, or an empty string."""
    ours, theirs = ("".join(DIRECTIVE.findall(text)) for text in (source, translation))
    if not _is_date(source, ours):
        return ""
    if TIMES.isdisjoint(ours) and not TIMES.isdisjoint(theirs):
        return "has a time of day, which the pattern does not have"
    places = [theirs.index(sign) for part in CLOCK for sign in part if sign in theirs]
    return "has hours, minutes and seconds in another order" if places != sorted(places) else ""


def _is_date(text: str, directives: str) -> bool:
    """Whether a text is made of the `directives` of at least two parts of a date or time, and of signs."""
    rest = DIRECTIVE.sub("", text)
    is_else = any(map(str.isalnum, rest)) or ELSE.search(rest)
    return not is_else and sum(_count(part, directives) > 0 for part in PARTS) > 1


def _is_same_date(source: str, translation: str) -> bool:
    ours, theirs = ("".join(DIRECTIVE.findall(text)) for text in (source, translation))
    if not _is_date(source, ours) or ELSE.search(DIRECTIVE.sub("", translation)):
        return False
    is_same = all(_count(part, theirs) == count for part in PARTS if (count := _count(part, ours)))
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
