"""Numbers, dates, amounts and units: a translation must keep them, written as its language writes them.

A figure is a set of values, since `1.234` means one number in English and another in German. Writing a number in
words or counting in another way (hours of the day, years, tens of thousands) is not a change.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from babel import Locale, UnknownLocaleError
from babel.numbers import get_decimal_symbol

from .number_words import COUNTED, DOLLARS, HALF_DAY, MAGNITUDES, NUMBER_WORDS, UNITS

NUMBER = re.compile(r"\d{1,40}+(?:[.,٫٬'’·\u00a0\u202f\u2009]\d{1,40}+){0,8}+")
SPACED = re.compile(r"(?<![\d.,])(\d{1,3})((?: \d{3}){1,4})(?![\d])")
SEPARATORS = re.compile(r"[.,٫٬'’·\u00a0\u202f\u2009]")
SMALL = 12
"""Numbers up to this are often written as words, or counted from another start."""
ROUND = frozenset({20, 24, 50, 100, 1000})
MAX_FIGURES, MOST = 2000, 50
"""A text with more than MAX_FIGURES is not compared. Of the unmatched figures, at most MOST are compared singly."""
BUDDHIST_YEARS = 543
SCALES = (10.0, 100.0, 1000.0, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e12)
MAGNITUDE = "*"
MARKED = re.compile(r"⟦[^⟧]{0,12}⟧")


@dataclass(frozen=True, slots=True)
class Figure:
    """One number: how it is written, the values it may mean, and the unit next to it."""

    written: str
    values: frozenset[float]
    unit: str = ""

    @property
    def is_small(self) -> bool:
        return any(value <= SMALL or value in ROUND for value in self.values)


def changed(source: str, translation: str, from_lang: str, to: str) -> str | None:
    """Describe a number of `source` that differs in `translation`, or return None. The text may be sent to a model."""
    source, translation = MARKED.sub(" ⟦⟧ ", source), MARKED.sub(" ⟦⟧ ", translation)
    if not (any(map(str.isdigit, source)) or any(map(str.isdigit, translation))):
        return None
    # "12 345" is one number, or two: a room and its guests.
    readings = product(_readings(source), _readings(translation))
    faults = [_difference(ours, theirs, from_lang, to, (source, translation)) for ours, theirs in readings]
    return None if None in faults else faults[0]


def _readings(text: str) -> list[str]:
    joined = SPACED.sub(lambda match: match[1] + match[2].replace(" ", "\u00a0"), text)
    return [text] if joined == text else [text, joined]


def _difference(ours: str, theirs: str, from_lang: str, to: str, texts: tuple[str, str]) -> str | None:
    source, translation = list(_figures(ours, _decimal(from_lang))), list(_figures(theirs, ""))
    if len(source) > MAX_FIGURES or len(translation) > MAX_FIGURES:
        return None
    lost = _unmatched(source, translation)
    new = _unmatched(translation, source)
    if lost or new:
        lost, new = _explained(lost[:MOST], new[:MOST], texts)
        if fault := _unexplained(lost, new, texts):
            return fault
    return _other_unit(source, translation)


def _unexplained(lost: list[Figure], new: list[Figure], texts: tuple[str, str]) -> str | None:
    if not (lost or new):
        return None
    said_before, said_now = (bool(NUMBER_WORDS.search(COUNTED.sub(" ", text))) for text in texts)
    if lost and new and not (said_before and said_now and all(figure.is_small for figure in [*lost, *new])):
        return f"has {new[0].written} in place of {lost[0].written}"
    if figure := next((figure for figure in lost if not (figure.is_small or said_now)), None):
        return f"lost the number {figure.written}"
    if figure := next((figure for figure in new if not (figure.is_small or said_before)), None):
        return f"has the number {figure.written}, which the text does not have"
    return None


def _unmatched(figures: Iterable[Figure], others: Iterable[Figure]) -> list[Figure]:
    """The `figures` that match none of `others`."""
    written = {other.written for other in others}
    values = {value for other in others for value in other.values}
    return [figure for figure in figures if figure.written not in written and not figure.values & values]


def _explained(lost: list[Figure], new: list[Figure], texts: tuple[str, str]) -> tuple[list[Figure], list[Figure]]:
    """The figures left after matching those that only count in another way."""
    has_halves = any(HALF_DAY.search(text) for text in texts)
    left = list(new)
    gone = []
    for figure in lost:
        match = next((other for other in left if _same(figure, other, has_halves)), None)
        if match:
            left.remove(match)
        else:
            gone.append(figure)
    return gone, left


def _same(figure: Figure, other: Figure, has_halves: bool) -> bool:
    """Whether the two may be the same number, counted in another way."""
    has_magnitude = MAGNITUDE in (figure.unit, other.unit)
    return any(
        (has_halves and max(pair) <= 24 and max(pair) - min(pair) in (12, 24))
        or (has_magnitude and _is_rescaled(*pair))
        or (1000 <= max(pair) <= 2999 and (min(pair) == max(pair) % 100 or max(pair) - min(pair) == BUDDHIST_YEARS))
        for pair in product(figure.values, other.values)
    )


def _is_rescaled(one: float, other: float) -> bool:
    ratio = max(one, other) / (min(one, other) or 1)
    return any(abs(ratio - scale) < scale * 1e-9 for scale in SCALES)


def _figures(text: str, decimal: str) -> Iterator[Figure]:
    for match in NUMBER.finditer(text):
        unit = _unit(text[match.end() : match.end() + 12], text[max(0, match.start() - 5) : match.start()])
        for written, values in _read(match[0], decimal):
            yield Figure(written, values, unit)


def _read(written: str, decimal: str) -> Iterator[tuple[str, frozenset[float]]]:
    """Yield the values that a number may mean. A date or a version is split into its parts."""
    parts = SEPARATORS.split(written)
    signs = SEPARATORS.findall(written)
    values = frozenset(_values(parts, signs, decimal))
    if values:
        yield written, values
        return
    yield from ((part, frozenset({float(int(part))})) for part in parts)


def _values(parts: list[str], signs: list[str], decimal: str) -> Iterator[float]:
    if not signs:
        yield float(int(parts[0]))
        return
    groups = all(len(part) in (2, 3) for part in parts[1:-1]) and len(parts[0]) <= 3
    is_grouped = groups and len(parts[-1]) == 3 and len(set(signs)) == 1 and parts[0] not in ("", "0")
    if is_grouped and not (len(signs) == 1 and decimal == signs[0] and parts[-1] != "000"):
        yield float(int("".join(parts)))
    may_be_decimal = signs[-1] in ".,٫·" and signs.count(signs[-1]) == 1 and len(set(signs[:-1])) <= 1
    is_other = len(signs) == 1 and is_grouped and (parts[-1] == "000" or decimal not in ("", signs[0]))
    if may_be_decimal and groups and not is_other and all(len(part) >= 2 for part in parts[1:-1]):
        yield float(f"{int(''.join(parts[:-1]))}.{''.join(str(int(digit)) for digit in parts[-1])}")


@lru_cache(maxsize=64)
def _decimal(language: str) -> str:
    """The decimal separator of the language, or an empty string if it is unknown."""
    try:
        return str(get_decimal_symbol(Locale.parse(language.replace("-", "_"))))
    except (UnknownLocaleError, ValueError):
        return ""


def _unit(after: str, before: str) -> str:
    """The unit or currency next to a number, as named in UNITS; MAGNITUDE for a word such as "million"; or empty."""
    if MAGNITUDES.match(after):
        return MAGNITUDE
    word = re.match(r"[\s\u00a0\u202f-]{0,2}([^\W\d_]{1,9}+(?:/h|/s)?|[°%‰€$£¥₹₽₴₺₩][CF]?)", after)
    unit = UNITS.get(word[1].lower(), "") if word else ""
    if unit:
        return unit
    sign = re.search(r"([^\W\d_]{3}|[€$£¥₹₽₴₺₩])[\s\u00a0\u202f]?\Z", before)
    return UNITS.get(sign[1].lower(), "") if sign else ""


def _other_unit(source: list[Figure], translation: list[Figure]) -> str | None:
    """Find the same number with another unit of the same dimension."""
    ours = Counter((value, figure.unit) for figure in source for value in figure.values if figure.unit.isascii())
    units: dict[float, set[str]] = {}
    for value, unit in ours:
        units.setdefault(value, set()).add(unit)
    for figure in translation:
        for value in figure.values:
            had = {unit for unit in units.get(value, set()) if ":" in unit}
            if ":" in figure.unit and had and not any(_alike(figure.unit, unit) for unit in had):
                return f"has another unit next to {figure.written}"
    return None


def _alike(unit: str, other: str) -> bool:
    """Whether the units are equal or have different dimensions. A dollar may be any country's."""
    (dimension, _, name), (its, _, other_name) = unit.partition(":"), other.partition(":")
    return dimension != its or name == other_name or ("$" in (name, other_name) and {name, other_name} <= DOLLARS)
