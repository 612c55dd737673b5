"""JSON catalogues: objects of texts, flat or nested, with or without arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from .catalogue import Catalogue
from .json_edits import JsonText
from .json_plurals import PluralTree
from .json_tree import (
    PointerTree,
    child_pointer,
    decode,
    encode,
    is_text,
    ordered_keys,
    pointer_tree,
    segments,
    texts,
    uneven_arrays,
)
from .target_paths import SEVERAL, are_several, is_language, locale_name, path_language
from .text_file import CatalogueError, TextFile

MISSING: Any = object()
CHROME_FIELDS = {"message", "description", "placeholders", "hash"}
ARB_LOCALE, ANGULAR_LOCALE = "@@locale", "locale"
"""Where ARB and Angular's files name their language."""


@dataclass
class JsonDraft:
    """The tree of a target file, or MISSING without a file. Once merged, only changed parts are merged again.

    `original` is the file as it was opened, or None.
    """

    tree: Any
    original: JsonText | None = None
    is_merged: bool = False


class JsonCatalogue(Catalogue[JsonDraft]):
    """Keys are JSON pointers, so names may contain dots.

    A blank text or null in the target is untranslated. Untranslated texts are left out of objects, since programs
    fall back to the source, and are empty in arrays, whose items have positions.
    """

    def own_language(self) -> str:
        tree = decode(self.file, self.source)
        names = [name for name, value in tree.items() if isinstance(value, dict)]
        named = names[0] if names and len(tree) == 1 else tree.get(_locale_key(tree))
        return named if isinstance(named, str) else ""

    def texts(self) -> dict[str, str]:
        return {pointer: text for pointer, text in texts(self._tree) if not self._is_note(pointer)}

    def example(self, key: str) -> str:
        return self._plurals.examples.get(key, "") if self._tree else ""

    def only_number(self, key: str) -> int | None:
        return self._plurals.only.get(key) if self._tree else None

    def format(self, key: str) -> str:
        return "icu" if self._is_arb else "chrome" if self._has_messages else ""

    def comment(self, key: str) -> str:
        """Return the `description` of a message: beside it in Chrome files, in the object `@name` in ARB."""
        name = segments(key)[0]
        noted = self._has_messages or self._is_arb
        notes = self._tree.get(f"@{name}" if self._is_arb else name) if noted else None
        description = notes.get("description") if isinstance(notes, dict) else ""
        return description if isinstance(description, str) else ""

    def sources(self, key: str, text: str) -> list[str]:
        """Return `text`, and as Flutter reads it by default: without quoting."""
        return [text, text.replace("'{", "‘{").replace("}'", "}’")] if self._is_arb and "'{" in text else [text]

    def translations(self) -> dict[str, str]:
        tree = self.draft().tree
        existing = {} if tree is MISSING else dict(texts(tree))
        return {key: existing[key] for key in self.texts() if key in existing}

    def uneven_arrays(self) -> list[str]:
        return list(uneven_arrays(self._tree, self.draft().tree))

    def open(self, target: TextFile | None) -> JsonDraft:
        draft = JsonDraft(MISSING)
        if target:
            draft.tree = decode(target, self.target)
            draft.original = JsonText.of(target.text, draft.tree)
        self._merged(draft, None, {})
        return draft

    def fill(self, draft: JsonDraft, keys: Iterable[str], translations: Mapping[str, str]) -> bool:
        before = draft.tree
        draft.tree = self._merged(draft, pointer_tree(keys) if draft.is_merged else None, translations)
        draft.is_merged = True
        return bool(draft.tree != before)

    def text(self, draft: JsonDraft, target: TextFile | None) -> TextFile:
        if draft.original is None:
            return replace(self.file, text=encode(draft.tree, self.file.text))
        return replace(target or self.file, text=draft.original.with_tree(draft.tree))

    @cached_property
    def _tree(self) -> dict[str, Any]:
        """The source, with the plural forms of the target language."""
        source = decode(self.file, self.source)
        are_groups = all(isinstance(value, dict) for value in source.values())
        named = path_language(self.source, self.from_lang)
        if are_groups and not named and are_several(source, self.from_lang, self.to):
            raise CatalogueError(f"{str(self.source)!r} cannot be translated: {SEVERAL}")
        tree = self._plurals.tree(source)
        key = _locale_key(tree)
        return {**tree, key: locale_name(self.to) if key == ARB_LOCALE else self.to} if key in tree else tree

    @cached_property
    def _plurals(self) -> PluralTree:
        tags = (path_language(self.source, self.from_lang), self.from_lang)
        return PluralTree(self.to, tuple(filter(is_language, tags)))

    @cached_property
    def _has_messages(self) -> bool:
        """Whether it is a Chrome file: each object has a `message`, and notes beside it."""
        values = self._tree.values()
        return bool(values) and all(
            isinstance(value, dict) and "message" in value and value.keys() <= CHROME_FIELDS for value in values
        )

    @property
    def _is_arb(self) -> bool:
        return self.source.suffix.lower() == ".arb"

    def _is_note(self, pointer: str) -> bool:
        """Whether the text at `pointer` is for translators or programs, and is not translated."""
        if pointer == f"/{_locale_key(self._tree)}":
            return True
        if self._is_arb:
            return pointer.startswith("/@")
        return self._has_messages and not (pointer.count("/") == 2 and pointer.endswith("/message"))

    def _merged(self, draft: JsonDraft, changed: PointerTree | None, translations: Mapping[str, str]) -> Any:
        merge = Merge(translations, self.overwrite, self.target, self._is_note, self._has_messages)
        return merge.merge(self._tree, draft.tree, changed)


@dataclass(frozen=True)
class Merge:
    """Builds a tree in the source's shape from `translations` and the target file at `path`."""

    translations: Mapping[str, str]
    overwrite: bool
    path: Path
    is_note: Callable[[str], bool]
    has_messages: bool = False
    """Whether each object of the root has a `message`, without which it is not accepted."""

    def merge(self, source: Any, existing: Any, changed: PointerTree | None, pointer: str = "") -> Any:
        """Return the value at `pointer`, or MISSING. In a merged tree, only the `changed` parts are merged again."""
        if not (is_text(source) or isinstance(source, dict | list)):
            return source if existing is MISSING else existing
        if existing is not MISSING and existing is not None and type(existing) is not type(source):
            if not self.overwrite:
                raise CatalogueError(
                    f"{str(self.path)!r} differs from the source in structure at {pointer!r}: correct it, or use"
                    " --overwrite"
                )
            existing = MISSING
        if isinstance(source, str):
            if self.is_note(pointer):
                return source if existing is MISSING else existing
            return existing if is_text(existing) and not self.overwrite else self.translations.get(pointer, existing)
        if isinstance(source, list):
            return self._array(source, existing, changed, pointer)
        return self._object(source, existing, changed, pointer)

    def _object(self, source: dict[str, Any], existing: Any, changed: PointerTree | None, pointer: str) -> Any:
        values = existing if isinstance(existing, dict) else {}
        merged = dict(values)
        for key in source if changed is None else changed:
            below = None if changed is None else changed[key]
            merged[key] = self.merge(source[key], values.get(key, MISSING), below, child_pointer(pointer, key))
        if merged.keys() != values.keys():
            merged = {
                key: merged[key] for key in ordered_keys(source, values) if merged.get(key, MISSING) is not MISSING
            }
        is_message = self.has_messages and pointer.count("/") == 1
        is_empty = not merged or (is_message and not is_text(merged.get("message")))
        return existing if source and pointer and is_empty else merged

    def _array(self, source: list[Any], existing: Any, changed: PointerTree | None, pointer: str) -> Any:
        values = existing if isinstance(existing, list) else []
        merged = [values[index] if index < len(values) else MISSING for index in range(len(source))]
        for index, item in enumerate(source):
            if changed is None or str(index) in changed:
                below = None if changed is None else changed[str(index)]
                merged[index] = self.merge(item, merged[index], below, child_pointer(pointer, index))
        if source and all(item is MISSING for item in merged):
            return existing
        pairs = zip(source, merged, strict=True)
        return [type(item)() if value is MISSING else value for item, value in pairs] + values[len(source) :]


def _locale_key(tree: dict[str, Any]) -> str:
    """Return the key that names the language of a file. Only Angular's files have `locale` beside `translations`."""
    is_angular = tree.keys() == {ANGULAR_LOCALE, "translations"} and isinstance(tree["translations"], dict)
    return ANGULAR_LOCALE if is_angular else ARB_LOCALE
