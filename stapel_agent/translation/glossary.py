"""A caller's glossary: which terms occur in a text, and whether its translation uses theirs, inflected or not."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

WORD = re.compile(r"\w+")
KEY_LENGTH = 3
ENDING = 3
"""Letters that an inflected form may have beyond the term."""
# Scripts without spaces between words: a term may occur anywhere in the text.
UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class Glossary:
    """Terms and their required translations."""

    def __init__(self, terms: Mapping[str, str], to: str) -> None:
        self._to = to
        self._terms: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        self._anywhere: list[tuple[str, str, str]] = []
        for term, translation in sorted(terms.items()):
            plain = _plain(term)
            words = WORD.findall(plain)
            if UNSPACED.search(plain) or not words:
                self._anywhere.append((plain, term, translation))
            else:
                self._terms[words[0][:KEY_LENGTH]].append((plain, term, translation))

    def terms_in(self, text: str) -> dict[str, str]:
        """Return the terms that occur in `text`, in any case and with any ending."""
        return dict(sorted(self._found(_plain(text)))) if self._terms or self._anywhere else {}

    def missed(self, terms: Mapping[str, str], translation: str) -> list[str]:
        """Return the `terms` whose translation is missing from `translation`. Terms of one letter are skipped."""
        plain = _plain(translation)
        stems = _stems(self._to, plain) if terms else frozenset()
        return [
            term
            for term, wanted in terms.items()
            if len(term) > 1 and not all(_has(plain, stems, word, self._to) for word in WORD.findall(_plain(wanted)))
        ]

    def _found(self, plain: str) -> Iterator[tuple[str, str]]:
        for part, term, translation in self._anywhere:
            if part and part in plain:
                yield term, translation
        for key in {word[:KEY_LENGTH] for word in WORD.findall(plain)}:
            for part, term, translation in self._terms.get(key, ()):
                if _pattern(part).search(plain):
                    yield term, translation


@lru_cache(maxsize=2048)
def _pattern(term: str) -> re.Pattern[str]:
    """Match the term with an ending. A short term may only have an English plural or genitive ending."""
    words = r"[\s_-]+".join(map(re.escape, re.split(r"[\s_-]+", term.strip())))
    ending = rf"\w{{0,{ENDING}}}" if len(term) > ENDING + 1 else r"(?:e?s)?"
    return re.compile(rf"(?<!\w){words}(?!\w)|(?<!\w){words}{ending}(?!\w)")


def _has(plain: str, stems: frozenset[str], word: str, to: str) -> bool:
    """Whether a translation has `word` in any form, alone or in a compound."""
    spared = min(ENDING, len(word) // 3) if len(word) > ENDING else 0
    return word[: len(word) - spared] in plain or bool(_stems(to, word) & stems)


@lru_cache(maxsize=2048)
def _stems(to: str, plain: str) -> frozenset[str]:
    stemmer = _stemmer(to.replace("_", "-").partition("-")[0].lower())
    return frozenset(stemmer.stemWords(WORD.findall(plain)[:5000])) if stemmer else frozenset()


STEMMERS = {
    "ar": "arabic",
    "hy": "armenian",
    "eu": "basque",
    "ca": "catalan",
    "da": "danish",
    "nl": "dutch",
    "en": "english",
    "et": "estonian",
    "fi": "finnish",
    "fr": "french",
    "de": "german",
    "el": "greek",
    "hi": "hindi",
    "hu": "hungarian",
    "id": "indonesian",
    "ga": "irish",
    "it": "italian",
    "lt": "lithuanian",
    "ne": "nepali",
    "no": "norwegian",
    "nb": "norwegian",
    "nn": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "es": "spanish",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}


@lru_cache(maxsize=64)
def _stemmer(language: str) -> Any:
    """Snowball's stemmer for the language, or None if the extra `stapel-agent[language]` does not provide one."""
    try:
        from snowballstemmer import algorithms, stemmer
    except ImportError:
        return None
    name = STEMMERS.get(language, "")
    return stemmer(name) if name in algorithms() else None


def _plain(text: str) -> str:
    """Return `text` in lower case and without accents, so that `Körbe` matches `Korb`."""
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
