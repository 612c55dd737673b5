"""Translation of maps of texts: split, protect, ask, check, ask again, merge."""

from .entry import Entry
from .existing_translations import Cost, CostRange, Review, Terms, cost_range, review
from .job import NOTHING, Translations
from .placeholders import FORMATS
from .translate_map import atranslate, translate
from .translation_request import Texts

__all__ = [
    "Cost",
    "CostRange",
    "Entry",
    "FORMATS",
    "NOTHING",
    "Review",
    "Terms",
    "Texts",
    "Translations",
    "atranslate",
    "cost_range",
    "review",
    "translate",
]
