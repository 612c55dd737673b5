"""The verb for maps of texts: split, protect, ask, check, ask again, merge."""

from .formats import FORMATS
from .job import Translations
from .texts import Texts
from .verb import NOTHING, atranslate, translate

__all__ = [
    "FORMATS",
    "NOTHING",
    "Texts",
    "Translations",
    "atranslate",
    "translate",
]
