"""Plural forms in JSON files: i18next suffixes and Rails objects, rewritten for the target language.

Sources: i18next, "Plurals" and "JSON Format" (v4 with categories, v3 with `_plural` and numbers); Rails Guides,
"Internationalization API", pluralization.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from stapel_agent.plurals import CATEGORIES

from .i18next_numbers import numbered_keys
from .json_tree import child_pointer
from .plural_categories import are_forms, target_forms

SUFFIX = re.compile(rf"(?P<base>.+?)(?P<ordinal>_ordinal)?_(?P<category>{'|'.join(CATEGORIES)})", re.DOTALL)
OLD_SUFFIX = "_plural"


@dataclass
class PluralTree:
    """Rewrites a source tree for the language `to`. `examples` has example numbers of plural forms, by JSON pointer.

    `only` has the numbers of those that are for one number alone. `roots` are the names that the source's language may
    have.
    """

    to: str
    roots: tuple[str, ...] = ()
    examples: dict[str, str] = field(default_factory=dict)
    only: dict[str, int] = field(default_factory=dict)

    def tree(self, source: Mapping[str, Any]) -> dict[str, Any]:
        """Return the tree with the target's forms. If its only key is one of the `roots`, it becomes `to`."""
        root = next(iter(source)) if len(source) == 1 else ""
        if root in self.roots and isinstance(source[root], dict):
            source = {self.to: source[root]}
        return dict(self._object(source, ""))

    def _value(self, value: Any, pointer: str) -> Any:
        if isinstance(value, dict):
            return dict(self._object(value, pointer))
        if isinstance(value, list):
            return [self._value(item, child_pointer(pointer, number)) for number, item in enumerate(value)]
        return value

    def _object(self, source: Mapping[str, Any], pointer: str) -> Iterator[tuple[str, Any]]:
        if _are_forms(source):
            yield from self._forms(dict(source), pointer, "")
            return
        groups = _groups(source)
        bases = {key: base for base, keys in groups.items() for key in keys}
        for key, value in source.items():
            base = bases.get(key)
            if base is None:
                yield key, self._value(value, child_pointer(pointer, key))
            elif keys := groups.pop(base, None):
                yield from self._group(source, keys, base, pointer)

    def _group(self, source: Mapping[str, Any], keys: list[str], base: str, pointer: str) -> Iterator[tuple[str, Any]]:
        if f"{base}{OLD_SUFFIX}" in keys:
            return self._old_forms(source[base], source[f"{base}{OLD_SUFFIX}"], base, pointer)
        return self._forms({key[len(base) + 1 :]: source[key] for key in keys}, pointer, f"{base}_")

    def _forms(self, source: Mapping[str, str], pointer: str, prefix: str) -> Iterator[tuple[str, str]]:
        """Yield the target's forms. `zero` is kept in every language: in both layouts it is for the number 0."""
        for form in target_forms(source, self.to, ordinal=prefix.endswith("_ordinal_")):
            key = f"{prefix}{form.category}"
            if form.only is not None:
                self.only[child_pointer(pointer, key)] = form.only
            if form.example:
                self.examples[child_pointer(pointer, key)] = form.example
            yield key, source[form.origin]

    def _old_forms(self, singular: str, plural: str, base: str, pointer: str) -> Iterator[tuple[str, str]]:
        """Yield forms as i18next's JSON v3 has them: numbered, or named if the language has two."""
        for key, text, example in numbered_keys(base, singular, plural, self.to):
            if example is not None:
                self.examples[child_pointer(pointer, key)] = str(example)
            yield key, text


def _are_forms(source: Mapping[str, Any]) -> bool:
    """Whether an object holds the plural forms of one text, as in Rails."""
    are_texts = "other" in source and source.keys() <= set(CATEGORIES) and _are_texts(source.values())
    return are_texts and are_forms(list(source.values()))


def _groups(source: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the keys of each text with plural forms, by their common part."""
    bases: dict[str, list[str]] = {}
    for key in source:
        if match := SUFFIX.fullmatch(key):
            bases.setdefault(f"{match['base']}{match['ordinal'] or ''}", []).append(key)
        elif key.endswith(OLD_SUFFIX) and key.removesuffix(OLD_SUFFIX) in source:
            bases.setdefault(base := key.removesuffix(OLD_SUFFIX), []).extend([base, key])
    return {
        base: keys
        for base, keys in bases.items()
        if {f"{base}_other", f"{base}{OLD_SUFFIX}"} & set(keys)
        and _are_texts(map(source.get, keys))
        and are_forms([source[key] for key in keys])
    }


def _are_texts(values: Any) -> bool:
    return all(isinstance(value, str) and value.strip() for value in values)
