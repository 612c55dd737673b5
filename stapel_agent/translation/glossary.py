"""A caller's glossary: which terms occur in a text, and whether its translation has their translations, in any form."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from .language import base
from .word_forms import ENDING, UNSPACED, WORD, WordForms, plain, stem_list

KEY_LENGTH = 3

Term = tuple[str, str, str]
"""A term in plain letters, as it was given, and its translation."""


class Glossary:
    """Terms of the language `from_lang` and their required translations. `from_lang` may be unknown."""

    def __init__(self, terms: Mapping[str, str], to: str, from_lang: str = "") -> None:
        self._to, self._from = base(to), base(from_lang)
        self._terms: dict[str, list[Term]] = defaultdict(list)
        self._anywhere: list[Term] = []
        self._stems: dict[str, list[tuple[Sequence[str], Term]]] = defaultdict(list)
        for term, translation in sorted(terms.items()):
            letters = plain(term)
            words = WORD.findall(letters)
            if UNSPACED.search(letters) or not words:
                self._anywhere.append((letters, term, translation))
                continue
            self._terms[words[0][:KEY_LENGTH]].append((letters, term, translation))
            if stems := stem_list(self._from, letters):
                self._stems[stems[0]].append((stems, (letters, term, translation)))

    def terms_in(self, text: str) -> dict[str, str]:
        """Return the terms that occur in `text`, in any case and with any ending."""
        return dict(sorted(self._found(plain(text)))) if self._terms or self._anywhere else {}

    def missed(self, terms: Mapping[str, str], translation: str) -> list[str]:
        """Return the `terms` whose translation is missing from `translation`. Terms of one letter are skipped."""
        if not terms:
            return []
        words = WordForms(translation, self._to)
        return [
            term
            for term, wanted in terms.items()
            if len(term) > 1 and not all(map(words.has, WORD.findall(plain(wanted))))
        ]

    def _found(self, text: str) -> Iterator[tuple[str, str]]:
        for part, term, translation in self._anywhere:
            if part and part in text:
                yield term, translation
        for key in {word[:KEY_LENGTH] for word in WORD.findall(text)}:
            for part, term, translation in self._terms.get(key, ()):
                if _pattern(part).search(text):
                    yield term, translation
        yield from self._found_by_stem(text)

    def _found_by_stem(self, text: str) -> Iterator[tuple[str, str]]:
        stems = stem_list(self._from, text) if self._stems else ()
        for position, stem in enumerate(stems):
            for wanted, (_, term, translation) in self._stems.get(stem, ()):
                if tuple(stems[position : position + len(wanted)]) == tuple(wanted):
                    yield term, translation


@lru_cache(maxsize=2048)
def _pattern(term: str) -> re.Pattern[str]:
    """Match the term with an ending. A short term may only have an English plural or genitive ending."""
    words = r"[\s_-]+".join(map(re.escape, re.split(r"[\s_-]+", term.strip())))
    ending = rf"\w{{0,{ENDING}}}" if len(term) > ENDING + 1 else r"(?:e?s)?"
    return re.compile(rf"(?<!\w){words}(?!\w)|(?<!\w){words}{ending}(?!\w)")
