"""How each language spells units, currencies and magnitudes next to numbers, from CLDR.

A unit is named `dimension:unit`. A spelling may stand for several units: a pound is money or a mass.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Generic, Literal, TypeVar

from babel import Locale
from babel.numbers import format_compact_decimal, format_currency, get_currency_symbol
from babel.units import UnknownUnitError, format_unit

from stapel_agent.language_tags import AUTO, locale_of

UNITS = {
    "time": "millisecond second minute hour day week month year",
    "mass": "microgram milligram gram kilogram metric-ton tonne ounce pound",
    "length": "millimeter centimeter meter kilometer mile foot inch yard nautical-mile",
    "volume": "milliliter centiliter deciliter liter gallon fluid-ounce cup pint cubic-meter",
    "area": "square-centimeter square-meter square-kilometer hectare acre square-foot square-mile",
    "speed": "kilometer-per-hour mile-per-hour meter-per-second knot",
    "temperature": "celsius fahrenheit kelvin",
    "data": "bit byte kilobit megabit gigabit terabit kilobyte megabyte gigabyte terabyte petabyte",
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
    "money:KRW": "₩ 원",
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
    "length:meter": "m",
    "length:centimeter": "cm",
    "length:kilometer": "km",
    "data:kilobit": "kbit kbps kb?",
    "data:megabit": "mbit mbps mb?",
    "data:gigabit": "gbit gbps gb?",
    "data:terabit": "tbit tbps tb?",
    "data:kilobyte": "kb kib kb?",
    "data:megabyte": "mb mib mb?",
    "data:gigabyte": "gb gib gb?",
    "data:terabyte": "tb tib tb?",
    "time:second": "s sec",
    "time:minute": "m min",
    "time:hour": "h ω",
    "time:month": "m",
}
"""The spellings of all languages. `mb?` is written `Mb`, which means bits, or bytes to many writers."""
ABBREVIATIONS = {
    "cs": {"time:week": "t", "time:year": "r"},
    "en": {
        "time:second": "secs",
        "time:minute": "mins",
        "time:hour": "hr hrs",
        "time:day": "d",
        "time:week": "w wk wks",
        "time:month": "mo mos",
        "time:year": "y yr yrs s",
    },
    "es": {"time:week": "s", "time:year": "a"},
    "id": {"time:minute": "m", "time:hour": "j", "time:day": "h", "time:week": "m", "time:month": "b"},
    "pl": {"time:hour": "g", "time:week": "t", "time:year": "l r"},
    "sk": {"time:week": "t", "time:year": "r"},
    "tr": {"time:hour": "s", "time:day": "g", "time:week": "h", "time:month": "a", "time:year": "y"},
}
"""Short spellings of times beyond those of CLDR. The English `s` is also that of "the 90s"."""
CASED = {"bit", "kilobit", "megabit", "gigabit", "terabit"}
"""Units whose short spellings differ from those of other units only in their case."""
SAME = {"tonne": "metric-ton", "foodcalorie": "kilocalorie"}
NUMBER = re.compile(r"\d(?:[\d.,٫٬\u00a0\u202f\s]*\d)?")
SAMPLES = (1, 2, 3, 5, 11, 20, 100, 1.5)
"""A number of each plural category that languages have."""
DIRECTIONS = re.compile(r"[\u200e\u200f\u061c\u2066-\u2069]")
SHORTEST_NAME = 4
"""The minimum number of letters in a part of a currency's name."""
KEY_LENGTH = 2
BITS, BYTES = re.compile(r"\A([\s-]{0,2}[kKMGT])b(?![^\W\d_])"), re.compile(r"\A([\s-]{0,2}[kKMGT]i?B)ps(?!\w)")

T = TypeVar("T")


class Table(Generic[T]):
    """What each spelling may stand for. Finds the spellings that a text begins or ends with."""

    def __init__(self, meanings: Mapping[str, frozenset[T]]) -> None:
        self.meanings = meanings
        self._at_start, self._at_end = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
        for spelling in sorted(meanings, key=len, reverse=True):
            self._at_start[spelling[:KEY_LENGTH]].append(spelling)
            self._at_end[spelling[-KEY_LENGTH:]].append(spelling)

    def at_start(self, text: str) -> list[str]:
        """The spellings that `text` begins with, the longest first."""
        found = [spelling for spelling in self._at_start.get(text[:KEY_LENGTH], ()) if text.startswith(spelling)]
        return found if len(text) < KEY_LENGTH else found + self._at_start.get(text[:1], [])

    def at_end(self, text: str) -> list[str]:
        """The spellings that `text` ends with, the longest first."""
        found = [spelling for spelling in self._at_end.get(text[-KEY_LENGTH:], ()) if text.endswith(spelling)]
        return found if len(text) < KEY_LENGTH else found + self._at_end.get(text[-1:], [])

    @property
    def starts(self) -> Iterable[str]:
        """The first characters of all spellings."""
        return self._at_start

    @property
    def ends(self) -> Iterable[str]:
        """The last characters of all spellings."""
        return self._at_end


@dataclass(frozen=True)
class Spellings:
    """The spellings of one language, in lower case, after and before numbers."""

    after: Table[str]
    before: Table[str]
    magnitudes: Table[float]

    def may_follow(self, text: str) -> bool:
        """Whether `text` may begin with a spelling. Most texts are excluded fast."""
        return text[:KEY_LENGTH] in self._starts or text[:1] in self._starts

    def may_precede(self, text: str) -> bool:
        """Whether `text` may end with a spelling."""
        return text[-KEY_LENGTH:] in self._ends or text[-1:] in self._ends

    @cached_property
    def _starts(self) -> Set[str]:
        return {*self.after.starts, *self.magnitudes.starts}

    @cached_property
    def _ends(self) -> Set[str]:
        return {*self.before.ends, *self.after.ends}


@lru_cache(maxsize=64)
def spellings_of(tag: str) -> Spellings:
    """Return the spellings of a language. A text of unknown language is read like an English one."""
    locale = locale_of("en" if tag == AUTO else tag)
    after, before = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    abbreviations = ABBREVIATIONS.get(locale.language if locale else "en", {}).items()
    codes = ((f"money:{code}", code.lower()) for code in CURRENCIES.split())
    for unit, written in [*SYMBOLS.items(), *abbreviations, *codes]:
        for spelling in written.split():
            after[spelling].add(unit)
            if not unit.startswith("time:"):  # "Min 5" is not 5 minutes
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
    return Spellings(_table(after), _table(before), _table(magnitudes))


def _table(meanings: Mapping[str, set[T]]) -> Table[T]:
    return Table({spelling: frozenset(found) for spelling, found in meanings.items() if spelling})


def _written_units(locale: Locale) -> Iterator[tuple[str, str]]:
    for dimension, names in UNITS.items():
        for name in names.split():
            unit = f"{dimension}:{SAME.get(name, name)}"
            for length in _lengths(dimension, name):
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


def _lengths(dimension: str, name: str) -> Sequence[Literal["long", "short", "narrow"]]:
    if dimension == "time":
        return "long", "short", "narrow"
    return ("long",) if name in CASED else ("long", "short")


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
                try:
                    written = format_compact_decimal(sample * 10**power, format_type=length, locale=locale)
                except LookupError:  # the CLDR data of Babel 2.17 have no words for some languages
                    continue
                number = NUMBER.search(written)
                if number and number[0].isdecimal():
                    ahead, behind = _around(written)
                    yield sample * 10**power / int(number[0]), behind or ahead


def _ends(name: str) -> list[str]:
    """The first and the last word of a currency's name. A text may leave out the country."""
    words = [word for word in name.split() if len(word) >= SHORTEST_NAME]
    return [words[0], words[-1]] if len(words) > 1 else []


def _around(written: str) -> tuple[str, str]:
    """Return the text before and after the number. Empty without a number: Arabic has a word for "two hours"."""
    number = NUMBER.search(written)
    if number is None:
        return "", ""
    return tidy(written[: number.start()]).strip(), tidy(written[number.end() :]).strip()


def tidy_after(text: str) -> str:
    """Return the text after a number like `tidy`, with different spellings for bits and bytes."""
    return tidy(BITS.sub(r"\1b?", BYTES.sub(r"\1/s", text, count=1), count=1))


def tidy(text: str) -> str:
    """Return `text` in lower case, with plain spaces and without invisible direction marks."""
    if text.isascii():
        return text.lower()
    return DIRECTIONS.sub("", text.lower().replace("\u00a0", " ").replace("\u202f", " "))
