"""Check existing translations of a catalogue, and estimate the cost of the missing ones. Neither calls a model."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol

from stapel_agent.catalogues import with_number
from stapel_agent.translation import CostRange, Entry, Review, Terms, review

from .catalogue_translation import CatalogueTranslation

NUMBER = re.compile(r"%\d{1,3}+\$|(?<!\{)\{\d")
UNNUMBERED = {
    **dict.fromkeys(
        ("printf", "php", "apple", "android"),
        re.compile(r"%(?P<rest>(?!\d{1,3}+\$)[^\sA-Za-z@%]*+(?:hh|ll|[hlLqjzt])?+[A-Za-z@%])"),
    ),
    "python-brace": re.compile(r"\{\{|\{(?P<rest>[}:!])"),
}
"""What has no number yet, by the formats in which a placeholder may have the number of its argument."""


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
        if format in UNNUMBERED and NUMBER.search("".join([existing, *sources])):
            sources += [_numbered(text, format) for text in sources]
            existing = _numbered(existing, format)
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


def _numbered(text: str, format: str) -> str:
    """Return `text` with numbers in its placeholders, as a translation in another order needs them."""
    if NUMBER.search(text):
        return text
    first, end = ("{", "") if format == "python-brace" else ("%", "$")
    count = itertools.count(0 if first == "{" else 1)

    def number(found: re.Match[str]) -> str:
        is_literal = found["rest"] in (None, "%")
        return found[0] if is_literal else f"{first}{next(count)}{end}{found['rest']}"

    return UNNUMBERED[format].sub(number, text)


def estimate(translation: CatalogueTranslation, cost_of: CostOf) -> CostRange:
    """Return the cost of the missing texts."""
    slices = translation.slices(translation.pending())
    costs = (cost_of(language, translation.entries(part), hint) for language, hint, part in slices)
    return sum(costs, CostRange())
