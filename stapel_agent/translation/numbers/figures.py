"""Figures: the numbers of a text, each with the values it may mean and the units next to it.

A figure has a set of values, since `1.234` means one number in English and another in German.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from babel.numbers import get_decimal_symbol

from stapel_agent.language_tags import locale_of

from .calendar_words import hours_in
from .unit_spellings import Spellings, spellings_of, tidy, tidy_after
from .units import is_unit, magnitude_after, unit_after, unit_before

NUMBER = re.compile(r"\d\d{0,39}+(?:[.,٫٬'’·\u00a0\u202f\u2009]\d{1,40}+){0,8}+")
SEPARATORS = re.compile(r"[.,٫٬'’·\u00a0\u202f\u2009]")
DOTTED = re.compile(r"\d+[.٫]\d+")
HOUR_LENGTH = 2
NEARBY = 40
"""How many characters next to a number are searched for its unit."""
MINUS = re.compile(r"(?:^|[\s(\[{\"'„“«:;,=⟧\u200e\u200f]|[€$£¥₹])[-−–﹣－][€$£¥₹]?\Z")
SIGN_AFTER, SIGN_BEFORE = re.compile(r"\s?[^\s\d.,;:!?)⟦]"), re.compile(r"[^\s\d.,;:!?(⟧]")
DIMENSIONS = re.compile(r"-?[DGДГ](?!\w)")
"""As in 3D and 5G, which are not three days and five grams."""
PREPOSITIONS = re.compile(r"[\s\u00a0]+[vwв]\s+[^\W\d_]")
"""The word "in" of Slavic languages, which is not volts or watts: `404 w pliku`."""
AFTER_WORD = re.compile(r"-?[^\W\d_]")
BLANKS = re.compile(r"[\s-]{0,2}")
BETWEEN = re.compile(r"[\s.]{0,2}(?:de |d['’]|di |of |de l['’])?")
SHORT_MAGNITUDES = 3
VERSION_PARTS = 3
POINTS = {".", "٫"}
MONTHS, WEEKDAYS = range(1, 13), range(2, 8)
MONTH_AFTER, MONTH_BEFORE = re.compile(r"\s?(?:月(?!曜)|월(?!요))"), re.compile(r"\bth(?:áng|g)\s\Z", re.IGNORECASE)
WEEKDAY_AFTER, WEEKDAY_BEFORE = re.compile(r"ª[\s-]feira", re.IGNORECASE), re.compile(r"\b(?:[Tt]hứ\s|T)\Z")
"""What makes a number the name of a month or of a weekday: `10月`, `Tháng 10`, `2ª-feira`, `Thứ 2`."""


class Place(NamedTuple):
    """The text around a number. It is only read if the number has no match, which is rare."""

    before: str
    after: str
    spellings: Spellings


class Figure(NamedTuple):
    """One number. `parts` has the parts of a version or an address, which stay together."""

    written: str
    values: frozenset[float]
    units: frozenset[str] = frozenset()
    parts: tuple[int, ...] = ()
    is_clock: bool = False
    """Whether it is an hour, and the text says which half of the day it is in."""
    has_magnitude: bool = False
    unscaled: frozenset[float] = frozenset()
    """Its values without a magnitude such as "million"."""
    place: Place | None = None

    @property
    def is_negative(self) -> bool:
        return self.place is not None and not self._is_glued and MINUS.search(self.place.before) is not None

    @property
    def is_dotted(self) -> bool:
        """Whether it may be a version of two parts, such as 3.10: it has no unit, and a point in it."""
        return not self.units and not self.has_magnitude and DOTTED.fullmatch(self.written) is not None

    @property
    def digits(self) -> str:
        """Its digits, with any point."""
        return "".join(str(int(sign)) if sign.isdecimal() else "." for sign in self.written)

    @property
    def is_bare(self) -> bool:
        """Whether no letter or sign stands next to it."""
        if self.place is None or self._is_glued:
            return False
        before, after, spellings = self.place
        is_bare = not (SIGN_AFTER.match(after) or SIGN_BEFORE.match(before[-1:]))
        return is_bare and not is_unit(tidy(before).rstrip(), spellings)

    @property
    def is_in_word(self) -> bool:
        """Whether it is part of a word that may be written without a number, as in 3-way or i18n."""
        if self.place is None:
            return False
        if self._is_glued:
            return self.place.after[:1].isalpha()
        return not (self.has_magnitude or self.units) and AFTER_WORD.match(self.place.after) is not None

    @property
    def is_month(self) -> bool:
        """Whether it names a month, as in Vietnamese or Chinese."""
        return self._names(MONTHS, MONTH_BEFORE, MONTH_AFTER)

    @property
    def is_weekday(self) -> bool:
        """Whether it names a weekday, as in Vietnamese or Portuguese. Monday is 2."""
        return self._names(WEEKDAYS, WEEKDAY_BEFORE, WEEKDAY_AFTER)

    def _names(self, numbers: range, before: re.Pattern[str], after: re.Pattern[str]) -> bool:
        if self.place is None or self.values.isdisjoint(numbers):
            return False
        return bool(before.search(self.place.before) or after.match(self.place.after))

    @property
    def _is_glued(self) -> bool:
        """Whether it is glued to a word before it, as in IPv4."""
        if self.place is None or not _ends_in_letter(self.place.before):
            return False
        return not _ends_in_money(tidy(self.place.before).rstrip(), self.place.spellings)


def figures(text: str, tag: str, decimal: str = "") -> Iterator[Figure]:
    """Yield the figures of a text in the language `tag`. `decimal` is its decimal separator, or empty if unknown."""
    spellings, hours = spellings_of(tag), None
    for match in NUMBER.finditer(text):
        written, (start, end) = match[0], match.span()
        if len(written) <= HOUR_LENGTH and written.isdecimal():
            hours = hours_in(text, tag) if hours is None else hours
            if start in hours:
                yield Figure(written, hours[start], is_clock=True)
                continue
        place = Place(text[max(0, start - NEARBY) : start], text[end : end + NEARBY], spellings)
        yield from _read(written, place, decimal)


@lru_cache(maxsize=64)
def decimal_of(tag: str) -> str:
    """The decimal separator of the language, or an empty string if it is unknown."""
    locale = locale_of(tag)
    return str(get_decimal_symbol(locale)) if locale else ""


def _read(written: str, place: Place, decimal: str) -> Iterator[Figure]:
    if written.isdecimal():
        yield _number(written, frozenset({float(int(written))}), place)
        return
    parts, signs = SEPARATORS.split(written), SEPARATORS.findall(written)
    values = frozenset(_values(parts, signs, decimal))
    if values:
        yield _number(written, values, place)
    elif len(parts) >= VERSION_PARTS and POINTS & {*signs} and not _may_be_date(parts):
        yield Figure(written, frozenset(), parts=tuple(map(int, parts)))
    else:
        yield from (Figure(part, frozenset({float(int(part))})) for part in parts)


def _number(written: str, values: frozenset[float], place: Place) -> Figure:
    ahead = tidy(place.before).rstrip()
    if _ends_in_letter(place.before) and not _ends_in_money(ahead, place.spellings):
        return Figure(written, values, unscaled=values, place=place)
    factors, units = _next_to(ahead, _tidy_after(place.after), place.spellings)
    scaled = frozenset(value * factor for value in values for factor in factors) if factors else values
    return Figure(written, scaled, units, has_magnitude=bool(factors), unscaled=values, place=place)


def _tidy_after(after: str) -> str:
    return "" if DIMENSIONS.match(after) or PREPOSITIONS.match(after) else tidy_after(after)


def _ends_in_letter(before: str) -> bool:
    return before[-1:].isalpha() and before[-1] < "\u0e00"


def _ends_in_money(ahead: str, spellings: Spellings) -> bool:
    return _has_money(unit_before(ahead, spellings))


def _next_to(before: str, after: str, spellings: Spellings) -> tuple[frozenset[float], frozenset[str]]:
    """The factors and the units next to a number. A short factor such as "M" may also be something else."""
    after = after[BLANKS.match(after).end() :]  # type: ignore[union-attr]
    ahead, behind = unit_before(before, spellings), unit_after(after, spellings)
    factors, length = magnitude_after(after, spellings)
    if not factors:
        return frozenset(), _chosen(ahead, behind)
    rest = after[length:]
    units = _chosen(ahead, unit_after(rest[BETWEEN.match(rest).end() :], spellings))  # type: ignore[union-attr]
    if not behind and (length >= SHORT_MAGNITUDES or after[0] >= "\u0900"):
        return factors, units
    return factors | {1.0}, behind | units | {f"scale:{factor:g}" for factor in factors}


def _chosen(ahead: frozenset[str], behind: frozenset[str]) -> frozenset[str]:
    """The units of a number with units before and behind it: `l'` is no litre in "$5 milioni l'anno"."""
    if _has_money(ahead) and not _has_money(behind):
        return ahead
    return (ahead & behind) or behind or ahead


def _has_money(units: frozenset[str]) -> bool:
    return any(unit.startswith("money") for unit in units)


def _may_be_date(parts: list[str]) -> bool:
    lengths = [len(part) for part in parts]
    if len(parts) != VERSION_PARTS or max(lengths) > 4 or (lengths[0] < 3 and lengths[2] not in (2, 4)):
        return False
    days = [int(part) for part in parts if len(part) <= 2 and 1 <= int(part) <= 31]
    return len(days) >= 2 and min(days) <= 12


def _values(parts: list[str], signs: list[str], decimal: str) -> Iterator[float]:
    if len(parts[0]) > 3 and len(parts) == 2 and signs[0] in ".,٫·":
        yield _decimal(parts)
        return
    groups = all(len(part) in (2, 3) for part in parts[1:-1]) and len(parts[0]) <= 3
    is_grouped = groups and len(parts[-1]) == 3 and len(set(signs)) == 1 and parts[0] not in ("", "0")
    if is_grouped and not (len(signs) == 1 and decimal == signs[0] and parts[-1] != "000"):
        yield float(int("".join(parts)))
    may_be_decimal = signs[-1] in ".,٫·" and signs.count(signs[-1]) == 1 and len(set(signs[:-1])) <= 1
    is_other = len(signs) == 1 and is_grouped and (parts[-1] == "000" or decimal not in ("", signs[0]))
    if may_be_decimal and groups and not is_other and all(len(part) >= 2 for part in parts[1:-1]):
        yield _decimal(parts)


def _decimal(parts: list[str]) -> float:
    """The number in digits of any script; the last of `parts` holds its decimals."""
    return float(f"{int(''.join(parts[:-1]))}.{''.join(str(int(digit)) for digit in parts[-1])}")


def by_value(all_figures: list[Figure]) -> defaultdict[float, list[Figure]]:
    """Return the figures by each value that they may have."""
    table = defaultdict[float, list[Figure]](list)
    for figure in all_figures:
        for value in figure.values:
            table[value].append(figure)
    return table
