"""Apple's string catalogs, `.xcstrings`: JSON files with all languages of each text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path as FilePath
from typing import Any, ClassVar

from . import apple_localizations as localizations
from .apple_localizations import NO_FORM, Path, PluralForm, Tree
from .catalogue import Catalogue, ContextOptions
from .document import pointer
from .json_edits import JsonText
from .json_tree import decode
from .target_paths import is_language, locale_name
from .text_file import CatalogueError, TextFile


@dataclass(frozen=True)
class StringCatalogDraft:
    """A string catalog in memory, and its file as it was opened."""

    tree: Tree
    original: JsonText

    @classmethod
    def of(cls, tree: Tree, text: str) -> StringCatalogDraft:
        return cls({**tree, "strings": dict(tree["strings"])}, JsonText.of(text, tree))

    def __str__(self) -> str:
        return self.original.with_tree(self.tree)


@dataclass(frozen=True)
class Unit:
    """A text of the key `name`, at `path` in a localization."""

    name: str
    path: Path
    text: str
    comment: str
    form: PluralForm
    language: str


class AppleStringCatalogue(Catalogue[StringCatalogDraft]):
    """Keys are JSON pointers below `strings`. A text is written when all its forms are translated.

    Texts that are not to be translated, or that the program no longer has, are left alone. So are localizations that
    a person has varied in another way than the source, such as by device.
    """

    is_own_target: ClassVar[bool] = True
    has_marks: ClassVar[bool] = True

    def texts(self) -> dict[str, str]:
        return {key: unit.text for key, unit in self._units.items()}

    def name(self, key: str) -> str:
        return self._units[key].name

    def language(self, key: str) -> str:
        return self._units[key].language

    def example(self, key: str) -> str:
        return self._units[key].form.example

    def only_number(self, key: str) -> int | None:
        return self._units[key].form.only

    def format(self, key: str) -> str:
        return "apple"

    def context(self, key: str, options: ContextOptions) -> str:
        return self._units[key].comment

    def sources(self, key: str, text: str) -> list[str]:
        return list(dict.fromkeys([text, *self._units[key].form.sources]))

    def translations(self) -> dict[str, str]:
        draft = self.draft().tree
        existing = {name: self._existing(draft, name) for name in self._keys}
        found = {key: existing[unit.name].get(unit.path, "") for key, unit in self._units.items()}
        return {key: text for key, text in found.items() if text}

    def fuzzy_keys(self) -> set[str]:
        draft = self.draft().tree
        fuzzy = {name: self._fuzzy(draft, name) for name in self._keys}
        return {key for key, unit in self._units.items() if unit.path in fuzzy[unit.name]}

    def open(self, target: TextFile | None) -> StringCatalogDraft:
        file, path = (target, self.target) if target else (self.file, self.source)
        return StringCatalogDraft.of(self._decoded(file, path), file.text)

    def fill(self, draft: StringCatalogDraft, keys: Iterable[str], translations: Mapping[str, str]) -> bool:
        changed = False
        for name in dict.fromkeys(self._units[key].name for key in keys):
            units = {key: self._units[key] for key in self._keys[name]}
            existing = self._existing(draft.tree, name)
            new = {
                unit.path: translations[key]
                for key, unit in units.items()
                if key in translations and (self.overwrite or unit.path not in existing)
            }
            if new and all(unit.path in new or unit.path in existing for unit in units.values()):
                strings = draft.tree["strings"]
                strings[name] = self._localized(strings.get(name, {}), name, new)
                changed = True
        return changed

    def text(self, draft: StringCatalogDraft, target: TextFile | None) -> TextFile:
        return replace(target or self.file, text=str(draft))

    @cached_property
    def _tree(self) -> Tree:
        return self._decoded(self.file, self.source)

    @cached_property
    def _units(self) -> dict[str, Unit]:
        units = {}
        for name, localization in self._expanded.items():
            entry = self._tree["strings"][name]
            comment, language = str(entry.get("comment") or ""), self._source(name, entry)[1]
            for path, text in localizations.texts(localization[0]).items():
                form = localization[1].get(path, NO_FORM)
                units[pointer((name, *path))] = Unit(name, path, text, comment, form, language)
        return units

    @cached_property
    def _keys(self) -> dict[str, list[str]]:
        """The keys of the texts of each name."""
        keys: dict[str, list[str]] = {}
        for key, unit in self._units.items():
            keys.setdefault(unit.name, []).append(key)
        return keys

    @cached_property
    def _expanded(self) -> dict[str, tuple[Tree, dict[Path, PluralForm]]]:
        """The source's localization of each name, with the plural forms of the target language."""
        return dict(self._sources())

    def _sources(self) -> Iterator[tuple[str, tuple[Tree, dict[Path, PluralForm]]]]:
        for name, entry in self._tree["strings"].items():
            if entry.get("shouldTranslate") is False or entry.get("extractionState") == "stale" or not name.strip():
                continue
            known = entry.get("localizations", {})
            source, language = self._source(name, entry)
            if is_language(language, self.to):
                continue
            result = localizations.expanded(source, self.to)
            translated = localizations.texts(known.get(self._code(known), {})).keys()
            if self.overwrite or not translated or translated & localizations.texts(result[0]).keys():
                yield name, result

    def _source(self, name: str, entry: Tree) -> tuple[Tree, str]:
        """Return the localization to translate and its language: that of `from_lang`, or of the file's source."""
        known, declared = entry.get("localizations", {}), self._tree["sourceLanguage"]
        source = known.get(declared) or {"stringUnit": {"state": "translated", "value": name}}
        if self.from_lang != "auto" and not is_language(declared, self.from_lang):
            found: Tree = next((known[code] for code in known if is_language(code, self.from_lang)), {})
            if localizations.is_translated(found):
                return found, self.from_lang
        return source, declared if is_language(declared) else "auto"

    def _existing(self, draft: Tree, name: str) -> dict[Path, str]:
        """Return the translated values of a name in the target, by path."""
        found = localizations.texts(self._localization(draft, name))
        replaced = self._fuzzy(draft, name) if self.fuzzy.overwrite else ()
        return {path: text for path, text in found.items() if path not in replaced}

    def _fuzzy(self, draft: Tree, name: str) -> set[Path]:
        """Return the paths of the values in the target that are to be reviewed."""
        units = localizations.units(self._localization(draft, name))
        return {path for path, unit in units if unit.get("state") == "needs_review"}

    def _localization(self, draft: Tree, name: str) -> Any:
        known = draft["strings"].get(name, {}).get("localizations", {})
        return known.get(self._code(known), {})

    def _localized(self, entry: Tree, name: str, new: Mapping[Path, str]) -> Tree:
        known = entry.get("localizations", {})
        code = self._code(known)
        source, existing = self._expanded[name][0], known.get(code)
        is_alike = localizations.texts(existing).keys() & localizations.texts(source).keys()
        localization = localizations.merged(existing if is_alike else None, source)
        state = "needs_review" if self.fuzzy.mark else "translated"
        for path, text in new.items():
            node = localization
            for part in path[:-1]:
                node = node[part]
            node[path[-1]] = {"state": state, "value": text}
        known = localizations.sorted_as(known, {**known, code: localization})
        return localizations.sorted_as(entry, {**entry, "localizations": known})

    def _code(self, known: Mapping[str, Any]) -> str:
        """The code of the target language in a localization: as it is there, or as Xcode writes it."""
        found = (code for code in known if code == self.to or is_language(code, self.to))
        return next(found, locale_name(self.to).replace("_", "-"))

    def _decoded(self, file: TextFile, path: FilePath) -> Tree:
        tree = decode(file, path)
        strings = tree.get("strings")
        entries = list(strings.values()) if isinstance(strings, dict) else [None]
        is_catalog = isinstance(tree.get("sourceLanguage"), str) and all(map(localizations.is_entry, entries))
        if not is_catalog:
            raise CatalogueError(
                f"{str(path)!r} is not a string catalog: it must have a `sourceLanguage`, and `strings` with"
                " `localizations`"
            )
        return tree
