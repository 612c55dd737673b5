"""The path of the target file, by the layout of the source."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from babel.core import Locale, get_locale_identifier, parse_locale

from stapel_agent.language_tags import bcp47

from .text_file import CatalogueError

TAG = re.compile(r"[A-Za-z0-9]++(?:[-_][A-Za-z0-9]++)*+(?:@\w{4,14}+)?+")
LOCALE_FOLDERS = {"locales", "locale", "_locales", "i18n", "l10n", "lang", "langs", "languages", "translations"}
"""Folders with one folder per language, in which namespaces may have folders of their own."""
NAMED = re.compile(r"(?=[._](?P<tag>[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*)\Z)")
DEPTH = 4
SEVERAL = "it has texts in several languages: put those of each language into a file"
LANGUAGE = re.compile(rb'^"Language:[ \t]*+([\w@-]++)', re.MULTILINE)


def locale_name(tag: str) -> str:
    """Return the locale name of `tag` in gettext and Django: 'pt-br' becomes 'pt_BR'. Raises CatalogueError."""
    try:
        if not TAG.fullmatch(tag):
            raise ValueError
        parts = parse_locale(bcp47(tag).replace("-", "_"))
        if parts[0] not in Locale("en").languages:
            raise ValueError
    except ValueError as fault:
        raise CatalogueError(f"unknown language {tag[:40]!r}: use a tag such as 'de' or 'pt-BR'") from fault
    return get_locale_identifier(parts)


def is_language(tag: str, other: str = "") -> bool:
    """Whether `tag` is a language, and if `other` is given, the same one."""
    try:
        name = locale_name(tag)
    except CatalogueError:
        return False
    return not other or name == locale_name(other)


def are_several(names: Collection[str], *expected: str) -> bool:
    """Whether all `names` are languages, and one of them, or of its variants, is English or `expected`."""
    if len(names) < 2 or not all(map(is_language, names)):
        return False
    bases = {_base(tag) for tag in ("en", *expected) if is_language(tag)}
    return not bases.isdisjoint(map(_base, names))


def target_path(source: Path, to: str, folder: Path | None, from_lang: str = "auto") -> Path:
    """Return the target file for the language `to`, by the layout of `source`:

    - <locale>/<language>/LC_MESSAGES/<domain>.po, without a folder, also for <locale>/<domain>.pot;
    - <language>/<namespace>.json, also deeper below a folder such as `locales`;
    - <name>.<language>.json, <name>_<language>.arb, and <name>_<language>.json if it is in `from_lang`;
    - otherwise `<to>` with the suffix of the file type, beside the source or in `folder`.

    A .po file in the language `to` is its own target.
    """
    locale = locale_name(to)
    suffix = ".po" if source.suffix.lower() in (".po", ".pot") else source.suffix
    if folder is None and suffix == ".po" and source.absolute().parent.name == "LC_MESSAGES":
        return Path(os.path.normpath(source.parent / ".." / ".." / locale / "LC_MESSAGES" / f"{source.stem}.po"))
    if folder is None and _is_template_of_folders(source):
        return source.parent / locale / "LC_MESSAGES" / f"{source.stem}.po"
    if folder is None and source.suffix.lower() == ".po" and is_language(own_language(source), to):
        return source
    if is_language(source.stem) or source.absolute().parent.name == "LC_MESSAGES":
        return (folder or source.parent) / f"{to}{suffix}"
    for place in _language_folders(source, from_lang):
        name = locale if "_" in place.name or place.parent.name == "_locales" else to
        within = source.absolute().relative_to(place)
        return (folder or place.parent) / name / within.with_suffix(suffix)
    base = _base_name(source, from_lang)
    return (folder or source.parent) / f"{base}{locale if base.endswith('_') else to}{suffix}"


def path_language(source: Path, from_lang: str = "auto") -> str:
    """Return the language in the path of `source`, as it is written there, or an empty string."""
    folders = source.absolute().parents
    if folders[0].name == "LC_MESSAGES":
        return folders[1].name if is_language(folders[1].name) else ""
    if is_language(source.stem):
        return source.stem
    if base := _base_name(source, from_lang):
        return source.stem.removeprefix(base)
    return next((folder.name for folder in _language_folders(source, "auto")), "")


def is_named_by_language(source: Path, from_lang: str = "auto") -> bool:
    """Whether the file's name has its language, such as `en.json`, `shop.en.json` and `app_en.arb`."""
    return is_language(source.stem) or bool(_base_name(source, from_lang))


def own_language(source: Path) -> str:
    """Return the language in the header of a .po file, or an empty string."""
    try:
        with open(source, "rb") as file:
            header = file.read(20_000).partition(b"\n\n")[0]
    except OSError:
        return ""
    found = LANGUAGE.search(header)
    return found[1].decode(errors="replace") if found else ""


def _is_template_of_folders(source: Path) -> bool:
    """Whether `source` is a template in a folder `locale`, or beside folders with LC_MESSAGES."""
    parent = source.absolute().parent
    return source.suffix.lower() == ".pot" and (parent.name == "locale" or any(parent.glob("*/LC_MESSAGES")))


def _language_folders(source: Path, from_lang: str) -> Iterator[Path]:
    """Yield the folder above `source` that is named after its language, if there is one."""
    above = source.absolute().parents
    for depth, place in enumerate(above[:DEPTH]):
        is_named = is_language(place.name) and (from_lang == "auto" or _is_base(place.name, from_lang))
        if is_named and (depth == 0 or place.parent.name in LOCALE_FOLDERS):
            yield place
            return


def _base_name(source: Path, from_lang: str) -> str:
    """Return the file's name up to its language, such as `shop.` and `app_`, or an empty string.

    After an underscore, only `from_lang` is a language, except in ARB: `sign_in.json` is not Indonesian.
    """
    for named in NAMED.finditer(source.stem, 1):
        base = source.stem[: named.start() + 1]
        is_marked = base.endswith(".") or source.suffix.lower() == ".arb"
        if is_language(named["tag"]) and (is_marked or _is_base(named["tag"], from_lang)):
            return base
    return ""


def _is_base(tag: str, from_lang: str) -> bool:
    return from_lang != "auto" and _base(tag) == _base(from_lang)


def _base(tag: str) -> str:
    return locale_name(tag).partition("_")[0]
