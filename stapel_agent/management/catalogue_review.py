"""Check existing translations of a catalogue, and estimate the cost of the missing ones. Neither calls a model."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from stapel_agent.catalogues import with_number
from stapel_agent.translation import CostRange, Entry, Review, Terms, review

from .catalogue_translation import CatalogueTranslation


class Numbering(NamedTuple):
    """Placeholders with and without the number of their argument, the first number, and how it is written."""

    numbered: re.Pattern[str]
    unnumbered: re.Pattern[str]
    first: int
    written: str


def _percent(number: str, first: int, written: str) -> Numbering:
    """Return the numbering of placeholders with a percent sign and then a `number`."""
    rest = rf"%(?P<rest>(?!{number})[^\sA-Za-z@%]*+(?:hh|ll|[hlLqjzt])?[A-Za-z@%])"
    return Numbering(re.compile(f"%{number}"), re.compile(rest), first, written)


PERCENT = _percent(r"\d{1,3}+\$", 1, "%{}${}")
PASCAL = _percent(r"\d{1,3}+:", 0, "%{}:{}")
GO = _percent(r"\[\d{1,3}+\]", 1, "%[{}]{}")
BRACE = Numbering(re.compile(r"(?<!\{)\{\d"), re.compile(r"\{\{|\{(?P<rest>[}:!])"), 0, "{{{}{}")
NUMBERINGS = {
    **dict.fromkeys(("printf", "php", "apple", "android"), (PERCENT,)),
    "none": (PERCENT, PASCAL, GO),  # the directives of programs, by flags of gettext
    "python-brace": (BRACE,),
}
"""How a placeholder may have the number of its argument, by format."""


class CostOf(Protocol):
    """Returns the cost of translating entries from a language, with a hint about them."""

    def __call__(self, from_lang: str, entries: Any, hint: str) -> CostRange: ...


def review_existing(translation: CatalogueTranslation, terms: Mapping[str, str]) -> int:
    """Note which existing translations are wrong or to be reviewed, and return how many there are."""
    reviewed = list(_reviews(translation, tuple(terms.items())))
    translation.failed += [(name, f"the translation {found.fault}") for name, found in reviewed if found.fault]
    doubts = ((name, found.doubt) for name, found in reviewed if found.doubt and not found.fault)
    translation.doubtful += [(name, f"the translation {doubt}; review it") for name, doubt in doubts]
    return len(reviewed)


def _reviews(translation: CatalogueTranslation, terms: Terms) -> Iterator[tuple[str, Review]]:
    """Yield the name of each text that has a translation, and what was found."""
    catalogue = translation.catalogue
    texts = catalogue.texts()
    for key, existing in catalogue.translations().items():
        format, limit = catalogue.format(key), catalogue.max_length(key)
        sources = catalogue.sources(key, texts[key])
        for numbering in NUMBERINGS.get(format, ()):
            if any(map(numbering.numbered.search, [existing, *sources])):
                sources += [_numbered(text, numbering) for text in sources]
                existing = _numbered(existing, numbering)
        if (number := catalogue.only_number(key)) is not None:
            said = (with_number(source, number, existing) for source in sources)
            sources += [text for text in said if any(map(str.isalpha, text))]
        entries = [
            Entry(text, format=format, max_length=limit, protect=tuple(catalogue.protect(key, text)))
            for text in sources
        ]
        found = [review(entry, existing, catalogue.language(key), catalogue.to, terms) for entry in entries]
        best = next((one for one in found if not one.fault), found[0])
        yield catalogue.name(key), best if best.fault else replace(best, fault=catalogue.fault(key, existing))


def _numbered(text: str, numbering: Numbering) -> str:
    """Return `text` with numbers in its placeholders, as a translation in another order needs them."""
    if numbering.numbered.search(text):
        return text
    count = itertools.count(numbering.first)

    def number(found: re.Match[str]) -> str:
        is_literal = found["rest"] in (None, "%")
        return found[0] if is_literal else numbering.written.format(next(count), found["rest"])

    return numbering.unnumbered.sub(number, text)


def estimate(translation: CatalogueTranslation, cost_of: CostOf) -> CostRange:
    """Return the cost of the missing texts."""
    slices = translation.slices(translation.pending())
    costs = (cost_of(language, translation.entries(part), hint) for language, hint, part in slices)
    return sum(costs, CostRange())
