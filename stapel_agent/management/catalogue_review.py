"""Check existing translations of a catalogue, and estimate the cost of the missing ones. Neither calls a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from stapel_agent.translation import Entry, Most, fault_in

from .catalogue_translation import CatalogueTranslation


class CostOf(Protocol):
    """Returns the maximum cost of translating entries from a language, with a hint about them."""

    def __call__(self, from_lang: str, entries: Any, hint: str) -> Most: ...


def faults(translation: CatalogueTranslation) -> Iterator[tuple[str, str]]:
    """Yield the name of each text whose translation is wrong, and the reason."""
    catalogue = translation.catalogue
    texts = catalogue.texts()
    for key, existing in catalogue.translations().items():
        format, limit = catalogue.format(key), catalogue.max_length(key)
        entries = (Entry(text, format=format, max_length=limit) for text in catalogue.sources(key, texts[key]))
        found = [fault_in(entry, existing, catalogue.language(key), catalogue.to) for entry in entries]
        if all(found):
            yield catalogue.name(key), f"the translation {found[0]}"


def estimate(translation: CatalogueTranslation, cost_of: CostOf) -> Most:
    """Return the maximum cost of the missing texts."""
    slices = translation.slices(translation.pending())
    return Most.total(cost_of(language, translation.entries(part), hint) for language, hint, part in slices)
