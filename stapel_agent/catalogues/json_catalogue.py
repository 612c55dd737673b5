"""JSON catalogues: objects of texts, flat or nested, with arrays among them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from .catalogue import AS_THEY_ARE, Catalogue, Fuzzy, Telling
from .files import CatalogueError, TextFile
from .json_plurals import PluralTree
from .json_tree import Touched, branches, decode, deeper, encode, is_text, ordered_keys, texts
from .target_paths import locale_name

MISSING: Any = object()
CHROME_FIELDS = {"message", "description", "placeholders", "hash"}
ARB_LOCALE = "@@locale"


@dataclass
class JsonDraft:
    """The tree of a target file, MISSING without a file; once merged, only what changes is looked at again."""

    tree: Any
    is_merged: bool = False


class JsonCatalogue(Catalogue[JsonDraft]):
    """Keys are JSON pointers, so that dots in names mean nothing.

    A blank text or null in the target is a gap. What is not translated is absent from its objects, where readers
    fall back on the source, and an empty text in its arrays, where every item has its place.
    """

    def __init__(
        self, source: Path, target: Path, to: str, *, overwrite: bool = False, fuzzy: Fuzzy = AS_THEY_ARE
    ) -> None:
        if source.exists() and target.exists() and target.samefile(source):
            raise CatalogueError(f"{str(target)!r} is the source itself: name another folder, with --out")
        super().__init__(source, target, to, overwrite=overwrite, fuzzy=fuzzy)

    def texts(self) -> dict[str, str]:
        return {pointer: text for pointer, text in texts(self._tree) if not self._is_note(pointer)}

    def name(self, key: str) -> str:
        return key

    def hint(self, key: str) -> str:
        example = self._plurals.examples.get(key) if self._tree else None
        return f"Each text stands where the number is, for example, {example}." if example else ""

    def format(self, key: str) -> str:
        return "icu" if self._is_arb else "chrome" if self._has_messages else ""

    def context(self, key: str, telling: Telling) -> str:
        told = [self._description(key)] + [f"Key: {key.lstrip('/')}"] * telling.key_paths
        return "\n".join(filter(None, told))

    def translations(self) -> dict[str, str]:
        tree = self.draft().tree
        held = {} if tree is MISSING else dict(texts(tree))
        return {key: held[key] for key in self.texts() if key in held}

    def open(self, target: TextFile | None) -> JsonDraft:
        draft = JsonDraft(decode(target, self.target) if target else MISSING)
        self._merged(draft, None, {})
        return draft

    def fill(self, draft: JsonDraft, keys: Iterable[str], translations: Mapping[str, str]) -> bool:
        before = draft.tree
        draft.tree = self._merged(draft, branches(keys) if draft.is_merged else None, translations)
        draft.is_merged = True
        return bool(draft.tree != before)

    def text(self, draft: JsonDraft, target: TextFile | None) -> TextFile:
        file = target or self.file
        return replace(file, text=encode(draft.tree, file.text))

    @cached_property
    def _tree(self) -> dict[str, Any]:
        """What the source holds, with the plural forms of the target language."""
        tree = self._plurals.tree(decode(self.file, self.source))
        return {**tree, ARB_LOCALE: locale_name(self.to)} if ARB_LOCALE in tree else tree

    @cached_property
    def _plurals(self) -> PluralTree:
        return PluralTree(self.to, self.source.stem)

    @cached_property
    def _has_messages(self) -> bool:
        """Whether it is a file of Chrome's, whose objects have a `message` each, and notes beside it."""
        values = self._tree.values()
        return bool(values) and all(
            isinstance(value, dict) and "message" in value and value.keys() <= CHROME_FIELDS for value in values
        )

    @property
    def _is_arb(self) -> bool:
        return self.source.suffix.lower() == ".arb"

    def _is_note(self, pointer: str) -> bool:
        """Whether the text there is for translators and machines, and stays as it is."""
        if self._is_arb:
            return pointer.startswith("/@")
        return self._has_messages and not (pointer.count("/") == 2 and pointer.endswith("/message"))

    def _description(self, key: str) -> str:
        """What the `description` of a message says of it: in Chrome's files beside it, in ARB in an object after it."""
        name = key.split("/")[1].replace("~1", "/").replace("~0", "~")
        noted = self._has_messages or self._is_arb
        notes = self._tree.get(f"@{name}" if self._is_arb else name) if noted else None
        description = notes.get("description") if isinstance(notes, dict) else ""
        return description if isinstance(description, str) else ""

    def _merged(self, draft: JsonDraft, touched: Touched | None, translations: Mapping[str, str]) -> Any:
        return Merge(translations, self.overwrite, self.target, self._is_note).merge(self._tree, draft.tree, touched)


@dataclass(frozen=True)
class Merge:
    """Makes a tree of the source's shape out of `translations` and what the target file at `path` has."""

    translations: Mapping[str, str]
    overwrite: bool
    path: Path
    is_note: Callable[[str], bool]

    def merge(self, source: Any, held: Any, touched: Touched | None, pointer: str = "") -> Any:
        """The value at `pointer`; MISSING if there is none yet. Of what has been merged, the `touched` parts alone."""
        if not (is_text(source) or isinstance(source, dict | list)):
            return source if held is MISSING else held
        if held is not MISSING and held is not None and type(held) is not type(source):
            if not self.overwrite:
                raise CatalogueError(
                    f"{str(self.path)!r} has not the source's shape at {pointer!r}: mend it, or --overwrite it"
                )
            held = MISSING
        if isinstance(source, str):
            if self.is_note(pointer):
                return source if held is MISSING else held
            return held if is_text(held) and not self.overwrite else self.translations.get(pointer, held)
        if isinstance(source, list):
            return self._array(source, held, touched, pointer)
        return self._object(source, held, touched, pointer)

    def _object(self, source: dict[str, Any], held: Any, touched: Touched | None, pointer: str) -> Any:
        values = held if isinstance(held, dict) else {}
        merged = dict(values)
        for key in source if touched is None else touched:
            below = None if touched is None else touched[key]
            merged[key] = self.merge(source[key], values.get(key, MISSING), below, deeper(pointer, key))
        if merged.keys() != values.keys():
            merged = {
                key: merged[key] for key in ordered_keys(source, values) if merged.get(key, MISSING) is not MISSING
            }
        return merged if merged or not (source and pointer) else held

    def _array(self, source: list[Any], held: Any, touched: Touched | None, pointer: str) -> Any:
        values = held if isinstance(held, list) else []
        merged = [values[index] if index < len(values) else MISSING for index in range(len(source))]
        for index, item in enumerate(source):
            if touched is None or str(index) in touched:
                below = None if touched is None else touched[str(index)]
                merged[index] = self.merge(item, merged[index], below, deeper(pointer, index))
        if source and all(item is MISSING for item in merged):
            return held
        pairs = zip(source, merged, strict=True)
        return [type(item)() if value is MISSING else value for item, value in pairs] + values[len(source) :]
