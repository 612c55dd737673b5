"""Languages: their names, their letters and words, and in which of them a text is written."""

from .foreign_letters import other_letters
from .language_check import is_unchanged, other_language
from .language_detection import detector
from .language_names import FROM_THE_RIGHT, base, check_tag, language_name
from .legibility import illegible
from .scripts import MARK

__all__ = [
    "FROM_THE_RIGHT",
    "MARK",
    "base",
    "check_tag",
    "detector",
    "illegible",
    "is_unchanged",
    "language_name",
    "other_language",
    "other_letters",
]
