"""Glossary files: terms with their required translations."""

from __future__ import annotations

from pathlib import Path

from .json_tree import decode
from .target_paths import locale_name
from .text_file import CatalogueError, TextFile


def read_glossary(path: Path, to: str) -> dict[str, str]:
    """Return the terms with their translations into `to`.

    The JSON file holds `{term: translation}` for all languages, or one such object per language.
    """
    glossary = decode(TextFile.read(path), path)
    if glossary and all(isinstance(terms, dict) for terms in glossary.values()):
        glossary = next((terms for tag, terms in glossary.items() if locale_name(tag) == locale_name(to)), {})
    if not all(isinstance(translation, str) for translation in glossary.values()):
        raise CatalogueError(f'{str(path)!r} must hold {{"term": "translation"}}, or one such object per language')
    return glossary
