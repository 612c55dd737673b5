"""Months and halves of the day: how a language writes them, from CLDR."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from functools import lru_cache
from itertools import product

from babel import Locale

from stapel_agent.language_tags import AUTO, locale_of
from stapel_agent.translation.language import base

from .unit_spellings import spellings_of

AM, PM = "am", "pm"
HALVES = {
    "am": AM,
    "morning1": AM,
    "morning2": AM,
    "pm": PM,
    "afternoon1": PM,
    "afternoon2": PM,
    "evening1": PM,
    "evening2": PM,
}
ENGLISH = {"am": AM, "a.m.": AM, "a.m": AM, "pm": PM, "p.m.": PM, "p.m": PM, "AM": AM, "PM": PM, "A.M.": AM, "P.M.": PM}
OTHER_HALVES = re.compile(
    r"上午|下午|凌晨|晚上|早上|中午|午前|午後|오전|오후|صباح|مساء|\d\s?[صم]\b"
    r"|بعد الظهر|पूर्वाह्न|अपराह्न|[πμ]\.?\s?μ|пополудни|утра"
    r"|вечера|дня|ночи|sáng|chiều|tối|ÖÖ|ÖS|öğle|sabah|akşam"
    r"|mañana|tarde|noche|manhã|noite|matin|soir|midi|mattin"
    r"|pomerig|sera|morgen|abend|nacht|mittag|middag|morgon|kväll"
    r"|natt|formid|ettermid|aften|aamu|ilta|päiv|yö|rano|wiecz"
    r"|popoł|noc|ráno|večer|odpol|zjutraj|zvečer|délut|délel|este"
    r"|reggel|dimin|după|seara|следобед|сутрин|вечер|ранку|вечора"
    r"|ночі|pagi|siang|sore|malam|petang|นาฬิกา|โมง|ทุ่ม|เช้า"
    r"|บ่าย|เย็น|कल|सुबह|शाम|रात|दोपहर|בבוקר|בערב|אחה|לפנה|בצהר"
    r"|בלילה|قبل|عصر|شب|صبح|noon|midnight|morning|evening|night"
    r"|afternoon|\d\s?[ap]\b",
    re.IGNORECASE,
)
"""Words for parts of the day, beyond CLDR's names of its halves."""
KNOWN = """
ar bg ca cs da de el en es et fi fr gl he hi hr hu id it ja ko lt lv nb nl nn no pl pt ro ru sk sl sv th tr uk vi zh
"""
"""Languages whose words for parts of the day are all known here."""
PARTS = {"morning1", "afternoon1", "night1"}
"""The parts of the day. In any other language, their words are known only if CLDR names all of them."""
STEM = 4
CONTEXTS, WIDTHS = ("format", "stand-alone"), ("wide", "abbreviated")


DIGITS = re.compile(
    r"\d(?<![\d./-]\d)(?:\d?([./-])\s?\d{1,2}\1\s?\d{2,4}|\d{3}([./-])\s?\d{1,2}\2\s?\d{1,2})(?![\d/-]|\.\d)"
)
NUMBERED = {"ja", "ko", "vi", "yue", "zh"}
"""Languages that number their months."""
NUMBERED_MONTH = re.compile(r"(\d{1,2})\s?(?:月|월)|th(?:áng|g)\s(\d{1,2})")
NUMBERED_DATE = re.compile(r"(\d{1,2})\s?[月월]\s?(\d{1,2})(?!\d)|(?<!\d)(\d{1,2})\sth(?:áng|g)\s(\d{1,2})(?!\d)")
DAY = re.compile(r"(?<!\d)\d{1,2}(?!\d)")


FROM_SUNRISE = frozenset({"am", "lg", "om", "rw", "so", "sw", "ti"})
"""Languages that count the hours from sunrise and sunset."""


@lru_cache(maxsize=64)
def months_of(tag: str) -> dict[str, int]:
    """The names of the months in lower case, with their numbers."""
    locale = locale_of("en" if tag == AUTO else tag)
    if locale is None:
        return {}
    names = {
        name.lower().rstrip("."): number
        for context, width in product(CONTEXTS, WIDTHS)
        for number, name in locale.months[context][width].items()
    }
    return {name: number for name, number in names.items() if not any(map(str.isdigit, name)) and len(name) > 1}


@lru_cache(maxsize=64)
def _month_pattern(tag: str) -> re.Pattern[str] | None:
    names = sorted(map(re.escape, months_of(tag)), key=len, reverse=True)
    if not names:
        return None
    either = "|".join(names)
    return re.compile(
        rf"\d{{1,2}}(?:st|nd|rd|th|\.|º|er|ª)?,?\s?(?:de |d['’]|of |η |ב|/|-)?(?P<after>{either})(?!\w)"
        rf"|(?<!\w)(?P<before>{either})\.?,?\s?\d"
    )


@lru_cache(maxsize=64)
def _month_hints(tag: str) -> tuple[str, ...]:
    return _shortest(months_of(tag))


@lru_cache(maxsize=64)
def _half_hints(tag: str) -> tuple[str, ...]:
    return _shortest(_spoken_halves(tag))


def _shortest(names: Collection[str]) -> tuple[str, ...]:
    """The names that contain no other one. A text with none of them has none of the names."""
    return tuple(name for name in names if not any(other in name for other in names if other != name))


def _has_any(text: str, names: Iterable[str]) -> bool:
    for name in names:  # noqa: SIM110  (a third of the time that any() takes)
        if name in text:
            return True
    return False


def months_in(text: str, tag: str, *, dates: bool = True) -> set[int]:
    """The months that `text` names next to a number, and with `dates` those that a date in digits may mean."""
    in_digits = DIGITS.finditer(text) if dates else ()
    found = {int(part) for match in in_digits for part in re.findall(r"\d+", match[0])}
    lower = text.lower()
    if base(tag) in NUMBERED:
        found |= {int(match[1] or match[2]) for match in NUMBERED_MONTH.finditer(lower)}
    pattern, months = _month_pattern(tag), months_of(tag)
    if pattern and _has_any(lower, _month_hints(tag)):
        found |= {months[match["after"] or match["before"]] for match in pattern.finditer(lower)}
    return {month for month in found if 1 <= month <= 12}


def days_in(text: str, tag: str) -> dict[int, set[int]]:
    """The months that `text` names next to each day of the month."""
    found, lower = defaultdict[int, set[int]](set), text.lower()
    if base(tag) in NUMBERED:
        for match in NUMBERED_DATE.finditer(lower):
            found[int(match[2] or match[3])].add(int(match[1] or match[4]))
    pattern, months = _month_pattern(tag), months_of(tag)
    for match in pattern.finditer(lower) if pattern and _has_any(lower, _month_hints(tag)) else ():
        day = DAY.match(lower, match.start() if match["after"] else match.end() - 1)
        if day and not {",", "/"} & {*match[0]}:  # "May 5-7, June 2"
            found[int(day[0])].add(months[match["after"] or match["before"]])
    return found


def months_named(text: str, tag: str) -> set[int]:
    """The months whose names `text` may have anywhere, also as other words such as "may"."""
    lower = text.lower()
    return {number for name, number in months_of(tag).items() if _stem(name) in lower}


def weekdays_named(text: str, tag: str) -> set[int]:
    """The weekdays whose names `text` may have anywhere. Monday is 2."""
    lower = text.lower()
    return {number for name, number in _weekdays_of(tag) if _stem(name) in lower}


def _stem(name: str) -> str:
    """The name without its last letter, which languages inflect."""
    return name[:-1] if len(name) >= STEM else name


@lru_cache(maxsize=64)
def _weekdays_of(tag: str) -> tuple[tuple[str, int], ...]:
    locale = locale_of("en" if tag == AUTO else tag)
    widths = [locale.days[context][width] for context, width in product(CONTEXTS, WIDTHS)] if locale else []
    names = {(name.lower().rstrip("."), day + 2) for names in widths for day, name in names.items()}
    return tuple(sorted(names))


@lru_cache(maxsize=64)
def halves_of(tag: str) -> dict[str, str]:
    """How the language marks the two halves of the day."""
    locale = locale_of("en" if tag == AUTO else tag)
    found = dict(ENGLISH) if base(tag) in ("en", AUTO) else {}
    return {**found, **(_halves(locale) if locale else {})}


@lru_cache(maxsize=64)
def _spoken_halves(tag: str) -> dict[str, str]:
    """How a text in the language may mark the two halves of the day. English marks are read in any language."""
    return {**ENGLISH, **halves_of(tag)}


def _halves(locale: Locale) -> dict[str, str]:
    return {
        name.replace("\u00a0", " ").replace("\u202f", " "): HALVES[period]
        for widths in locale.day_periods.values()
        for width, periods in widths.items()
        if width != "narrow"
        for period, name in periods.items()
        if period in HALVES
    }


@lru_cache(maxsize=64)
def _clock_pattern(tag: str) -> re.Pattern[str] | None:
    halves = sorted(map(re.escape, _unlike_days(halves_of(tag), tag)), key=len, reverse=True)
    if not halves:
        return None
    either = "|".join(halves)
    english = "|".join(map(re.escape, sorted(ENGLISH, key=len, reverse=True)))
    return re.compile(
        rf"(?:(?<!\w)(?P<before>{either})\s?)?(?P<hour>\d{{1,2}})(?:[:.h時點点时]\d\d){{0,2}}"
        rf"[\s\u200e\u200f]{{0,3}}(?P<after>(?:{either}|{english})(?!\w))?"
    )


def _unlike_days(halves: Iterable[str], tag: str) -> list[str]:
    """The halves of the day that are not also a form of "day": the Russian `3 дня` means 3 days."""
    units = spellings_of(tag).after.meanings
    return [half for half in halves if "time:day" not in units.get(half.lower(), ())]


def hours_in(text: str, tag: str) -> dict[int, frozenset[float]]:
    """The hours from 0 to 24 that a number may mean, by where it begins, for numbers next to a half of the day."""
    pattern, halves = _clock_pattern(tag), _spoken_halves(tag)
    if pattern is None or base(tag) in FROM_SUNRISE:
        return {}
    plain = text if text.isascii() else text.replace("\u00a0", " ").replace("\u202f", " ")
    if not _has_any(plain, _half_hints(tag)):
        return {}
    return {
        match.start("hour"): _hours(int(match["hour"]), halves[match["after"] or match["before"]])
        for match in pattern.finditer(plain)
        if (match["after"] or match["before"]) and int(match["hour"]) <= 24
    }


def _hours(hour: int, half: str) -> frozenset[float]:
    if hour > 12:
        return frozenset({float(hour)})
    if half == PM:
        return frozenset({float(hour % 12 + 12)})
    return frozenset({float(hour % 12)} | ({24.0} if hour == 12 else set()))


def has_half(text: str, tag: str) -> bool:
    """Whether `text` says anywhere which part of the day it means, or may do so."""
    if base(tag) in KNOWN.split():
        return OTHER_HALVES.search(text) is not None or any(name in text for name in halves_of(tag))
    stems, lower = _stems_of_parts(tag), text.lower()
    return not stems or OTHER_HALVES.search(text) is not None or any(stem in lower for stem in stems)


@lru_cache(maxsize=64)
def _stems_of_parts(tag: str) -> frozenset[str]:
    """The beginnings of CLDR's words for all parts of the day. Empty if it does not have them all."""
    locale = locale_of(tag)
    contexts = locale.day_periods.values() if locale else ()
    widths = [names for context in contexts for width, names in context.items() if width != "narrow"]
    if not {period for periods in widths for period in periods} >= PARTS:
        return frozenset()
    names = {name.lower() for periods in widths for name in periods.values()}
    words = [re.split(r"[\s\u200b]+", name) for name in names]
    return frozenset(max(reversed(parts), key=len).rstrip(".")[:STEM] for parts in words)  # without articles
