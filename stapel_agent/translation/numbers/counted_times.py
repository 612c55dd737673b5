"""Times that say their number in the form of their noun: "1 hour ago" is `час назад` in Russian, and "2 hours ago" is
`לפני שעתיים` in Hebrew.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from functools import lru_cache

from babel import Locale
from babel.dates import format_timedelta
from babel.units import format_unit

from stapel_agent.language_tags import locale_of
from stapel_agent.translation.language import base

from .units import SECONDS

SINGULAR = "am ar be bg bs cs et fi ga gd he hr iw lt lv mk mt pl ru sk sl sr ti uk"
"""Languages without an indefinite article, whose nouns have a singular."""
DUAL = frozenset({"ar", "he", "iw", "mt", "sl"})
"""Languages whose nouns have a form for two."""
FORMS: Mapping[float, Collection[str]] = {1: SINGULAR.split(), 2: DUAL}
"""Number -> the languages in which a noun may say it."""
PREFIXES = {"ar": "[وفبلك]?", "he": "[ובלכמ]?", "iw": "[ובלכמ]?"}
"""Prepositions that are written as part of the next word."""
GENITIVES = {"ru": "часа дня месяца года"}
"""Singulars that also stand after words for 2 to 4. They are not the plural."""
AFTER_FEW = "".join(rf"(?<!{word}\s)" for word in ("два", "три", "четыре", "оба", "полтора", "половиной"))
COUNTS = (1, 2, 3, 5)
FRACTION = 1.5
"""Its unit is in the genitive singular in Slavic languages, as after "within"."""
WORD = re.compile(r"[^\W\d_]{3,}")


def has_noun(count: float, units: Collection[str], text: str, tag: str) -> bool | None:
    """Whether `text` has a noun that alone says this `count` of one of the times in `units`.

    None if the language has no such form.
    """
    if base(tag) not in FORMS.get(count, ()):
        return None
    patterns = [_pattern(int(count), unit, tag) for unit in units if unit.startswith("time:")]
    known = [pattern for pattern in patterns if pattern]
    return any(pattern.search(text.lower()) for pattern in known) if known else None


@lru_cache(maxsize=512)
def _pattern(count: int, unit: str, tag: str) -> re.Pattern[str] | None:
    locale, name = locale_of(tag), unit.partition(":")[2]
    if locale is None or name not in SECONDS:
        return None
    others = {word for other in COUNTS if other != count for word in _words(other, name, locale)}
    genitive = {*_alone(FRACTION, name, locale)} if count == 1 else set()
    words = ({*_words(count, name, locale)} | genitive) - others
    words |= genitive & {*GENITIVES.get(base(tag), "").split()}
    prefix = PREFIXES.get(base(tag), "")
    return re.compile(rf"(?<!\w)(?<!\d\s){AFTER_FEW}{prefix}(?:{'|'.join(sorted(words))})(?!\w)") if words else None


def _alone(count: float, unit: str, locale: Locale) -> list[str]:
    return WORD.findall(format_unit(count, f"duration-{unit}", "long", locale=locale).lower())


def _words(count: int, unit: str, locale: Locale) -> Iterator[str]:
    """Yield the words for this `count` of a unit: alone, in the past and in the future."""
    span = timedelta(seconds=count * SECONDS[unit])
    yield from _alone(count, unit, locale)
    for direction in (span, -span):
        written = format_timedelta(
            direction,
            unit,  # type: ignore[arg-type]
            threshold=span.total_seconds(),
            add_direction=True,
            locale=locale,
        )
        yield from WORD.findall(written.lower())
