"""Units, currencies and magnitudes next to numbers: how a language spells them, from CLDR.

A unit is named `dimension:unit`. A spelling may stand for several units: a pound is money or a mass.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from babel import Locale
from babel.numbers import format_compact_decimal, format_currency, get_currency_symbol
from babel.units import UnknownUnitError, format_unit

from .language_names import AUTO, cldr

UNITS = {
    "time": "millisecond second minute hour day week month year",
    "mass": "microgram milligram gram kilogram metric-ton tonne ounce pound",
    "length": "millimeter centimeter meter kilometer mile foot inch yard nautical-mile",
    "volume": "milliliter centiliter deciliter liter gallon fluid-ounce cup pint cubic-meter",
    "area": "square-centimeter square-meter square-kilometer hectare acre square-foot square-mile",
    "speed": "kilometer-per-hour mile-per-hour meter-per-second knot",
    "temperature": "celsius fahrenheit kelvin",
    "data": "bit byte kilobyte megabyte gigabyte terabyte petabyte",
    "power": "milliwatt watt kilowatt megawatt gigawatt",
    "electric": "volt ampere milliampere ohm",
    "energy": "joule kilojoule calorie kilocalorie foodcalorie kilowatt-hour",
    "frequency": "hertz kilohertz megahertz gigahertz",
    "angle": "degree",
    "share": "percent permille",
}
CLDR_NAMES = {"time": "duration", "data": "digital", "share": "concentr"}
CURRENCIES = (
    "EUR USD GBP JPY CHF CNY INR RUB UAH PLN CZK SEK NOK DKK HUF RON BGN TRY ILS KRW BRL MXN CAD AUD NZD ZAR THB VND"
)
SYMBOLS = {
    "share:percent": "% ٪ ％",
    "share:permille": "‰",
    "temperature:celsius": "°c",
    "temperature:fahrenheit": "°f",
    "money:EUR": "€",
    "money:GBP": "£",
    "money:JPY": "¥ 円",
    "money:INR": "₹",
    "money:RUB": "₽ руб",
    "money:UAH": "₴ грн",
    "money:TRY": "₺",
    "money:ILS": "₪",
    "money:KRW": "₩",
    "money:PLN": "zł",
    "money:CNY": "元 rmb",
    "money:$": "$",
    "money:USD": "us$",
    "money:CAD": "ca$",
    "money:AUD": "a$",
    "speed:kilometer-per-hour": "kmh km/h",
    "speed:mile-per-hour": "mph",
    "mass:milligram": "mg",
    "mass:gram": "g",
    "mass:kilogram": "kg",
    "volume:milliliter": "ml",
    "volume:liter": "l",
    "length:millimeter": "mm",
    "length:centimeter": "cm",
    "length:kilometer": "km",
    "data:kilobyte": "kb kib",
    "data:megabyte": "mb mib",
    "data:gigabyte": "gb gib",
    "data:terabyte": "tb tib",
}
"""The spellings of all languages."""
SAME = {"tonne": "metric-ton", "foodcalorie": "kilocalorie"}
DOLLARS = {"money:$", "money:USD", "money:CAD", "money:AUD", "money:MXN", "money:NZD", "money:BRL"}
YUANS = {"money:JPY", "money:CNY"}
ALIKE = (DOLLARS, YUANS, {"energy:calorie", "energy:kilocalorie"}, {"angle:degree", "temperature:celsius"})
"""Units that a text may write alike."""
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800, "month": 2592000, "year": 31104000}
"""Times that translators convert: 24 hours are one day."""

MAGNITUDES = {
    12.0: "dozen dutzend",
    100.0: "hundred hundert",
    1e3: "thousand tausend tsd mille mila mil tusen tusind tuhat* duizend тысяч* тыс тисяч* тис tysi* tys"
    " tisíc* hiljad* tisuć* ezer bin",
    1e5: "lakh",
    1e6: "million* mio mln millon* millón milion* milión* milhõ* milhão miljoen* miljon* миллион* млн мільйон*"
    " milyon juta triệu εκατομμύρι*",
    1e7: "crore",
    1e9: "milliard* mrd mld bn miliard* miljard* миллиард* млрд мільярд* milyar miliar tỷ",
}
"""Words that multiply the number before them, beyond the forms that CLDR has."""
BILLIONS = re.compile(r"(?:bill?i?[oó]n|bilh|bilió|biljo|биллио|більйо)\w*")
BILLION = frozenset({1e9, 1e12})
NUMBER = re.compile(r"\d(?:[\d.,٫٬\u00a0\u202f\s]*\d)?")
SAMPLES = (1, 2, 3, 5, 11, 20, 100, 1.5)
"""A number of each plural category that languages have."""
UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u9fff\uac00-\ud7af]")
ENDING = 3
"""Letters that an inflected unit may have beyond CLDR's forms."""
STEM = 4


@dataclass(frozen=True)
class Spellings:
    """The spellings of one language, in lower case, after and before numbers."""

    after: dict[str, frozenset[str]] = field(default_factory=dict)
    before: dict[str, frozenset[str]] = field(default_factory=dict)
    magnitudes: dict[str, frozenset[float]] = field(default_factory=dict)
    longest: int = 1
    initials: frozenset[str] = frozenset()
    finals: frozenset[str] = frozenset()
    """The first and the last characters of all spellings."""


@lru_cache(maxsize=64)
def spellings_of(tag: str) -> Spellings:
    """Return the spellings of a language. A text of unknown language is read like an English one."""
    locale = cldr("en" if tag == AUTO else tag)
    after, before = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for unit, written in [*SYMBOLS.items(), *((f"money:{code}", code.lower()) for code in CURRENCIES.split())]:
        for spelling in written.split():
            after[spelling].add(unit)
            before[spelling].add(unit)
    magnitudes = defaultdict[str, set[float]](set)
    if locale:
        for unit, written in [*_written_units(locale), *_written_currencies(locale)]:
            ahead, behind = _around(written)
            before[ahead].add(unit)
            for spelling in {behind, *(_ends(behind) if unit.startswith("money:") else ())}:
                after[spelling].add(unit)
        for factor, word in _written_magnitudes(locale):
            magnitudes[word].add(factor)
    for spellings in (after, before, magnitudes):
        spellings.pop("", None)
    written_forms = (*after, *before, *magnitudes)
    return Spellings(
        _frozen(after),
        _frozen(before),
        {word: frozenset(found) for word, found in magnitudes.items()},
        max(map(len, written_forms), default=1),
        frozenset(form[0] for form in written_forms),
        frozenset(form[-1] for form in written_forms),
    )


def unit_after(text: str, spellings: Spellings) -> frozenset[str]:
    """The units that `text` begins with. It is in lower case and has no blanks before it."""
    if text[:1] not in spellings.initials:
        return frozenset()
    for length in range(min(spellings.longest, len(text)), 0, -1):
        if text[:length] in spellings.after and is_word_end(text, length):
            return spellings.after[text[:length]]
    word = re.match(r"[^\W\d_]*", text)
    for ending in range(1, ENDING + 1):
        stem = word[0][:-ending] if word else ""
        if len(stem) >= STEM and stem in spellings.after and stem != "euro":
            return spellings.after[stem]
    return frozenset()


def unit_before(text: str, spellings: Spellings) -> frozenset[str]:
    """The units that `text` ends with."""
    if text[-1:] not in spellings.finals:
        return frozenset()
    for length in range(min(spellings.longest, len(text)), 0, -1):
        if text[-length:] in spellings.before and not (
            text[-length].isalpha() and text[-length - 1 : -length].isalpha()
        ):
            return spellings.before[text[-length:]]
    return frozenset()


def is_unit(text: str, spellings: Spellings) -> bool:
    """Whether `text` ends with any unit."""
    return text[-1:] in spellings.finals and any(
        text[-length:] in spellings.after for length in range(1, min(spellings.longest, len(text)) + 1)
    )


def magnitude_after(text: str, spellings: Spellings) -> tuple[frozenset[float], int]:
    """The factors that the first word of `text` may stand for, and its length."""
    for length in range(min(spellings.longest, len(text)), 0, -1):
        if text[:length] in spellings.magnitudes and is_word_end(text, length):
            return spellings.magnitudes[text[:length]], length
    word = re.match(r"[^\W\d_]+", text)
    if word is None:
        return frozenset(), 0
    if _any_magnitude().fullmatch(word[0]) is None:
        return frozenset(), word.end()
    factors = frozenset(factor for factor, pattern in _magnitude_patterns() if pattern.fullmatch(word[0]))
    return factors or (BILLION if BILLIONS.fullmatch(word[0]) else frozenset()), word.end()


def are_alike(units: frozenset[str], others: frozenset[str]) -> bool:
    """Whether both may name the same unit."""
    return bool(units & others) or any(units & group and others & group for group in ALIKE)


def seconds(units: frozenset[str]) -> list[int]:
    return [SECONDS[name] for dimension, _, name in (unit.partition(":") for unit in units) if name in SECONDS]


def is_word_end(text: str, position: int) -> bool:
    """Whether a word may end before `position`. Scripts without blanks have no word ends."""
    last, following = text[position - 1], text[position : position + 1]
    return not (_is_letter(last) and _is_letter(following)) or UNSPACED.match(last) is not None


def _is_letter(character: str) -> bool:
    return bool(character) and unicodedata.category(character)[0] in "LM"


@lru_cache(maxsize=1)
def _magnitude_patterns() -> list[tuple[float, re.Pattern[str]]]:
    return [
        (factor, re.compile("|".join(re.escape(word).replace(r"\*", r"\w*") for word in words.split())))
        for factor, words in MAGNITUDES.items()
    ]


@lru_cache(maxsize=1)
def _any_magnitude() -> re.Pattern[str]:
    return re.compile("|".join([BILLIONS.pattern, *(pattern.pattern for _, pattern in _magnitude_patterns())]))


def _written_units(locale: Locale) -> Iterator[tuple[str, str]]:
    for dimension, names in UNITS.items():
        for name in names.split():
            unit = f"{dimension}:{SAME.get(name, name)}"
            for length in ("long", "short"):
                for sample in SAMPLES:
                    try:
                        yield (
                            unit,
                            format_unit(
                                sample, f"{CLDR_NAMES.get(dimension, dimension)}-{name}", length, locale=locale
                            ),
                        )
                    except UnknownUnitError:
                        break


def _written_currencies(locale: Locale) -> Iterator[tuple[str, str]]:
    for code in CURRENCIES.split():
        for sample in SAMPLES:
            yield (
                f"money:{code}",
                format_currency(sample, code, locale=locale, format_type="name", currency_digits=False),
            )
        symbol = get_currency_symbol(code, locale)
        if symbol not in ("$", "¥"):
            yield from ((f"money:{code}", f"{symbol}5"), (f"money:{code}", f"5{symbol}"))


def _written_magnitudes(locale: Locale) -> Iterator[tuple[float, str]]:
    for power in range(3, 15):
        for sample in (1, 2, 5):
            for length in ("long", "short"):
                written = format_compact_decimal(sample * 10**power, format_type=length, locale=locale)
                number = NUMBER.search(written)
                if number and number[0].isdecimal():
                    ahead, behind = _around(written)
                    yield sample * 10**power / int(number[0]), behind or ahead


def _ends(name: str) -> list[str]:
    """The first and the last word of a currency's name. A text may leave out the country."""
    words = [word for word in name.split() if len(word) >= STEM]
    return [words[0], words[-1]] if len(words) > 1 else []


def _around(written: str) -> tuple[str, str]:
    """What stands before and after the number. Empty if there is none: Arabic has a word for two hours."""
    number = NUMBER.search(written)
    if number is None:
        return "", ""
    return tidy(written[: number.start()]).strip(), tidy(written[number.end() :]).strip()


def tidy(text: str) -> str:
    """Return `text` in lower case, with plain blanks and without invisible marks of direction."""
    return re.sub(r"[\u200e\u200f\u061c\u2066-\u2069]", "", text.lower().replace("\u00a0", " ").replace("\u202f", " "))


def _frozen(table: dict[str, set[str]]) -> dict[str, frozenset[str]]:
    return {spelling: frozenset(units) for spelling, units in table.items()}
