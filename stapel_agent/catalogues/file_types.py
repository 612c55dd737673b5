"""The file types that can be translated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .catalogue import KEEP_FUZZY, Catalogue, FuzzyPolicy
from .gettext_catalogue import GettextCatalogue
from .json_catalogue import JsonCatalogue
from .target_paths import target_path
from .text_file import CatalogueError

FILE_TYPES: dict[str, type[Catalogue[Any]]] = {
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
    fuzzy: FuzzyPolicy = KEEP_FUZZY,
    from_lang: str = "auto",
) -> Catalogue[Any]:
    """Open `source` for translation into `to`. The target is in `folder`, or where the source's layout has it."""
    catalogue = FILE_TYPES.get(source.suffix.lower())
    if catalogue is None:
        raise CatalogueError(f"{str(source)!r} is not a catalogue: its name must end in {', '.join(FILE_TYPES)}")
    if catalogue is JsonCatalogue and fuzzy.mark:
        raise CatalogueError(f"{str(source)!r} cannot mark translations as fuzzy: use --mark with gettext files only")
    return catalogue(source, target_path(source, to, folder, from_lang), to, overwrite=overwrite, fuzzy=fuzzy)
