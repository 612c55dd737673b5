"""Where the translations of a catalogue go."""

from __future__ import annotations

import os
import re
from pathlib import Path

from babel.core import Locale, get_locale_identifier, parse_locale

from .files import CatalogueError

TAG = re.compile(r"[A-Za-z0-9]++(?:[-_][A-Za-z0-9]++)*+")


def locale_name(tag: str) -> str:
    """The language `tag` as gettext and Django name its folder: 'pt-br' is 'pt_BR'."""
    try:
        if not TAG.fullmatch(tag):
            raise ValueError
        parts = parse_locale(tag.replace("-", "_"))
        if parts[0] not in Locale("en").languages:
            raise ValueError
    except ValueError as fault:
        raise CatalogueError(f"unknown language {tag[:40]!r}: give a tag such as 'de' or 'pt-BR'") from fault
    return get_locale_identifier(parts)


def target_path(source: Path, to: str, folder: Path | None) -> Path:
    """`folder`/`to` with the format's suffix. Without a folder: in gettext's <locale>/<language>/LC_MESSAGES/
    the same file of the other language, elsewhere beside the source.
    """
    locale = locale_name(to)
    suffix = ".json" if source.suffix.lower() == ".json" else ".po"
    if folder is None and suffix == ".po" and source.absolute().parent.name == "LC_MESSAGES":
        return Path(os.path.normpath(source.parent / ".." / ".." / locale / "LC_MESSAGES" / f"{source.stem}.po"))
    return (folder or source.parent) / f"{to}{suffix}"
