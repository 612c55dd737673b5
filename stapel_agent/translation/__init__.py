"""The verb for maps of texts: split, protect, ask, check, ask again, merge."""

from .job import Translations
from .texts import Texts
from .verb import NOTHING, atranslate, translate

__all__ = [
    "NOTHING",
    "Texts",
    "Translations",
    "atranslate",
    "translate",
]
