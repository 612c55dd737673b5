"""Files of texts in one language, and the files beside them that hold the same texts in others.

`open_catalogue()` makes a Catalogue of a JSON or gettext file; what it cannot take is a CatalogueError with the mend.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .catalogue import AS_THEY_ARE, Catalogue, Fuzzy, Telling
from .files import CatalogueError
from .gettext_catalogue import GettextCatalogue
from .glossary import read_glossary
from .json_catalogue import JsonCatalogue
from .target_paths import locale_name, rivals, target_path

__all__ = [
    "Catalogue",
    "CatalogueError",
    "Fuzzy",
    "Telling",
    "locale_name",
    "open_catalogue",
    "read_glossary",
    "rivals",
]

FORMATS: dict[str, type[Catalogue[Any]]] = {
    ".json": JsonCatalogue,
    ".arb": JsonCatalogue,
    ".po": GettextCatalogue,
    ".pot": GettextCatalogue,
}


def open_catalogue(
    source: Path,
    to: str,
    folder: Path | None = None,
    *,
    overwrite: bool = False,
    fuzzy: Fuzzy = AS_THEY_ARE,
    from_lang: str = "auto",
) -> Catalogue[Any]:
    """Texts of `source` and their translations into `to`: in `folder`, or where the format has its place for them."""
    catalogue = FORMATS.get(source.suffix.lower())
    if catalogue is None:
        raise CatalogueError(f"{str(source)!r} is no catalogue: its name must end in {', '.join(FORMATS)}")
    if catalogue is JsonCatalogue and fuzzy.mark:
        raise CatalogueError(f"{str(source)!r} has no place for a mark: use --mark with gettext files alone")
    return catalogue(source, target_path(source, to, folder, from_lang), to, overwrite=overwrite, fuzzy=fuzzy)
