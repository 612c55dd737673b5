"""Check whether a translation is in the requested language, by its words, its script, and a detector if installed."""

from __future__ import annotations

import re

from stapel_agent.language_tags import AUTO, bcp47

from .language_detection import languages_of
from .language_names import base, language_name
from .scripts import MARK, READ, has_kana, has_script, other_chinese, script_of, scripts_in

WORD = re.compile(r"(?<!\d)[^\W\d_]+(?:['’-][^\W\d_]+)*(?!\d)")
CODE = re.compile(r"[_/\\=<>|]|\w[.:]\w|^-")
MAY_HAVE_CODE = re.compile(r"[_/\\=<>|-]|[.:]\w")
SEVERAL, MANY = 2, 4
LETTERS_WITHOUT_BLANKS = 5
LIKELY, SURE, DOUBTFUL, DOUBTFUL_AMONG_RELATIVES = 0.5, 0.9, 0.05, 0.005
SHORTEST = 20
"""The fewest characters for which a detector is reliable."""
LONG = 60
"""The fewest characters for which it can tell related languages apart."""

RELATIVES = (
    *({"no", "nb", "nn", "da", "sv"}, {"cs", "sk"}, {"hr", "sr", "bs", "sh", "sl"}, {"id", "ms", "jv", "su"}),
    *({"es", "gl", "pt", "ca", "an", "ext", "ast", "oc", "mwl"}, {"ru", "uk", "be", "bg", "mk", "sr", "rue"}),
    *({"de", "lb", "gsw", "nds", "bar"}, {"nl", "af", "fy", "nds", "li"}, {"hi", "mr", "ne", "bho", "mai", "sa"}),
    *({"zh", "yue", "wuu"}, {"fr", "oc", "wa", "ca"}, {"it", "lij", "scn", "vec", "co", "pms"}, {"tl", "fil", "ceb"}),
    *({"en", "pcm", "sco"}, {"tr", "az"}, {"fa", "ps", "ckb"}, {"he", "iw", "yi"}),
)

ALIKE = (
    *({"no", "nb", "nn", "da"}, {"hr", "sr", "bs", "sh"}, {"id", "ms"}, {"ar", "ary", "arz"}, {"ku", "ckb", "sdh"}),
    {"zh-HK", "zh-Hant-HK", "yue"},
)
"""Languages that no detector can tell apart, and tags under which people write both."""


def is_unchanged(source: str, translation: str, from_lang: str, to: str) -> bool:
    """Whether several ordinary words came back unchanged although another language was requested.

    Names, codes and single words are ignored, since they are the same in many languages. Case and punctuation may
    differ.
    """
    if base(from_lang) == base(to) or not _are_same_words(source, translation):
        return False
    return _has_several_words(source) and (from_lang != AUTO or _is_foreign(source, to))


def _are_same_words(source: str, translation: str) -> bool:
    ours, theirs = (" ".join(text.split()).rstrip(".!?…:;") for text in (source, translation))
    return ours == theirs or (ours.casefold() == theirs.casefold() and not _is_shouted(theirs))


def _is_foreign(text: str, to: str) -> bool:
    """Whether `text`, whose language is not given, is detected as a language other than `to`."""
    expected = script_of(to)
    if expected and not has_script(text, expected) and _other_script(text, text, expected):
        return True
    found, probabilities = _top(text)
    return bool(found) and found not in _related(base(to)) and probabilities[found] > LIKELY


def other_language(source: str, translation: str, from_lang: str, to: str) -> tuple[str, bool] | None:
    """Return a remark on the wrong language of `translation`, and whether it is the source's. None if it is in `to`."""
    if fault := other_chinese(translation, to):
        return fault, other_chinese(source, to) is not None
    if base(to) == "zh" and has_kana(translation) and not has_kana(source):
        return "is in Japanese", False
    expected = script_of(to)
    is_in_script = expected is None or has_script(translation, expected)
    if expected and not is_in_script and (strange := _strange_script(source, translation, expected)):
        return strange
    if base(from_lang) == base(to) or (is_in_script and _is_shouted(translation)):
        return None
    if not _has_several_words(translation):
        return None
    if expected and not is_in_script and (strange := _other_script(source, translation, expected)):
        remark, is_source = strange
        return remark, is_source and not _is_in_a_third_language(source, translation, from_lang, to)
    return _detected(source, translation, from_lang, to)


def _detected(source: str, translation: str, from_lang: str, to: str) -> tuple[str, bool] | None:
    """Find a translation that the detector takes for another language. Returns the same as `other_language()`."""
    if _is_shouted(translation):
        return None
    found, probabilities = _top(translation)
    target = base(to)
    if not found or target not in probabilities or found == target:
        return None
    if script_of(to) != script_of(target) or any(
        {found, target} <= group or {found, bcp47(to)} <= group for group in ALIKE
    ):
        return None  # the detector does not know the script, or cannot tell them apart
    is_related = found in _related(target)
    if is_related and len(translation) < LONG:
        return None
    if probabilities[found] < SURE or probabilities[target] > (DOUBTFUL_AMONG_RELATIVES if is_related else DOUBTFUL):
        return None
    is_source = found in _related(base(from_lang)) or (not is_related and found == _top(source)[0])
    return f"is in {language_name(found)}, not in {language_name(to)}", is_source


def _is_in_a_third_language(source: str, translation: str, from_lang: str, to: str) -> bool:
    """Whether the detector is sure that `translation`, which has other words, is in neither language."""
    found, probabilities = _top(translation)
    known = _top(source)[0] if from_lang == AUTO else base(from_lang)
    if not known or not found or found in _related(known) | _related(base(to)) or probabilities[found] < SURE:
        return False
    words, theirs = ({word.casefold() for word in WORD.findall(text)} for text in (translation, source))
    return 2 * len(words & theirs) < len(words)


def _strange_script(source: str, translation: str, expected: str) -> tuple[str, bool] | None:
    """Find even a single word in a script that neither the language nor the source has. Latin names are common."""
    found = scripts_in(translation)
    if found["LATIN"] or found.total() < SEVERAL:
        return None
    strange = found.most_common(1)[0][0]
    return None if strange in scripts_in(source) else (f"has no {expected.title()} letters", False)


def _other_script(source: str, translation: str, expected: str) -> tuple[str, bool] | None:
    """Describe the script of a translation without any letter of its language's script."""
    found = scripts_in(translation)
    if not found:
        return None
    strange = found.most_common(1)[0][0]
    return f"has no {expected.title()} letters", strange in scripts_in(source)


def _has_several_words(text: str) -> bool:
    words = WORD.findall(_prose(text))
    ordinary = [word for word in words if word == word.lower()]
    if any(_is_written_without_blanks(word) for word in ordinary):
        return sum(map(len, ordinary)) >= LETTERS_WITHOUT_BLANKS
    return len(words) >= SEVERAL and (bool(ordinary) or len(words) >= MANY)


def _prose(text: str) -> str:
    """Return the beginning of `text` without marks, references and words that look like code."""
    plain = MARK.sub(" ", text[:READ])
    if MAY_HAVE_CODE.search(plain) is None:
        return " ".join(plain.split())
    return " ".join(word for word in plain.split() if CODE.search(word) is None)


def _is_written_without_blanks(word: str) -> bool:
    return "\u0e00" <= word[0] <= "\u0eff" or "\u3040" <= word[0] <= "\u9fff"


def _is_shouted(text: str) -> bool:
    """Whether it is in capitals, which no detector handles."""
    return text == text.upper() and text != text.lower()


def _top(text: str) -> tuple[str, dict[str, float]]:
    """Return the likeliest language of `text` and the probability of each. Empty for a short text."""
    plain = " ".join(WORD.findall(_prose(text)))
    probabilities = languages_of(plain) if len(plain) >= SHORTEST else {}
    return max(probabilities, key=probabilities.__getitem__, default=""), probabilities


def _related(language: str) -> set[str]:
    return {language}.union(*(group for group in RELATIVES if language in group))
