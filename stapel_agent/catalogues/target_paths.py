"""Where the translations of a catalogue go."""

from __future__ import annotations

import os
from pathlib import Path

from babel.core import Locale, get_locale_identifier, parse_locale

from stapel_agent.language_tags import is_language_tag, tag_error

from .files import CatalogueError


def locale_name(tag: str) -> str:
    """The language `tag` as gettext and Django name its folder: 'pt-br' is 'pt_BR', 'sr@latin' stays."""
    try:
        if not is_language_tag(tag):
            raise ValueError
        parts = parse_locale(tag.replace("-", "_"))
        if parts[0] not in Locale("en").languages:
            raise ValueError
    except ValueError as fault:
        raise CatalogueError(tag_error(tag)) from fault
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
