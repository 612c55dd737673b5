"""The file types that can be translated, and the target of a source file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .android_catalogue import AndroidCatalogue
from .apple_string_catalogue import AppleStringCatalogue
from .apple_strings import AppleStringsCatalogue
from .apple_stringsdict import AppleStringsdictCatalogue
from .catalogue import KEEP_FUZZY, Catalogue, FuzzyPolicy
from .fluent_catalogue import FluentCatalogue
from .gettext_catalogue import GettextCatalogue
from .json_catalogue import JsonCatalogue
from .rails_catalogue import RailsCatalogue
from .resource_folders import android_target, apple_target
from .target_paths import is_language, is_named_by_language, path_language, target_path
from .text_file import CatalogueError

TargetPath = Callable[[Path, str, Path | None, str], Path]
"""Returns the target for a source, a language, a folder or None, and the language of the source."""


def in_place(source: Path, to: str, folder: Path | None, from_lang: str = "auto") -> Path:
    """Return the target of a file with all languages: itself, or its copy in `folder`."""
    return source if folder is None else folder / source.name


@dataclass(frozen=True)
class FileType:
    """One file type: the suffixes of its files, how they are read and written, and where their targets are."""

    name: str
    suffixes: tuple[str, ...]
    catalogue: type[Catalogue[Any]]
    target: TargetPath = target_path


FILE_TYPES = (
    FileType("JSON", (".json",), JsonCatalogue),
    FileType("ARB", (".arb",), JsonCatalogue),
    FileType("gettext", (".po", ".pot"), GettextCatalogue),
    FileType("Android", (".xml",), AndroidCatalogue, android_target),
    FileType("Apple strings", (".strings",), AppleStringsCatalogue, apple_target),
    FileType("Apple stringsdict", (".stringsdict",), AppleStringsdictCatalogue, apple_target),
    FileType("Apple string catalog", (".xcstrings",), AppleStringCatalogue, in_place),
    FileType("Rails", (".yml", ".yaml"), RailsCatalogue),
    FileType("Fluent", (".ftl",), FluentCatalogue),
)
SUFFIXES = {suffix: file_type for file_type in FILE_TYPES for suffix in file_type.suffixes}


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
    file_type = _file_type(source)
    if fuzzy.mark and not file_type.catalogue.has_marks:
        raise CatalogueError(
            f"{str(source)!r} cannot mark translations as fuzzy: use --mark with gettext and .xcstrings"
        )
    place = file_type.target(source, to, None, from_lang)
    if from_lang == "auto" and place.absolute() == source.absolute() and not file_type.catalogue.is_own_target:
        raise is_in_target_language(source, to)
    target = file_type.target(source, to, folder, from_lang)
    return file_type.catalogue(source, target, to, from_lang=from_lang, overwrite=overwrite, fuzzy=fuzzy)


def is_in_target_language(source: Path, to: str) -> CatalogueError:
    """Return the error for a source that is in the language to translate it into."""
    return CatalogueError(
        f"{str(source)!r} is in {to!r} already: leave out --to {to}, or name the language of its texts with --from"
    )


def same_target(source: Path, to: str, folder: Path | None, from_lang: str = "auto") -> Iterator[Path]:
    """Yield other files in the folder of `source` that have the same target.

    If the name of `source` has its language, files that differ in it are translations of the same texts.
    """
    if is_named_by_language(source, from_lang):
        return
    place = _file_type(source).target
    target = place(source, to, folder, from_lang)
    for path in sorted(source.parent.glob(f"*{source.suffix}")):
        if path.name == source.name or path == target or is_named_by_language(path, from_lang) or not path.is_file():
            continue
        if place(path, to, folder, from_lang) == target:
            yield path


def without_translations(
    files: Iterable[Path], languages: Iterable[str], folder: Path | None, from_lang: str = "auto"
) -> list[Path]:
    """Return `files` without the translations of others: of `l10n/*.arb`, app_en.arb without app_de.arb.

    Files that are translations of each other stay. So do files that may be completed in place, unless the source is
    in `from_lang`.
    """
    files = list({file.absolute(): file for file in files}.values())
    targets = {
        source: {_file_type(source).target(source, to, folder, from_lang).absolute() for to in languages}
        for source in files
    }
    found = Counter(path for paths in targets.values() for path in paths)
    sources = [file for file in files if found[file.absolute()] == (file.absolute() in targets[file])]
    is_known = from_lang != "auto"
    known = [one for one in sources if is_known and is_language(path_language(one, from_lang), from_lang)]

    def is_translation(file: Path) -> bool:
        others = known if _file_type(file).catalogue.is_own_target else sources
        return file not in sources and any(file.absolute() in targets[source] for source in others)

    return [file for file in files if not is_translation(file)]


def _file_type(source: Path) -> FileType:
    file_type = SUFFIXES.get(source.suffix.lower())
    if source.is_dir():
        raise CatalogueError(f"{str(source)!r} is a folder: name the files in it, as with {str(source / '*.json')!r}")
    if file_type is None:
        raise CatalogueError(f"{str(source)!r} is not a catalogue: its name must end in one of {', '.join(SUFFIXES)}")
    return file_type
