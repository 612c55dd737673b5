"""Catalogues whose files are kept as they are, except for the translations: comments, order and layout."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import ClassVar

from stapel_agent.plurals import CATEGORIES

from .catalogue import Catalogue
from .document import (
    Group,
    Node,
    Path,
    Value,
    aligned,
    blank,
    comments,
    has_other_forms,
    placed,
    pointer,
    put,
    translatable,
    uneven_arrays,
    values,
    whole_groups,
)
from .json_tree import segments
from .plural_categories import target_forms
from .text_file import CatalogueError, TextFile


class DocumentCatalogue(Catalogue[Group]):
    """Keys are JSON pointers to the values of the document. A blank value in the target is untranslated.

    An array, or a text with its plural forms, is written when all of it is translated.
    """

    text_format: ClassVar[str]
    keeps_zero: ClassVar[bool] = True
    """Whether the form `zero` is for the number 0 in every language."""

    @abstractmethod
    def parse(self, text: str) -> Group:
        """Return the document in `text`. Raises ValueError for what cannot be read or written back unchanged."""

    @abstractmethod
    def encode(self, value: Value, text: str) -> str:
        """Return `text` as it is written to the target, where `value` of the source belongs."""

    def localized(self, document: Group) -> Group:
        """Return the source with everything else that depends on the language, apart from plural forms."""
        return document

    def texts(self) -> dict[str, str]:
        draft = self.draft()
        return {key: value.text for key, value in self._values.items() if not self._has_other_forms(draft, key)}

    def example(self, key: str) -> str:
        return self._values[key].example

    def only_number(self, key: str) -> int | None:
        return self._values[key].only

    def format(self, key: str) -> str:
        return self.text_format

    def comment(self, key: str) -> str:
        return self._comments[key]

    def sources(self, key: str, text: str) -> list[str]:
        return list(dict.fromkeys([text, *self._values[key].sources]))

    def translations(self) -> dict[str, str]:
        existing = {pointer(path): value.content for path, value in values(self.draft()) if value.content}
        return {key: existing[key] for key in self._values if key in existing}

    def uneven_arrays(self) -> list[str]:
        return [pointer(path) for path in uneven_arrays(self._source, self.draft())]

    def open(self, target: TextFile | None) -> Group:
        source = self._source
        if target is None:
            return blank(source)
        try:
            return aligned(source, self._parsed(target, "target"), overwrite=self.overwrite)
        except ValueError as fault:
            raise CatalogueError(f"{str(self.target)!r} differs from the source in {fault}") from fault

    def fill(self, draft: Group, keys: Iterable[str], translations: Mapping[str, str]) -> bool:
        changed = False
        for place in dict.fromkeys(self._places[key] for key in keys):
            wanted = self._parts[place]
            existing = {key for key in wanted if self._is_translated(draft, key)}
            new = {key: translations[key] for key in wanted if key in translations}
            new = {key: text for key, text in new.items() if self.overwrite or key not in existing}
            if new and existing.union(new).issuperset(wanted):
                there = {key: placed(self._values[key], self._value(draft, key)) for key in new}
                put(self._source, draft, place, {key: self.encode(there[key], text) for key, text in new.items()})
                changed = True
        return changed

    def text(self, draft: Group, target: TextFile | None) -> TextFile:
        return replace(target or self.file, text=draft.render())

    @cached_property
    def _source(self) -> Group:
        """The source with the plural forms of the target language."""
        return self.localized(self._with_target_forms(self._parsed(self.file, "source")))

    @cached_property
    def _values(self) -> dict[str, Value]:
        return {pointer(path): value for path, value in translatable(self._source)}

    @cached_property
    def _comments(self) -> dict[str, str]:
        return {pointer(path): comment for path, comment in comments(self._source)}

    @cached_property
    def _places(self) -> dict[str, Path]:
        """The path of what is written at once, by key."""
        places = {pointer(path): place for path, place in whole_groups(self._source)}
        return {key: places[key] for key in self._values}

    @cached_property
    def _parts(self) -> dict[Path, list[str]]:
        """The keys of what is written at once."""
        parts: dict[Path, list[str]] = {}
        for key, place in self._places.items():
            parts.setdefault(place, []).append(key)
        return parts

    def _value(self, draft: Group, key: str) -> Value | None:
        node: object = draft
        for name in segments(key):
            node = node.children.get(name) if isinstance(node, Group) else None
        return node if isinstance(node, Value) else None

    def _is_translated(self, draft: Group, key: str) -> bool:
        value = self._value(draft, key)
        return value is not None and bool(value.content)

    def _has_other_forms(self, draft: Group, key: str) -> bool:
        """Whether the target has the text with plural forms where the source has none, or the other way round."""
        source, target = self._source, draft
        for name in segments(key):
            ours, theirs = source.children[name], target.children.get(name)
            if has_other_forms(ours, theirs):
                return True
            if not isinstance(ours, Group) or not isinstance(theirs, Group):
                return False
            source, target = ours, theirs
        return False

    def _parsed(self, file: TextFile, role: str) -> Group:
        try:
            if "\0" in file.text:
                raise ValueError("it contains a NUL")
            document = self.parse(file.text)
        except (ValueError, RecursionError) as fault:
            path = getattr(self, role)
            reason = "it is nested too deeply" if isinstance(fault, RecursionError) else fault
            raise CatalogueError(f"{str(path)!r} cannot be translated: {reason}") from fault
        return document

    def _with_target_forms(self, group: Group) -> Group:
        children = {
            name: self._with_target_forms(child) if isinstance(child, Group) else child
            for name, child in group.children.items()
        }
        group = replace(group, children=children)
        return self._expanded(group) if group.has_forms else group

    def _expanded(self, group: Group) -> Group:
        """Replace the plural forms of a text by those of the target language, at the place of the first."""
        source = {name: child for name, child in group.children.items() if isinstance(child, Value)}
        texts = {name: child.text for name, child in source.items() if name in CATEGORIES}
        if "other" not in texts or not all(map(str.strip, texts.values())):
            return group
        forms: dict[str, Node] = {}
        for form in target_forms(texts, self.to, keeps_zero=self.keeps_zero):
            origin = source[form.origin]
            forms[form.category] = replace(
                source.get(form.category, source["other"]),
                label=form.category,
                raw=origin.raw,
                content=origin.content,
                text=origin.text,
                style=origin.style,
                example=form.example,
                only=form.only,
                sources=form.sources,
            )
        children: dict[str, Node] = {}
        for name, child in group.children.items():
            children.update(forms if name in CATEGORIES else {name: child})
        return replace(group, children=children)
