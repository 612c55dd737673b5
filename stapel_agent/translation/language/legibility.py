"""Legibility: a translation of words has letters that a reader can see, and no characters that deceive the reader."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from .language_names import FROM_THE_RIGHT, base
from .scripts import MARK

# Control characters, direction overrides, tags, and the replacement for unreadable bytes.
NEVER = "\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202d\u202e\ufff9-\ufffb\ufffd\ufffe\uffff\U000e0000-\U000e007f"
# Fillers are invisible, although Unicode calls those of Hangul letters.
FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u180e\u2061-\u2065\u206a-\u206f\u2800\u3164\ufeff\uffa0"
UNSEEN = re.compile(f"[{NEVER}{FILLERS}]")
BLANK = re.compile(f"[{FILLERS}\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufe00-\ufe0f\U000e0000-\U000e0fff]")

DIRECTIONS = re.compile("[\u202a-\u202c\u2066-\u2069]")
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001eeff]")
SPACES = re.compile("[\u200b\u2060]")
UNSPACED = re.compile("[\u0e00-\u109f\u1780-\u17ff\u1900-\u1aff\u3000-\u9fff\ua980-\ua9df\uaa00-\uaadf\uac00-\ud7af]")
"""Scripts without spaces between words, which mark the places for a line break."""
JOINERS = re.compile("[\u200c\u200d]")
JOINED = re.compile("[\u0300-\u1fff\u2190-\uffef\U00010000-\U0010ffff]")
HYPHENS = re.compile(r"\u00ad(?![^\W\d_])|(?<![^\W\d_])\u00ad")
NEEDED_IN = ((SPACES, UNSPACED), (JOINERS, JOINED), (DIRECTIONS, RIGHT_TO_LEFT), (HYPHENS, re.compile("(?!)")))
"""Zero-width characters, and the scripts that need them."""
STRAY = re.compile("[\u00ad\u200b-\u200d\u202a-\u202c\u2060\u2066-\u2069]")
"""All of those characters."""

TAIL_LETTERS = "ŠŒŽšœžŸ"
"""Characters of TAIL that words have too: Czech `Úžasné` and `„garáž“`, Northern Sami `áššit`."""
ODD_SIGNS = r"\x80-\x9f¡-\xa9¬-\xb6\xb8¹¼-\xbf€ƒ†‡ˆ‰˜™"
"""The characters of TAIL that do not also stand in or after a word: no quotation mark, dash, dot or ordinal sign."""
SIGNS = rf"{ODD_SIGNS}\xa0ª«·º»‚„…‹‘’“”•–—›"
ODD_TAIL = f"{ODD_SIGNS}{TAIL_LETTERS}"
TAIL = f"{SIGNS}{TAIL_LETTERS}"
"""The characters that the bytes 0x80 to 0xBF are misread as."""
MISREAD = re.compile(
    rf"""
      [ÂÃÄÅÎÏÐÑ][{ODD_TAIL}] | Ã[ªº\xa0] | Â[«»\xa0] | (?:[Â-ÆÈÊËÎÏÐÑØÙÛ][{TAIL}]|[ÚÜ][{SIGNS}])(?=\w)
    | (?:[Â-ß][{TAIL}]){{3}} | [à-ï](?:[{ODD_SIGNS}][{TAIL}]|[{TAIL}][{ODD_SIGNS}]|[{SIGNS}][{TAIL_LETTERS}]) | 锟斤拷
    """,
    re.VERBOSE,
)
"""UTF-8 that was read in another encoding: `Ã¼` for `ü`. Three pairs in a row are no coincidence."""
REPLACED = re.compile(r"(?:(?<![^\s(«„“¿-])|[^\W\d_])\?++[^\W\d_]")
"""Question marks that may stand for letters that an encoding lacks."""
QUESTIONS = "???"
MOST_MARKS = 7
"""The most combining marks on a letter. No script stacks as many."""
READABLE = re.compile("[0-9A-Za-z]")
"""Letters and digits that can be searched for fast."""
STACK = re.compile(rf"[^\x00-\x7f\w\s][^\x00-\x7f\w\s]{{{MOST_MARKS}}}")
"""Matches wherever there are more than MOST_MARKS combining marks in a row, and is faster to search for."""
OWNERSHIP = re.compile("[©®™℗]")
FEW_LETTERS = 3


def illegible(source: str, translation: str, to: str = "") -> str | None:
    """Return why readers of the language `to` cannot read `translation`, or None. Both texts are masked."""
    is_ascii = translation.isascii()
    is_plain = is_ascii and translation.isprintable()
    unseen = [] if is_plain else UNSEEN.findall(translation)
    if unseen and not set(unseen) <= set(UNSEEN.findall(source)):
        return "has invisible characters"
    if not is_ascii and _has_stray(source, translation, to):
        return "has invisible characters where no script needs them"
    is_misread = not is_ascii and MISREAD.search(translation) and not MISREAD.search(source)
    if is_misread or _lost_letters(source, translation):
        return "has letters in a wrong encoding"
    if not is_ascii and _stacked_marks(translation) > max(MOST_MARKS, _stacked_marks(source)):
        return "has letters under too many combining marks"
    if _is_readable(_without_marks(translation)):
        return None
    ours = _without_marks(source)
    letters = sum(map(str.isalpha, ours))
    # "{x} of {y}" may become "{x} / {y}", "n/a" a dash, ", and" a comma of Japanese, and "(C)" its sign.
    has_signs = "\ufffc" in ours or "/" in ours or ours.strip()[:1] == "," or OWNERSHIP.search(translation)
    may_lack_letters = letters <= FEW_LETTERS and has_signs
    return "has no letters" if letters and not may_lack_letters else None


def _without_marks(text: str) -> str:
    return MARK.sub("\ufffc", text) if "⟦" in text or "&" in text else text


def _is_readable(text: str) -> bool:
    if READABLE.search(text):
        return True
    return any(character.isalpha() or character.isdigit() for character in BLANK.sub("", text))


def _has_stray(source: str, translation: str, to: str) -> bool:
    if STRAY.search(translation) is None or base(to) in FROM_THE_RIGHT:
        return False
    return any(
        stray.search(translation) and not (stray.search(source) or script.search(translation) or script.search(source))
        for stray, script in NEEDED_IN
    )


def _lost_letters(source: str, translation: str) -> bool:
    """Whether question marks replace letters."""
    if "?" not in translation:
        return False
    is_run = QUESTIONS in translation and "?" not in source and "!" not in source
    return is_run or (any(map(_is_replaced, REPLACED.finditer(translation))) and not REPLACED.search(source))


def _is_replaced(question: re.Match[str]) -> bool:
    """Whether this is not just the beginning of the next sentence without a space before it."""
    following = question[0][-1]
    return following.islower() or "\u0590" <= following <= "\u1fff"


def _stacked_marks(text: str) -> int:
    """The length of the longest run of combining marks. 0 if there is certainly none of more than MOST_MARKS."""
    if STACK.search(text) is None:
        return 0
    return _longest(unicodedata.category(character)[0] == "M" for character in text)


def _longest(flags: Iterable[bool]) -> int:
    longest = run = 0
    for flag in flags:
        run = run + 1 if flag else 0
        longest = max(longest, run)
    return longest
