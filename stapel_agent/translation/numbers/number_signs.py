"""Numbers that are single signs: fractions such as ½, and exponents such as ²."""

from __future__ import annotations

import re
import unicodedata

FRACTION = "[¼-¾⅐-⅞↉]"
EXPONENT = "[⁰¹²³⁴-⁹]"
SIGNS = re.compile(f"{FRACTION}|{EXPONENT}")
MIXED = re.compile(rf"(?:(\d{{1,9}})[\s\u2064]?)?({FRACTION})")
AFTER_DIGIT = re.compile(rf"(?<=\d)({EXPONENT}+)")
EXPONENTS = re.compile(f"{EXPONENT}+")
SLASH = "\u2044"


def with_caret(text: str) -> str:
    """Return `text` with `10^6` for `10⁶`, so that the exponent is a number of its own."""
    return AFTER_DIGIT.sub(lambda match: f"^{unicodedata.normalize('NFKC', match[1])}", text)


def in_digits(text: str, other: str) -> list[str]:
    """`text` with its fractions in digits: as 0.5, and as 1/2 if the other text has no such signs. Only `text` itself
    if it has none.
    """
    if MIXED.search(text) is None:
        return [text]
    decimal = MIXED.sub(_as_decimal, text)
    return [decimal] if MIXED.search(other) else [decimal, MIXED.sub(_as_division, text)]


def other_exponent(source: str, translation: str) -> str | None:
    """Find an exponent that was replaced by another one."""
    ours, theirs = (EXPONENTS.findall(text) for text in (source, translation))
    lost, new = sorted(set(ours) - set(theirs)), sorted(set(theirs) - set(ours))
    return f"has {new[0]} in place of {lost[0]}" if lost and new else None


def _as_division(match: re.Match[str]) -> str:
    division = unicodedata.normalize("NFKC", match[2]).replace(SLASH, "/")
    return f"{match[1]} {division}" if match[1] else division


def _as_decimal(match: re.Match[str]) -> str:
    return str(int(match[1] or 0) + unicodedata.numeric(match[2]))
