"""The words of a text in any of their forms: inflected, in compounds, with the sound changes of their language.

Stems come from Snowball, if the extra `language` is installed. FOLDS and skeletons cover what a stem does not: Finnish
`katu` is `kadun`, Turkish `şehir` is `şehri`, Czech `kniha` is `knize`, Arabic `سلة` is `سلتك`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from babel import Locale

WORD = re.compile(r"\w+")
ENDING = 3
"""How many letters an inflected form may add to the term, or put in place of its last ones."""
READ = 5000
"""The most words of a text that are compared."""
UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\u1100-\u11ff\uac00-\ud7af]")
"""Scripts without spaces between words, or with endings that are written as part of the word."""
VERB_ENDING = re.compile(r"(?<=[\u30a0-\u30ff\u3400-\u9fff])[\u3041-\u3096]{1,3}$|\u1103\u1161$")
"""The last syllables of Japanese and Korean verbs, which change: 削除する, 저장하다."""
VOICING = "\u3099\u309a"
"""The marks that tell ガ from カ. They are not accents."""
SHORT_I = "\ufdd0"
"""Stands for й, which is a letter of its own, while accents are removed."""
VOWELS = re.compile(r"(?<=.)[aeiouyаеёиоуыэюяіїєъьıαεηιουω]")
SHORTEST_SKELETON = 3

SLAVIC = "cs sk sl hr bs pl ru uk be bg mk sr"
TURKIC = "tr az tk kk ky uz tt"
ROMANCE = "fr es it pt ro ca gl"
FOLDS: dict[str, tuple[tuple[str, str], ...]] = {
    "fi et": ((r"(.)\1", r"\1"), ("b", "p"), ("d", "t"), ("g", "k")),
    TURKIC: (("b", "p"), ("d", "t"), ("g", "k"), ("б", "п"), ("д", "т"), ("г", "к")),
    SLAVIC: (("ch", "s"), ("[hg]", "z"), ("k", "c"), ("[гж]", "з"), ("[кч]", "ц"), ("[хш]", "с")),
    "es": (("z", "c"),),
    "pt gl": ((r"(?:ao|oes|aes|aos)\b", "o"),),
    "ar": (("ة", "ت"),),
    "cy": (("ngh|ch|g", "c"), ("mh|ph|b", "p"), ("nh|th|dd|d", "t"), ("ll", "l"), ("rh", "r")),
    "ga gd": (("([bcdfgmpst])h", r"\1"),),
}
"""Sounds that alternate within a word, by the languages in which they do: each is replaced with one of them."""
LOSES_VOWELS = frozenset(f"{SLAVIC} {TURKIC} hu".split())
KEEPS_ITS_ENDINGS = frozenset(["en", "vi"])
"""Languages whose words only add letters."""
WITHOUT_COMPOUNDS = frozenset(f"en vi {ROMANCE}".split())

STEMMED = "ar hy eu ca da nl en et fi fr de el hi hu id ga it lt ne no nb nn pl pt ro ru sr es sv ta tr yi"
"""Languages for which Snowball's stemmers are used."""


@dataclass(frozen=True)
class WordForms:
    """The words of a text in `language`. `has()` expects a word as `plain()` returns it."""

    text: str
    language: str

    def has(self, word: str) -> bool:
        """Whether the text has `word` in any form, alone or in a compound."""
        if UNSPACED.search(word):
            return VERB_ENDING.sub("", word) in self.plain
        return (
            self._begins(self._beginning(word), self.plain)
            or bool(stems_of(self.language, word) & self._stems)
            or self._begins(self._beginning(folded(self.language, word)), self._folded)
            or any(skeleton.startswith(self._skeleton(word)) for skeleton in self._skeletons)
        )

    @cached_property
    def plain(self) -> str:
        return plain(self.text)

    def _beginning(self, word: str) -> str:
        """Return `word` without its last letters, which inflection may change."""
        if len(word) <= ENDING or self.language in KEEPS_ITS_ENDINGS:
            return word
        return word[: len(word) - min(ENDING, len(word) // 3)]

    def _begins(self, stem: str, text: str) -> bool:
        if self.language not in WITHOUT_COMPOUNDS:
            return stem in text
        return re.search(rf"(?<!\w){re.escape(stem)}", text) is not None

    @cached_property
    def _words(self) -> list[str]:
        return WORD.findall(self.plain)[:READ]

    @cached_property
    def _stems(self) -> frozenset[str]:
        return stems_of(self.language, self.plain)

    @cached_property
    def _folded(self) -> str:
        return folded(self.language, self.plain)

    @cached_property
    def _skeletons(self) -> frozenset[str]:
        return frozenset(map(self._skeleton, self._words)) if self.language in LOSES_VOWELS else frozenset()

    def _skeleton(self, word: str) -> str:
        """Return the first letter and the consonants of `word`. A word that is too short matches nothing."""
        skeleton = VOWELS.sub("", folded(self.language, word))
        return skeleton if len(skeleton) >= SHORTEST_SKELETON else f"{word} "


def plain(text: str) -> str:
    """Return `text` in lower case and without accents, so that `Körbe` matches `Korb`."""
    kept = unicodedata.normalize("NFC", text.casefold()).replace("й", SHORT_I)
    letters = (letter for letter in unicodedata.normalize("NFD", kept) if not _is_accent(letter))
    return "".join(letters).replace(SHORT_I, "й").replace("ı", "i")


def _is_accent(letter: str) -> bool:
    return unicodedata.combining(letter) != 0 and letter not in VOICING


def stems_of(language: str, text: str) -> frozenset[str]:
    """The stems of the words of a plain text. Empty without a stemmer."""
    return frozenset(stem_list(language, text))


@lru_cache(maxsize=2048)
def stem_list(language: str, text: str) -> Sequence[str]:
    """The stem of each word of a plain text, in order. Empty without a stemmer."""
    stemmer = _stemmer(language)
    return tuple(stemmer.stemWords(WORD.findall(text)[:READ])) if stemmer else ()


def folded(language: str, text: str) -> str:
    """Return a plain text with one sound in place of all those that alternate in the language."""
    for pattern, sound in _folds(language):
        text = pattern.sub(sound, text)
    return text


@lru_cache(maxsize=64)
def _folds(language: str) -> Sequence[tuple[re.Pattern[str], str]]:
    found = [folds for languages, folds in FOLDS.items() if language in languages.split()]
    return [(re.compile(pattern), sound) for folds in found for pattern, sound in folds]


@lru_cache(maxsize=64)
def _stemmer(language: str) -> Any:
    """Snowball's stemmer for the language, or None if the extra `stapel-agent[language]` does not provide one."""
    try:
        from snowballstemmer import algorithms, stemmer
    except ImportError:
        return None
    name = Locale("en").languages[language].lower().partition(" ")[0] if language in STEMMED.split() else ""
    return stemmer(name) if name in algorithms() else None
