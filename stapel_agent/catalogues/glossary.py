"""Files of terms with their fixed translations."""

from __future__ import annotations

from pathlib import Path

from .files import CatalogueError, TextFile
from .json_tree import decode
from .target_paths import locale_name


def read_glossary(path: Path, to: str) -> dict[str, str]:
    """Term -> translation into `to`, from a JSON object of such for all languages, or of such objects by language."""
    glossary = decode(TextFile.read(path), path)
    if glossary and all(isinstance(terms, dict) for terms in glossary.values()):
        glossary = next((terms for tag, terms in glossary.items() if locale_name(tag) == locale_name(to)), {})
    if not all(isinstance(translation, str) for translation in glossary.values()):
        raise CatalogueError(f'{str(path)!r} must hold {{"term": "translation"}}, or an object like that per language')
    return glossary
