"""Catalogues: files with texts in one language, and the target files for their translations.

`open_catalogue()` returns the Catalogue for a file. It raises CatalogueError for files that it cannot translate.
"""

from __future__ import annotations

from .catalogue import Catalogue, ContextOptions, FuzzyPolicy
from .file_types import FILE_TYPES, SUFFIXES, is_in_target_language, open_catalogue, same_target, without_translations
from .gettext_plurals import with_number
from .glossary import read_glossary
from .target_paths import is_language, locale_name
from .text_file import CatalogueError

__all__ = [
    "Catalogue",
    "CatalogueError",
    "ContextOptions",
    "FILE_TYPES",
    "FuzzyPolicy",
    "SUFFIXES",
    "is_in_target_language",
    "is_language",
    "locale_name",
    "open_catalogue",
    "read_glossary",
    "same_target",
    "with_number",
    "without_translations",
]
