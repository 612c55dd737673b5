"""Check whether a translation is in the requested language, by its words, its script, and a detector if installed."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from .language_detection import languages_of
from .language_names import AUTO, language_name

WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
MARK = re.compile(r"⟦[^⟧]{0,12}⟧|&#?\w{1,31};")
CODE = re.compile(r"[_/\\=<>|]|\w[.:]\w|^-")
READ = 2000
"""Characters of a text that are used to detect its language."""
SCRIPT_SUBTAG = re.compile(r"[-_][A-Za-z]{4}(?![A-Za-z0-9])")
SEVERAL, MANY = 2, 4
LETTERS_WITHOUT_BLANKS = 5
LIKELY, SURE, SURE_AMONG_RELATIVES, DOUBTFUL = 0.5, 0.9, 0.985, 0.05
SHORTEST = 20
"""The fewest characters for which a detector is reliable."""

SCRIPTS = {
    "GREEK": "el",
    "CYRILLIC": "ru uk bg be mk ky tg mn",
    "ARABIC": "ar fa ur ps ckb sd ug",
    "HEBREW": "he iw yi",
    "DEVANAGARI": "hi mr ne sa mai bho",
    "BENGALI": "bn as",
    "TAMIL": "ta",
    "TELUGU": "te",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "ORIYA": "or",
    "SINHALA": "si",
    "THAI": "th",
    "LAO": "lo",
    "MYANMAR": "my",
    "KHMER": "km",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
    "ETHIOPIC": "am ti",
    "HANGUL": "ko",
    "CJK": "zh ja yue",
    "LATIN": "en de fr es pt it nl sv da nb no nn fi pl cs sk hu ro hr sl et lv lt tr vi id ms tl fil ca gl eu is ga "
    "cy sq mt af sw eo la lb fo",
}
"""Languages by their only script, which is the first word of its letters' Unicode names."""
SCRIPT_OF = {language: script for script, languages in SCRIPTS.items() for language in languages.split()}
SAME_SCRIPT = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "FULLWIDTH": "LATIN", "HALFWIDTH": "CJK"}

RELATIVES = (
    *({"no", "nb", "nn", "da", "sv"}, {"cs", "sk"}, {"hr", "sr", "bs", "sh", "sl"}, {"id", "ms", "jv", "su"}),
    *({"es", "gl", "pt", "ca", "an", "ext", "ast", "oc", "mwl"}, {"ru", "uk", "be", "bg", "mk", "sr", "rue"}),
    *({"de", "lb", "gsw", "nds", "bar"}, {"nl", "af", "fy", "nds", "li"}, {"hi", "mr", "ne", "bho", "mai", "sa"}),
    *({"zh", "yue", "wuu"}, {"fr", "oc", "wa", "ca"}, {"it", "lij", "scn", "vec", "co", "pms"}, {"tl", "fil", "ceb"}),
    *({"en", "pcm", "sco"}, {"tr", "az"}, {"fa", "ps", "ckb"}, {"he", "iw", "yi"}),
)


def is_unchanged(source: str, translation: str, from_lang: str, to: str) -> bool:
    """Whether several ordinary words came back unchanged although another language was requested.

    Names, codes and single words are ignored, since they are the same in many languages.
    """
    if " ".join(source.split()) != " ".join(translation.split()) or _base(from_lang) == _base(to):
        return False
    return _has_several_words(source) and (from_lang != AUTO or _is_foreign(source, to))


def _is_foreign(text: str, to: str) -> bool:
    """Whether `text`, whose language is not given, is detected as a language other than `to`."""
    if _other_script(text, text, to):
        return True
    found, probabilities = _top(text)
    return bool(found) and found not in _related(_base(to)) and probabilities[found] > LIKELY


def other_language(source: str, translation: str, from_lang: str, to: str) -> tuple[str, bool] | None:
    """Return a remark on the wrong language of `translation`, and whether it is the source's. None if it is in `to`."""
    if _base(from_lang) == _base(to) or not _has_several_words(translation):
        return None
    if strange := _other_script(source, translation, to):
        return strange
    found, probabilities = _top(translation)
    target = _base(to)
    if not found or target not in probabilities or found == target or _is_shouted(translation):
        return None
    is_related = found in _related(target)
    if probabilities[found] < (SURE_AMONG_RELATIVES if is_related else SURE) or probabilities[target] > DOUBTFUL:
        return None
    is_source = found in _related(_base(from_lang)) or (not is_related and found == _top(source)[0])
    return f"is in {language_name(found)}, not in {language_name(to)}", is_source


def _other_script(source: str, translation: str, to: str) -> tuple[str, bool] | None:
    """Find a translation without any letter of its language's script. Returns the same as `other_language()`."""
    expected = SCRIPT_OF.get(_base(to))
    if expected is None or SCRIPT_SUBTAG.search(to):
        return None
    found = _scripts(translation)
    if not found or found[expected]:
        return None
    strange = found.most_common(1)[0][0]
    if expected == "LATIN" and strange not in SCRIPTS:
        return None
    return f"has no {expected.title()} letters", strange in _scripts(source)


def _scripts(text: str) -> Counter[str]:
    """Count the letters of `text` by script. Only the beginning of a long text is read."""
    letters = Counter(filter(str.isalpha, MARK.sub("", text[:READ])))
    scripts = Counter[str]()
    for letter, times in letters.items():
        script = unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]
        scripts[SAME_SCRIPT.get(script, script)] += times
    return scripts


def _has_several_words(text: str) -> bool:
    words = WORD.findall(_prose(text))
    ordinary = [word for word in words if word == word.lower()]
    if any(_is_written_without_blanks(word) for word in ordinary):
        return sum(map(len, ordinary)) >= LETTERS_WITHOUT_BLANKS
    return len(words) >= SEVERAL and (bool(ordinary) or len(words) >= MANY)


def _prose(text: str) -> str:
    """Return the beginning of `text` without marks, references and words that look like code."""
    return " ".join(word for word in MARK.sub(" ", text[:READ]).split() if CODE.search(word) is None)


def _is_written_without_blanks(word: str) -> bool:
    return "\u0e00" <= word[0] <= "\u0eff" or "\u3040" <= word[0] <= "\u9fff"


def _is_shouted(text: str) -> bool:
    """Whether it is in capitals, which no detector handles."""
    return text == text.upper() and text != text.lower()


def _top(text: str) -> tuple[str, dict[str, float]]:
    """Return the likeliest language of `text` and the probability of each. Empty for a short text."""
    plain = " ".join(WORD.findall(_prose(text)))
    probabilities = languages_of(plain) if len(plain) >= SHORTEST else {}
    return max(probabilities, key=lambda language: probabilities[language], default=""), probabilities


def _related(language: str) -> set[str]:
    return {language}.union(*(group for group in RELATIVES if language in group))


def _base(tag: str) -> str:
    return tag.replace("_", "-").partition("-")[0].lower()
