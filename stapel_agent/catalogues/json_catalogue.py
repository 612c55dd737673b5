"""JSON catalogues: objects of texts, flat or nested, with arrays among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .catalogue import Catalogue
from .files import CatalogueError, TextFile
from .json_tree import decode, deeper, encode, is_text, ordered_keys, texts

MISSING: Any = object()


class JsonCatalogue(Catalogue):
    """Keys are JSON pointers, so that dots in names mean nothing.

    A blank text or null in the target is a gap. What is not translated is absent from its objects, where readers
    fall back on the source, and an empty text in its arrays, where every item has its place.
    """

    def __init__(self, source: Path, target: Path, to: str, *, overwrite: bool = False) -> None:
        if source.exists() and target.exists() and target.samefile(source):
            raise CatalogueError(f"{str(target)!r} is the source itself: name another folder, with --out")
        super().__init__(source, target, to, overwrite=overwrite)

    def texts(self) -> dict[str, str]:
        return dict(texts(decode(self.file, self.source)))

    def name(self, key: str) -> str:
        return key

    def translations(self) -> dict[str, str]:
        file = self.read_target()
        held = dict(texts(decode(file, self.target))) if file else {}
        return {key: held[key] for key in self.texts() if key in held}

    def merged(self, target: TextFile | None, translations: Mapping[str, str]) -> TextFile | None:
        held = decode(target, self.target) if target else MISSING
        tree = Merge(translations, self.overwrite, self.target).merge(decode(self.file, self.source), held)
        file = target or self.file
        return None if tree == held else replace(file, text=encode(tree, file.text))


@dataclass(frozen=True)
class Merge:
    """Makes a tree of the source's shape out of `translations` and what the target file at `path` has."""

    translations: Mapping[str, str]
    overwrite: bool
    path: Path

    def merge(self, source: Any, held: Any, pointer: str = "") -> Any:
        """The value at `pointer`; MISSING if there is none yet."""
        if not (is_text(source) or isinstance(source, dict | list)):
            return source if held is MISSING else held
        if held is not MISSING and held is not None and type(held) is not type(source):
            if not self.overwrite:
                raise CatalogueError(
                    f"{str(self.path)!r} has not the source's shape at {pointer!r}: mend it, or --overwrite it"
                )
            held = MISSING
        if isinstance(source, str):
            return held if is_text(held) and not self.overwrite else self.translations.get(pointer, held)
        if isinstance(source, list):
            return self._array(source, held, pointer)
        return self._object(source, held, pointer)

    def _object(self, source: dict[str, Any], held: Any, pointer: str) -> Any:
        values = held if isinstance(held, dict) else {}
        merged = {}
        for key in ordered_keys(source, values):
            value = values.get(key, MISSING)
            if key in source:
                value = self.merge(source[key], value, deeper(pointer, key))
            if value is not MISSING:
                merged[key] = value
        return merged if merged or not (source and pointer) else held

    def _array(self, source: list[Any], held: Any, pointer: str) -> Any:
        values = held if isinstance(held, list) else []
        merged = [
            self.merge(item, values[index] if index < len(values) else MISSING, deeper(pointer, index))
            for index, item in enumerate(source)
        ]
        if source and all(item is MISSING for item in merged):
            return held
        pairs = zip(source, merged, strict=True)
        return [type(item)() if value is MISSING else value for item, value in pairs] + values[len(source) :]
