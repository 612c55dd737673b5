"""Numbers, dates, amounts and units: a translation must keep them, written as its language writes them.

Writing a number in words or counting in another way (hours of the day, years, tens of thousands) is not a change.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cached_property
from html import unescape
from itertools import product

from stapel_agent.translation.language import base
from stapel_agent.translation.placeholders import REFERENCE

from .calendar_words import FROM_SUNRISE, days_in, has_half, hours_in, months_in, months_named, weekdays_named
from .comparison_signs import other_comparison
from .data_rates import other_rate
from .figures import Figure, decimal_of, figures
from .minus_signs import other_sign
from .number_order import other_order, without_shared_phones
from .number_signs import SIGNS, in_digits, other_exponent, with_caret
from .number_words import says
from .unit_check import other_unit
from .units import seconds

SMALL = 12
"""Numbers up to this are often written as words, or counted from another start."""
SAYABLE = frozenset({*range(2, SMALL + 1), 20, 24, 50, 100, 1000})
"""Numbers that may be written as a word beside another new number."""
MAX_FIGURES, MOST = 2000, 50
"""A text with more than MAX_FIGURES is not compared. Of the unmatched figures, at most MOST are compared singly."""
BUDDHIST_YEARS = 543
HOUR = "time:hour"
SHIFTS, SUNRISE_SHIFTS = frozenset({12, 24}), frozenset({6, 12, 18, 24})
ACCELERATOR = re.compile(r"[(（]([_&])(\d)[)）]")
"""The key of a button or menu, as languages write it that have no such letter: `24時制(_2)` for `_24-hour`."""
MARKED = re.compile(r"⟦[^⟧]{0,12}⟧")
COUNTED = re.compile(r"(\d)[\s\u00a0\u202f-]{0,2}[^\W\d_]+")
"""A word after a number is a unit or a magnitude, not another number."""
ALWAYS = re.compile(r"(?<![\d/])(?:24\s?/\s?7|7\s?/\s?24)(?![\d/])")
"""Around the clock."""
DIGIT = re.compile(r"\d")
SPACED = re.compile(r"(\d(?<![\d.,]\d)\d{0,2})((?: \d{3}){1,4})(?![\d])")
DOTTED = re.compile(r"\d\.\d")
DOTTED_CLOCK = re.compile(r"(?<![\d.,])([01]?\d|2[0-3])\.([0-5]\d)(?![\d.,])")
CLOCK = re.compile(r"(?<![\d:])\d{1,2}:[0-5]\d(?![\d:])")
SHORT_YEAR = re.compile(r"(?<=\d[./-])\s?(\d\d)(?!\d)")
DOTTED_DATE = re.compile(r"(?<![\d.,])(\d{1,2})\.(\d{1,2})\.(?!\d)")


class _Text:
    """A text in the language `tag`."""

    def __init__(self, text: str, tag: str) -> None:
        self.text, self.tag = text, tag

    @cached_property
    def months(self) -> set[int]:
        return months_in(self.text, self.tag)

    @cached_property
    def named_months(self) -> set[int]:
        return months_named(self.text, self.tag)

    @cached_property
    def named_weekdays(self) -> set[int]:
        return weekdays_named(self.text, self.tag)

    @cached_property
    def has_half(self) -> bool:
        return has_half(self.text, self.tag)


def changed(source: str, translation: str, from_lang: str, to: str) -> str | None:
    """Describe a number of `source` that differs in `translation`, or return None. The text may be sent to a model."""
    translation = ACCELERATOR.sub(lambda key: "" if f"{key[1]}{key[2]}" in source else key[0], translation)
    if fault := other_comparison(source, translation, to):
        return fault
    source, translation = _plain(source), _plain(translation)
    has_signs = SIGNS.search(source) or SIGNS.search(translation)
    if has_signs and (fault := other_exponent(source, translation)):
        return fault
    if not has_signs and not (DIGIT.search(source) or DIGIT.search(translation)):
        return None
    source, translation = without_shared_phones(source, translation)
    ours, theirs = _Text(source, from_lang), _Text(translation, to)
    # "12 345" is one number, or two: a room and its guests. "17.30" may be a time.
    our_readings = [list(figures(text, from_lang, decimal_of(from_lang))) for text in _readings(ours, theirs)]
    their_readings = [list(figures(text, to)) for text in _readings(theirs, ours)]
    first = None
    for readings in product(our_readings, their_readings):
        fault = _difference(*readings, ours, theirs)
        if fault is None:
            return other_sign(our_readings[0], their_readings[0], ours.text, theirs.text) or other_order(
                source, translation, from_lang, to
            )
        first = first or fault
    return first


def _plain(text: str) -> str:
    """Return `text` without marks, character references and "24/7"."""
    if "&" in text:
        text = REFERENCE.sub(lambda reference: unescape(reference[0]), text)
    if not text.isascii():
        text = with_caret(MARKED.sub(" ⟦⟧ ", text.replace("∶", ":")))
    return ALWAYS.sub(" ", text) if "24" in text else text


def _readings(one: _Text, other: _Text) -> list[str]:
    readings = in_digits(one.text, other.text)
    if SPACED.search(one.text):
        _add(readings, SPACED, lambda match: match[1] + match[2].replace(" ", "\u00a0"))
    if DOTTED.search(one.text) is None:
        return readings
    if CLOCK.search(other.text) or hours_in(other.text, other.tag):
        _add(readings, DOTTED_CLOCK, lambda match: f"{match[1]}:{match[2]}")
    if other.months:
        _add(readings, DOTTED_DATE, lambda match: f"{match[1]}. {match[2]}.")
    return readings


def _add(readings: list[str], pattern: re.Pattern[str], rewrite: Callable[[re.Match[str]], str]) -> None:
    """Add another reading to each reading that has the pattern."""
    readings += [pattern.sub(rewrite, reading) for reading in readings if pattern.search(reading)]


def _difference(source: list[Figure], translation: list[Figure], ours: _Text, theirs: _Text) -> str | None:
    if len(source) > MAX_FIGURES or len(translation) > MAX_FIGURES:
        return None
    lost, new = _unmatched(source, translation), _unmatched(translation, source)
    if lost or new:
        hours = [figure for figure in source if figure.is_clock]
        lost, new = _explained(lost[:MOST], new[:MOST], hours[:MOST], ours, theirs)
        if fault := _unexplained(lost, new, ours, theirs):
            return fault
    if _has_other_month(ours, theirs):
        return "has another month"
    if rate := other_rate(source, theirs.text, theirs.tag):
        return f"lost the time of the rate {rate.written}"
    if rate := other_rate(translation, ours.text, ours.tag):
        return f"has a rate at {rate.written}"
    return _other_version(source, translation) or other_unit(source, translation, theirs.text)


def _has_other_month(ours: _Text, theirs: _Text) -> bool:
    if not (ours.months and theirs.months):
        return False
    named = months_in(theirs.text, theirs.tag, dates=False)
    if not ours.months & theirs.months or named - ours.months - ours.named_months:
        return True
    our_days, their_days = days_in(ours.text, ours.tag), days_in(theirs.text, theirs.tag)
    return any(our_days[day].isdisjoint(their_days[day]) for day in our_days.keys() & their_days.keys())


def _other_version(source: list[Figure], translation: list[Figure]) -> str | None:
    """Find a version that turned into another with the same value, such as 1.10 into 1.1. Amounts may lose zeros."""
    written = defaultdict[float, dict[str, str]](dict)
    for figure in translation:
        if figure.is_dotted:
            for value in figure.values:
                written[value][figure.digits] = figure.written
    for figure in source:
        for value in figure.values if figure.is_dotted else ():
            if value in written and figure.digits not in written[value]:
                return f"has {min(written[value].values())} in place of {figure.written}"
    return None


def _unmatched(ours: Sequence[Figure], others: Sequence[Figure]) -> list[Figure]:
    """The figures that match none of `others`."""
    values = {value for other in others for value in other.values}
    parts = {other.parts for other in others}
    return [figure for figure in ours if not (figure.values & values or (figure.parts and figure.parts in parts))]


def _explained(
    lost: list[Figure], new: list[Figure], hours: list[Figure], ours: _Text, theirs: _Text
) -> tuple[list[Figure], list[Figure]]:
    """The figures that are left after matching those that are only counted in another way."""
    halves = ours.has_half, theirs.has_half
    shifts = SUNRISE_SHIFTS if {base(ours.tag), base(theirs.tag)} & FROM_SUNRISE else SHIFTS
    left = list(new)
    gone = []
    for figure in lost:
        match = next((other for other in left if _same(figure, other, halves, shifts)), None)
        if match:
            left.remove(match)
        elif not _has_short_year(figure, theirs.text):
            gone.append(figure)
    return gone, [figure for figure in left if not any(_same(hour, figure, halves, shifts) for hour in hours)]


def _same(figure: Figure, other: Figure, halves: tuple[bool, bool], shifts: frozenset[int]) -> bool:
    """Whether the two may be the same number, counted in another way."""
    may_shift = halves[0] and not figure.is_clock, halves[1] and not other.is_clock
    may_be_hours = not (figure.units and other.units) or HOUR in figure.units & other.units
    return any(
        (may_be_hours and _same_hour(one, another, may_shift, shifts))
        or _same_time(one, another, figure, other)
        or _same_year(max(one, another), min(one, another))
        for one, another in product(figure.values, other.values)
    )


def _same_hour(hour: float, other: float, may_shift: tuple[bool, bool], shifts: frozenset[int]) -> bool:
    """Whether the hours differ by half a day, and the smaller one is in a text that says which half it is in."""
    if max(hour, other) > 24 or abs(hour - other) not in shifts:
        return False
    return shifts == SUNRISE_SHIFTS or (may_shift[0] if hour < other else may_shift[1])


def _same_time(value: float, other: float, figure: Figure, another: Figure) -> bool:
    spans = product(seconds(figure.units), seconds(another.units))
    return any(abs(value * one - other * two) < 1e-6 for one, two in spans)


def _same_year(later: float, earlier: float) -> bool:
    return 1000 <= later <= 2999 and (earlier == later % 100 or later - earlier == BUDDHIST_YEARS)


def _has_short_year(figure: Figure, text: str) -> bool:
    """Whether `text` has the last two digits of a year in a date."""
    years = {value % 100 for value in figure.values if 1900 <= value <= 2099}
    return any(int(match[1]) in years for match in SHORT_YEAR.finditer(text)) if years else False


def _unexplained(lost: list[Figure], new: list[Figure], ours: _Text, theirs: _Text) -> str | None:
    is_replaced = bool(lost and new)
    lost = [figure for figure in lost if not _is_said(figure, theirs, is_replaced)]
    new = [figure for figure in new if not _is_said(figure, ours, is_replaced)]
    if not is_replaced:  # "a file" may become "1 file", and "6 pm" 18:00
        new = [
            figure for figure in new if min(figure.values, default=SMALL) > 1 or (figure.is_month and ours.named_months)
        ]
    if lost and new:
        return f"has {new[0].written} in place of {lost[0].written}"
    if lost:
        return f"lost the number {lost[0].written}"
    return f"has the number {new[0].written}, which the text does not have" if new else None


def _is_said(figure: Figure, other: _Text, is_replaced: bool) -> bool:
    """Whether the other text may write the number as a word, or as the name of a month or weekday."""
    if _is_named(figure, other):
        return True
    is_other_month = figure.is_month and other.named_months
    if figure.is_in_word and not is_replaced and not is_other_month:
        return True
    values = figure.values | {value % 12 or 12.0 for value in figure.values if figure.is_clock}
    sayable = [value for value in values if not is_replaced or value in SAYABLE]
    return any(
        says(value, other.text if value <= SMALL else COUNTED.sub(r"\1 ", other.text), other.tag, figure.units)
        for value in sayable
    )


def _is_named(figure: Figure, other: _Text) -> bool:
    """Whether the other text may have the number as the name of a month or weekday."""
    months = other.named_months if figure.is_month else other.months
    return bool(figure.values & months) or (figure.is_weekday and bool(figure.values & other.named_weekdays))
