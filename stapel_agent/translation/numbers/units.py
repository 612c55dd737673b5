"""Units, currencies and magnitudes next to numbers."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from .unit_spellings import Spellings

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
    " milyon juta triệu εκατομμύρι* 백만 百万 百萬",
    1e7: "crore 천만 千万 千萬",
    1e9: "milliard* mrd mld bn miliard* miljard* миллиард* млрд мільярд* milyar miliar tỷ 십억 十亿 十億",
}
"""Words that multiply the number before them, beyond the forms that CLDR has."""
BILLIONS = re.compile(r"(?:bill?i?[oó]n|bilh|bilió|biljo|биллио|більйо)\w*")
BILLION = frozenset({1e9, 1e12})
UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u9fff\uac00-\ud7af]")
PAIR = 2
"""The length of magnitudes such as 천만, which begins with another one, 천. A unit may follow without a space."""
ENDING = 3
"""How many letters an inflected unit may add to CLDR's forms."""
STEM = 4
WORD = re.compile(r"[^\W\d_]+")
PREPOSITION = re.compile(
    r"in\s+(?:[\"'“„«»‘`⟦]|(?!(?:screen|display|monitor|tablet|tv|pizza|by|x|of|per|or|and|to|from|than|apart|above|below"
    r"|across|wide|long|tall|high|deep|thick|diagonal|diameter)\b)\.?\w)"
    r"|a\s+(?:second|minute|hour|day|night|week|month|year|time|person|head|piece)\b"
)
"""Words of a sentence that look like inches and amperes."""
NONE = frozenset[str]()


def unit_after(text: str, spellings: Spellings) -> frozenset[str]:
    """The units that `text` begins with. It is in lower case and does not begin with a space."""
    if not spellings.may_follow(text) or PREPOSITION.match(text):
        return NONE
    for spelling in spellings.after.at_start(text):
        if is_word_end(text, len(spelling)):
            return spellings.after.meanings[spelling]
    word = WORD.match(text)
    letters = word[0] if word else ""
    for length in range(len(letters) - 1, max(STEM, len(letters) - ENDING) - 1, -1):
        stem = letters[:length]
        if stem in spellings.after.meanings and stem != "euro":
            return spellings.after.meanings[stem]
    return NONE


def unit_before(text: str, spellings: Spellings) -> frozenset[str]:
    """The units that `text` ends with."""
    if not spellings.may_precede(text):
        return NONE
    for spelling in spellings.before.at_end(text):
        if not _is_in_word(text, spelling):
            return spellings.before.meanings[spelling]
    return NONE


def is_unit(text: str, spellings: Spellings) -> bool:
    """Whether `text` ends with any unit."""
    if not spellings.may_precede(text):
        return False
    return not all(_is_in_word(text, spelling) for spelling in spellings.after.at_end(text))


def _is_in_word(text: str, spelling: str) -> bool:
    """Whether the `spelling` that `text` ends with is only the end of a word."""
    return spelling[0].isalpha() and text[: -len(spelling)][-1:].isalpha()


def magnitude_after(text: str, spellings: Spellings) -> tuple[frozenset[float], int]:
    """The factors that the first word of `text` may stand for, and its length."""
    if factors := _factors(text[:PAIR]) if UNSPACED.match(text) else None:
        return factors, PAIR
    for spelling in spellings.magnitudes.at_start(text) if spellings.may_follow(text) else ():
        if is_word_end(text, len(spelling)):
            return spellings.magnitudes.meanings[spelling], len(spelling)
    word = WORD.match(text)
    return (_factors(word[0]), word.end()) if word else (frozenset(), 0)


@lru_cache(maxsize=1024)
def _factors(word: str) -> frozenset[float]:
    """The factors that a word may stand for in any language."""
    factors = frozenset(factor for factor, pattern in _magnitude_patterns() if pattern.fullmatch(word))
    return factors or (BILLION if BILLIONS.fullmatch(word) else frozenset())


def are_alike(units: frozenset[str], others: frozenset[str]) -> bool:
    """Whether both may name the same unit."""
    return bool(units & others) or any(units & group and others & group for group in ALIKE)


def seconds(units: frozenset[str]) -> list[int]:
    return [SECONDS[name] for dimension, _, name in (unit.partition(":") for unit in units) if name in SECONDS]


def is_word_end(text: str, position: int) -> bool:
    """Whether a word may end before `position`. Scripts without spaces have no word ends."""
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
