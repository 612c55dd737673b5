"""Number words by language: a number may be written as a word, and a word as a number.

`number_words.json` has the words for 0 to 12 in this order, each with its ordinal and words such as "both" and "dozen";
for 0 also words that say that there is none, or on which side of it a number is. `large` has words in larger numbers
and words that stand for some number. `|` separates alternatives, `*` stands for any letters, and `_` for a space. In a
language that is not listed, any number may be written as a word.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from stapel_agent.translation.language import base

from .counted_times import DUAL, has_noun


@dataclass(frozen=True, slots=True)
class NumberWords:
    small: tuple[str, ...]
    large: str


def _read() -> dict[str, NumberWords]:
    table = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return {language: NumberWords(tuple(words["small"]), words["large"]) for language, words in table.items()}


LANGUAGES = _read()
SMALL = range(13)
ZERO_ANYWHERE = "zero*|null*|nul*|negativ*|positiv*"
"""Words for 0 in many languages."""
ALIASES = {"nb": "no", "nn": "no", "bs": "hr", "sh": "hr", "ms": "id", "iw": "he", "yue": "zh"}
PARTS = {0.5: 2, 0.33: 3, 0.67: 3, 0.25: 4, 0.75: 4, 0.2: 5, 0.1: 10}
"""Fraction -> the number whose words include the words for the fraction."""
LARGE = -1
SIGNS = re.compile(r"[①-⑳Ⅰ-ⅻ]|\b[IVXLC]{1,7}\b")
"""Numbers written as single signs or in Roman numerals."""
ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


def says(value: float, text: str, tag: str, units: Collection[str] = ()) -> bool:
    """Whether `text` in the language `tag` may have a word for the number, which counts `units`."""
    noun = has_noun(value, units, text, tag)
    if value in map(_value, SIGNS.findall(text)) or noun or (noun is None and value == 2 and base(tag) in DUAL):
        return True
    value = PARTS.get(round(value, 2), value)
    pattern = _pattern(base(tag), int(value) if value in SMALL else LARGE)
    return pattern is None or pattern.search(text.lower().replace("’", "'")) is not None


def _value(sign: str) -> float:
    """The number that a match of SIGNS stands for."""
    if sign[0] not in ROMAN:
        return unicodedata.numeric(sign)
    digits = [ROMAN[letter] for letter in sign]
    return sum(-digit if digit < following else digit for digit, following in pairwise([*digits, 0]))


@lru_cache(maxsize=1024)
def _pattern(language: str, value: int) -> re.Pattern[str] | None:
    """A pattern for words of the number, or of large numbers. None if the language is not listed."""
    if language == "sr":
        both = [LANGUAGES["sr"], LANGUAGES["hr"]]
    elif words := LANGUAGES.get(ALIASES.get(language, language)):
        both = [words]
    else:
        return None
    columns = [words.small[value] if value in SMALL else words.large for words in both]
    columns += [ZERO_ANYWHERE] if value == 0 else []
    return re.compile("|".join(_word(word) for column in columns for word in column.split("|") if word))


def _word(word: str) -> str:
    if word.startswith("["):
        return word
    letters = re.escape(word.strip("*").replace("_", " "))
    if "\u0e00" <= letters[0] <= "\u0eff" or "\u1100" <= letters[0] <= "\ud7ff":
        return letters
    has_prefixes = word.startswith("*") or "\u0600" <= letters[0] <= "\u06ff"
    return ("" if has_prefixes else r"(?<!\w)") + letters + ("" if word.endswith("*") else r"(?!\w)")
