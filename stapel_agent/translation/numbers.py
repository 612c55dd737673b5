"""Numbers, dates, amounts and units: a translation must keep them, written as its language writes them.

Writing a number in words or counting in another way (hours of the day, years, tens of thousands) is not a change.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, product

from .calendar_words import FROM_SUNRISE, has_half, hours_in, months_in
from .figures import Figure, decimal_of, figures
from .language_names import FROM_THE_RIGHT, base
from .number_words import says
from .units import are_alike, seconds

SMALL = 12
"""Numbers up to this are often written as words, or counted from another start."""
ROUND = frozenset({20, 24, 50, 100, 1000})
MAX_FIGURES, MOST = 2000, 50
"""A text with more than MAX_FIGURES is not compared. Of the unmatched figures, at most MOST are compared singly."""
BUDDHIST_YEARS = 543
SHIFTS, SUNRISE_SHIFTS = frozenset({12, 24}), frozenset({6, 12, 18, 24})
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
PHONE = re.compile(r"(?<![\w.,:])\+?\(?\d{1,5}\)?(?:[ /-]{1,2}\(?\d{2,8}\)?){1,6}(?![\w:])")
PHONE_DIGITS = 7
SHORT_YEAR = re.compile(r"(?<=\d[./-])\s?(\d\d)(?!\d)")
DOTTED_DATE = re.compile(r"(?<![\d.,])(\d{1,2})\.(\d{1,2})\.(?!\d)")
PAIRED = re.compile(r"\d\s?[:×x–-]\s?\d")
PAIR = re.compile(r"(?<![\d.,:])(\d{1,9})\s?([:×x–-])\s?(\d{1,9})(?![\d.,:])")
PERCENT = re.compile(
    r"%|percent|procent|prozent|pour cent|por cien|por cento"
    r"|per cento|percentu|процент|відсот|százalék|yüzde|prosent"
    r"|prosenttia|posto|поце|отсто|τοις εκατό|ποσοστ|بالمئة"
    r"|بالمائة|درصد|फ़ीसदी|प्रतिशत|শতাংশ|百分|퍼센트|パーセント|割"
    r"|เปอร์เซ็นต์|ร้อยละ|phần trăm|persen|peratus|protsen|procen"
    r"|faiz|foiz|пайыз|տոկոս|პროცენტ|asilimia|אחוז",
    re.IGNORECASE,
)
BELOW_ZERO = re.compile(
    r"minus|moins|menos|meno\b|минус|мінус|μείον|eksi|مینوس|ناقص"
    r"|منفی|سالب|מינוס|ऋण|शून्य से|ติดลบ|ลบ|âm\b|マイナス|负|負|零下|마이너스"
    r"|영하|below|unter null|sous zéro|bajo cero|sotto zero|abaixo"
    r"|ниже|нижче|miinus|pakkasta|minuss|mínus|tolk|[-−–﹣－]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Text:
    text: str
    tag: str


def changed(source: str, translation: str, from_lang: str, to: str) -> str | None:
    """Describe a number of `source` that differs in `translation`, or return None. The text may be sent to a model."""
    source, translation = (
        ALWAYS.sub(" ", text) if "24" in text else text
        for text in (MARKED.sub(" ⟦⟧ ", text.replace("∶", ":")) for text in (source, translation))
    )
    if not (DIGIT.search(source) or DIGIT.search(translation)):
        return None
    source, translation = _without_shared_phones(source, translation)
    ours, theirs = _Text(source, from_lang), _Text(translation, to)
    # "12 345" is one number, or two: a room and its guests. "17.30" may be a time.
    our_readings = [list(figures(text, from_lang, decimal_of(from_lang))) for text in _readings(source, theirs)]
    their_readings = [list(figures(text, to)) for text in _readings(translation, ours)]
    first = None
    for readings in product(our_readings, their_readings):
        fault = _difference(*readings, ours, theirs)
        if fault is None:
            return _other_sign(our_readings[0], their_readings[0], ours, theirs) or _other_order(ours, theirs)
        first = first or fault
    return first


def _readings(text: str, other: _Text) -> list[str]:
    readings = [text]
    _add(readings, SPACED, lambda match: match[1] + match[2].replace(" ", "\u00a0"))
    if DOTTED.search(text) is None:
        return readings
    if CLOCK.search(other.text) or hours_in(other.text, other.tag):
        _add(readings, DOTTED_CLOCK, lambda match: f"{match[1]}:{match[2]}")
    if months_in(other.text, other.tag):
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
    months = months_in(ours.text, ours.tag)
    if months and (others := months_in(theirs.text, theirs.tag)) and not months & others:
        return "has another month"
    return _other_unit(source, translation, theirs.text)


def _unmatched(ours: Sequence[Figure], others: Sequence[Figure]) -> list[Figure]:
    """The figures that match none of `others`."""
    values = {value for other in others for value in other.values}
    parts = {other.parts for other in others}
    return [figure for figure in ours if not (figure.values & values or (figure.parts and figure.parts in parts))]


def _explained(
    lost: list[Figure], new: list[Figure], hours: list[Figure], ours: _Text, theirs: _Text
) -> tuple[list[Figure], list[Figure]]:
    """The figures left after matching those that only count in another way."""
    halves = has_half(ours.text, ours.tag), has_half(theirs.text, theirs.tag)
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
    return any(
        _same_hour(one, another, may_shift, shifts)
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
    if lost and new:
        return f"has {new[0].written} in place of {lost[0].written}"
    if lost:
        return f"lost the number {lost[0].written}"
    return f"has the number {new[0].written}, which the text does not have" if new else None


def _is_said(figure: Figure, other: _Text, is_replaced: bool) -> bool:
    """Whether the other text may have the number as a word, or as the name of a month."""
    if figure.is_in_word and not is_replaced:
        return True
    if figure.values & set(map(float, months_in(other.text, other.tag))):
        return True
    values = figure.values | {value % 12 or 12.0 for value in figure.values if figure.is_clock}
    sayable = [value for value in values if not is_replaced or 1 < value <= SMALL or value in ROUND]
    return any(
        says(value, other.text if value <= SMALL else COUNTED.sub(r"\1 ", other.text), other.tag) for value in sayable
    )


def _other_unit(source: list[Figure], translation: list[Figure], text: str) -> str | None:
    """Find a number that has another unit in the translation."""
    ours = _by_value(source)
    for figure in translation:
        matches = [(other, value) for value in figure.values for other in ours[value]]
        if not matches:
            continue
        if figure.units and not any(_may_have_unit(figure, other, value) for other, value in matches):
            return f"has another unit next to {figure.written}"
        if figure.is_bare and all(_is_sign(other.units) for other, _ in matches) and not PERCENT.search(text):
            return f"lost the unit next to {figure.written}"
    return None


def _may_have_unit(figure: Figure, other: Figure, value: float) -> bool:
    """Whether the figures, which share `value`, may have the same unit. A scale counts if it is not in the value."""
    is_scaled = value not in figure.unscaled or value not in other.unscaled
    units, others = figure.units, other.units
    if is_scaled:
        units, others = _without_scale(units), _without_scale(others)
    return not units or not others or are_alike(units, others)


def _without_scale(units: frozenset[str]) -> frozenset[str]:
    return frozenset(unit for unit in units if not unit.startswith("scale:"))


def _is_sign(units: frozenset[str]) -> bool:
    return bool(units) and all(unit.startswith(("share:", "money:")) for unit in units)


def _by_value(all_figures: list[Figure]) -> defaultdict[float, list[Figure]]:
    table = defaultdict[float, list[Figure]](list)
    for figure in all_figures:
        for value in figure.values:
            table[value].append(figure)
    return table


def _other_order(ours: _Text, theirs: _Text) -> str | None:
    """Find a telephone number, ratio or range whose parts are in another order."""
    if base(theirs.tag) in FROM_THE_RIGHT:
        return None
    if PAIRED.search(ours.text):
        pairs = {(int(match[1]), int(match[3])) for match in PAIR.finditer(theirs.text)}
        for match in PAIR.finditer(ours.text):
            pair = int(match[1]), int(match[3])
            if pair not in pairs and pair[::-1] in pairs:
                return f"has {match[0]} in another order"
    return _other_phone(ours, theirs)


def _other_phone(ours: _Text, theirs: _Text) -> str | None:
    phones = list(_phones(ours.text))
    if not phones:
        return None
    groups = re.findall(r"\d+", theirs.text)
    joined = re.sub(r"(?<=\d)[ ()/.\u00a0-]{1,3}(?=\d)", "", theirs.text)
    for phone in phones:
        following = iter(map(int, groups))
        if "".join(phone) not in joined and not all(int(group) in following for group in phone):
            return f"has the digits of {' '.join(phone)} in another order"
    return None


def _without_shared_phones(*texts: str) -> list[str]:
    """Return both texts without the telephone numbers that they share. Their digits may be grouped in other ways."""
    if not all(map(_may_have_phone, texts)):
        return list(texts)
    digits = [{re.sub(r"\D", "", match[0]) for match in PHONE.finditer(text)} for text in texts]
    shared = {number for number in digits[0] & digits[1] if len(number) >= PHONE_DIGITS}

    def without(match: re.Match[str]) -> str:
        return " " if re.sub(r"\D", "", match[0]) in shared else match[0]

    return [PHONE.sub(without, text) for text in texts]


def _may_have_phone(text: str) -> bool:
    return len(DIGIT.findall(text)) >= PHONE_DIGITS


def _phones(text: str) -> Iterator[list[str]]:
    for match in PHONE.finditer(text) if _may_have_phone(text) else ():
        groups = re.findall(r"\d+", match[0])
        is_date = len(groups) == 3 and any(len(group) == 4 for group in groups) and len("".join(groups)) <= 8
        if not is_date and len("".join(groups)) >= PHONE_DIGITS:
            yield groups


def _other_sign(our_figures: list[Figure], their_figures: list[Figure], ours: _Text, theirs: _Text) -> str | None:
    """Find a number that lost its minus sign, or that has a new one."""
    if not any(figure.is_negative for figure in chain(our_figures, their_figures)):
        return None
    source, translation = _by_value(our_figures), _by_value(their_figures)
    for value in source.keys() & translation.keys():
        ours_negative = [figure.is_negative for figure in source[value]]
        theirs_negative = [figure.is_negative for figure in translation[value]]
        if all(ours_negative) and not any(theirs_negative) and not BELOW_ZERO.search(theirs.text):
            return f"lost the minus sign of {source[value][0].written}"
        if all(theirs_negative) and not any(ours_negative) and not BELOW_ZERO.search(ours.text):
            return f"has a minus sign before {translation[value][0].written}"
    return None
