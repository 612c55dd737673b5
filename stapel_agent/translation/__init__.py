"""Translation of maps of texts: split, protect, ask, check, ask again, merge."""

from .entries import Entry
from .formats import FORMATS
from .job import Translations
from .review import Most, fault_in, most
from .texts import Texts
from .translate_map import NOTHING, atranslate, translate

__all__ = [
    "Entry",
    "FORMATS",
    "Most",
    "NOTHING",
    "Texts",
    "Translations",
    "atranslate",
    "fault_in",
    "most",
    "translate",
]
