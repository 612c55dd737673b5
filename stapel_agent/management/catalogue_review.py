"""A catalogue's translations, held against their sources; and what is missing, with what it costs at most."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Protocol

from stapel_agent.translation import Entry, Most, fault_in

from .catalogue_translation import CatalogueTranslation


class Costing(Protocol):
    """What a map of entries costs at most, in a context."""

    def __call__(self, entries: Any, hint: str) -> Most: ...


def faults(translation: CatalogueTranslation, from_lang: str) -> Iterator[tuple[str, str]]:
    """The names of texts whose translations cannot be right, each with the reason. Asks nobody."""
    catalogue = translation.catalogue
    texts = catalogue.texts()
    for key, held in catalogue.translations().items():
        named = catalogue.format(key)
        entries = (Entry(text, format=named) for text in catalogue.sources(key, texts[key]))
        found = [fault_in(entry, held, from_lang, catalogue.to) for entry in entries]
        if all(found):
            yield catalogue.name(key), f"the translation {found[0]}"


def estimate(translation: CatalogueTranslation, costing: Costing) -> Most:
    """What the texts that are missing cost at most. Asks nobody."""
    calls, tokens, dollars = 0, 0, list[Decimal | None]()
    for hint, part in translation.slices(translation.pending()):
        most = costing(translation.entries(part), hint)
        calls, tokens = calls + most.calls, tokens + most.tokens
        dollars.append(most.cost_usd)
    known = [usd for usd in dollars if usd is not None]
    return Most(calls, tokens, sum(known, Decimal(0)) if len(known) == len(dollars) else None)
