"""Localizations in Apple's string catalogs: the values of one key in one language, varied by plural form or device.

Source: Apple, "Localizing and varying text with a string catalog"; the files that Xcode writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from stapel_agent.plurals import CATEGORIES

from .plural_categories import target_forms

Tree = dict[str, Any]
Path = tuple[str, ...]


@dataclass(frozen=True)
class PluralForm:
    """An example number of a plural form, the source's texts for all forms, and the number if it is for one alone."""

    example: str
    sources: tuple[str, ...]
    only: int | None = None


NO_FORM = PluralForm("", ())


def is_entry(entry: Any) -> bool:
    """Whether a value in `strings` is an object whose localizations, if any, are objects."""
    if not isinstance(entry, dict):
        return False
    known = entry.get("localizations", {})
    return isinstance(known, dict) and all(isinstance(localization, dict) for localization in known.values())


def units(localization: Any, path: Path = ()) -> Iterator[tuple[Path, Tree]]:
    """Yield the path of each `stringUnit`, which has a `value` and a `state`."""
    if isinstance(localization, dict):
        for name, child in localization.items():
            if name == "stringUnit" and isinstance(child, dict):
                yield (*path, name), child
            else:
                yield from units(child, (*path, name))


def texts(localization: Any) -> dict[Path, str]:
    """Return the values that are translated, by path."""
    found = {path: unit.get("value") for path, unit in units(localization) if unit.get("state") != "new"}
    return {path: value for path, value in found.items() if isinstance(value, str) and value.strip()}


def is_translated(localization: Any) -> bool:
    """Whether there are values, and none is new or to be reviewed."""
    states = {unit.get("state") for _, unit in units(localization)}
    return states == {"translated"}


def expanded(localization: Tree, to: str) -> tuple[Tree, dict[Path, PluralForm]]:
    """Return the localization with the plural forms of the language `to`, and these forms by path."""
    found: dict[Path, PluralForm] = {}
    return _expanded(localization, to, (), found), found


def merged(existing: Any, new: Tree) -> Tree:
    """Return `existing` with the parts of `new` that it lacks."""
    if not isinstance(existing, dict):
        return deepcopy(new)
    kept = dict(existing)
    for name, child in new.items():
        kept[name] = merged(existing.get(name), child) if isinstance(child, dict) else existing.get(name, child)
    return kept


def sorted_as(before: Mapping[str, Any], tree: Tree) -> Tree:
    """Return `tree` with sorted keys, in Xcode's order, if those of `before` are sorted."""
    return dict(sorted(tree.items())) if list(before) == sorted(before) else tree


def _expanded(node: Tree, to: str, path: Path, found: dict[Path, PluralForm]) -> Tree:
    result: Tree = {}
    for name, child in node.items():
        if not isinstance(child, dict) or name == "stringUnit":
            result[name] = deepcopy(child)
        elif name == "plural" and "other" in child and child.keys() <= set(CATEGORIES):
            result[name] = _forms(child, to, (*path, name), found)
        else:
            result[name] = _expanded(child, to, (*path, name), found)
    return result


def _forms(source: Tree, to: str, path: Path, found: dict[Path, PluralForm]) -> Tree:
    by_category = {name: next(iter(texts(form).values()), "") for name, form in source.items()}
    if not all(by_category.values()):
        return deepcopy(source)
    result: Tree = {}
    for form in target_forms(by_category, to):
        result[form.category] = deepcopy(source[form.origin])
        for place, _ in units(result[form.category]):
            found[(*path, form.category, *place)] = PluralForm(form.example, form.sources, form.only)
    return sorted_as(source, result)
