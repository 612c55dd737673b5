"""Foreign letters: a translation has no letters of a script that neither its language nor the source has."""

from __future__ import annotations

import re
from collections import Counter

from .language_names import base
from .scripts import MARK, NAME_OF, READ, script_of, scripts_in, usual_script

LETTERS = re.compile(r"[^\W\d_]+")
BEYOND_LATIN = re.compile("[\u0370-\u1dff\u1f00-\u1fff\u2c00-\uffff\U00010000-\U0010ffff]")
"""Where letters other than Latin ones are, with signs among them. It is faster to search for."""
KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
GREEK_SIGN = re.compile(r"(?<![\u0370-\u03ff\u1f00-\u1fff])([\u0370-\u03ff])\1*+(?![\u0370-\u03ff\u1f00-\u1fff])")
"""A Greek letter alone is a sign: `π`, `μs`."""
MAJOR = {*NAME_OF.values(), "KANA"} - {"LATIN"}
EVERY_LETTER_COUNTS = {"CJK", "HANGUL", "KANA"}
FEW = 2
ALSO_IN = {"ja": {"KANA"}, "ko": {"CJK"}}
NAMES = {"CJK": "Chinese or Japanese", "KANA": "Japanese"}

CYRILLIC, GREEK, LATIN = "\u0400-\u052f", "\u0370-\u03ff\u1f00-\u1fff", "A-Za-z\u00c0-\u024f"
MIXED = re.compile(rf"(?<![^\W\d_])(?=[^\W\d_]*[{LATIN}])(?=[^\W\d_]*[{CYRILLIC}{GREEK}])[^\W\d_]{{3,}}+")
"""A word of two alphabets. Two letters are a symbol: `Δx`."""
LOOKALIKES = (
    (re.compile(f"[{CYRILLIC}]"), frozenset("АВЕЅІЈКМНОРСТУХаеѕіјорсухё")),
    (re.compile(f"[{GREEK}]"), frozenset("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο")),
)
LATIN_LOOKALIKES = (re.compile(f"[{LATIN}]"), frozenset("ABCEHIKMNOPTXYZaceiopxyv"))
"""The letters of a script that are drawn like letters of another one."""
WITH_ENDING = re.compile(rf"[{LATIN}]{{2,40}}[{CYRILLIC}{GREEK}]{{1,40}}")
"""A foreign name with an ending: Russian `SMSка`."""


def other_letters(source: str, translation: str, to: str) -> str | None:
    """Describe letters in a masked `translation` into `to` that belong to neither the language nor `source`."""
    plain = MARK.sub(" ", translation)
    if plain.isascii() or not BEYOND_LATIN.search(plain):
        return None
    if strange := _strange(source, plain, to):
        return f"has {NAMES.get(strange, strange.title())} letters, which neither the language nor the text has"
    if _has_lookalikes(source, plain, script_of(to)):
        return "mixes letters of two alphabets that look alike"
    return None


def _strange(source: str, translation: str, to: str) -> str | None:
    found = _counted(GREEK_SIGN.sub(" ", translation))
    # A language of several scripts has its usual one, or the one that most letters are of.
    main = script_of(to) or max(found, key=found.__getitem__, default="")
    own = {main, usual_script(to), *ALSO_IN.get(base(to), ())}
    strange = {script for script in MAJOR - own if found[script] >= (1 if script in EVERY_LETTER_COUNTS else FEW)}
    return min(strange - _counted(source).keys(), default=None) if strange else None


def _counted(text: str) -> Counter[str]:
    """Count the letters of `text` by script. Japanese syllables count as such."""
    found = Counter(KANA=len(KANA.findall(text)))
    plain = KANA.sub(" ", text)
    for start in range(0, len(plain), READ):
        found += scripts_in(plain[start : start + READ])
    return found


def _has_lookalikes(source: str, translation: str, expected: str | None) -> bool:
    """Whether a word that `source` does not have mixes alphabets, and could be mistaken for one in a single one."""
    words = set(MIXED.findall(translation)) - set(LETTERS.findall(source))
    scripts = LOOKALIKES if expected == "LATIN" else (*LOOKALIKES, LATIN_LOOKALIKES)
    return any(
        letters <= lookalikes
        for word in words
        if expected == "LATIN" or not WITH_ENDING.fullmatch(word)
        for script, lookalikes in scripts
        if (letters := set(script.findall(word)))
    )
