"""A file as a tree of values and the text between them, so that everything except the translations stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from .json_tree import child_pointer, ordered_keys
from .lines import split_lead

Path: TypeAlias = tuple[str, ...]


@dataclass(slots=True)
class Filler:
    """Text between the values: comments, or without `is_comment`, elements that new targets do not get."""

    written: str
    is_comment: bool = True


FILLER = "\0"
"""Names of fillers begin with this, which no name in a file can."""


@dataclass(slots=True)
class Value:
    """One value. In the file, it is written as `lead`, `label`, `gap`, `raw` and `tail`, one after the other.

    `label` is the part of the text before the value that names its plural form, and `only` the number of a form that is
    for one number alone. `content` is the decoded value, and `text` is the same if it is to be translated, or else
    empty: then the value is copied to new targets, if it `is_copied`. `style` is the syntax of the value, for file
    types that have several.
    """

    lead: str
    raw: str
    tail: str = ""
    label: str = ""
    gap: str = ""
    content: str = ""
    text: str = ""
    style: str = ""
    comment: str = ""
    is_copied: bool = True
    sources: tuple[str, ...] = ()
    example: str = ""
    only: int | None = None
    written: str = field(init=False)

    def __post_init__(self) -> None:
        self.written = f"{self.lead}{self.label}{self.gap}{self.raw}{self.tail}"


@dataclass(slots=True)
class Group:
    """Named values and groups. A child that the file does not have yet is None.

    A group `is_whole` if a program needs all its values, such as an array. It `has_forms` if its children are plural
    forms, named by their categories; where programs accept a single text in place of them, it `may_be_value`. Where the
    `layout` of children matters, it is the same in source and target.
    """

    lead: str
    children: dict[str, Node]
    tail: str = ""
    label: str = ""
    gap: str = ""
    comment: str = ""
    is_copied: bool = True
    is_whole: bool = False
    has_forms: bool = False
    may_be_value: bool = False
    layout: str = ""
    written: str = field(default="", init=False)
    """The text of the group, or empty if a child has changed since."""

    @property
    def names(self) -> list[str]:
        """The names of the children, without those of fillers."""
        return [name for name in self.children if not name.startswith(FILLER)]

    @property
    def is_array(self) -> bool:
        """Whether the children are named by their positions."""
        return self.is_whole and not self.has_forms and bool(self.names) and all(map(str.isdigit, self.names))

    def render(self) -> str:
        """Return the text of the group. Only groups that have changed are joined again."""
        if not self.written:
            for child in self.children.values():
                if isinstance(child, Group) and not child.written:
                    child.render()
            parts = [child.written for child in self.children.values() if child is not None]
            self.written = "".join([self.lead, self.label, self.gap, *parts, self.tail])
        return self.written


Node: TypeAlias = Value | Group | Filler | None


def add_filler(children: dict[str, Node], written: str, *, is_comment: bool = True) -> None:
    children[f"{FILLER}{len(children)}"] = Filler(written, is_comment)


def own_lead(children: dict[str, Node], lead: str, comment: re.Pattern[str]) -> str:
    """Return the part of the text before a value that belongs to it. The rest becomes a filler in `children`."""
    loose, own = split_lead(lead, comment)
    if loose:
        add_filler(children, loose)
    return own


def values(group: Group, path: Path = ()) -> Iterator[tuple[Path, Value]]:
    """Yield the path of each value with the value."""
    for name, child in group.children.items():
        if isinstance(child, Value):
            yield (*path, name), child
        elif isinstance(child, Group):
            yield from values(child, (*path, name))


def translatable(group: Group, path: Path = ()) -> Iterator[tuple[Path, Value]]:
    """Yield the values to translate, like `values()`."""
    return (found for found in values(group, path) if found[1].text.strip())


def comments(group: Group, above: str = "", path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield the path of each value with its comment and those of the groups above it."""
    for name, child in group.children.items():
        if isinstance(child, Value | Group):
            comment = " ".join(filter(None, (above, child.comment)))
            if isinstance(child, Value):
                yield (*path, name), comment
            else:
                yield from comments(child, comment, (*path, name))


def whole_groups(group: Group, path: Path = ()) -> Iterator[tuple[Path, Path]]:
    """Yield each path of a value with the path of the part that is written at once: itself, or its whole group."""
    for name, child in group.children.items():
        place = (*path, name)
        if isinstance(child, Group) and child.is_whole:
            yield from ((found, place) for found, _ in translatable(child, place))
        elif isinstance(child, Group):
            yield from whole_groups(child, place)
        else:
            yield place, place


def uneven_arrays(source: Group, target: Group, path: Path = ()) -> Iterator[Path]:
    """Yield the path of each array that has another number of items in the aligned `target`, unless that is empty."""
    for name, ours in source.children.items():
        theirs = target.children.get(name)
        if not (isinstance(ours, Group) and isinstance(theirs, Group)):
            continue
        counts = [sum(isinstance(item, Value | Group) for item in group.children.values()) for group in (ours, theirs)]
        if ours.is_array and counts[1] and counts[0] != counts[1]:
            yield (*path, name)
        yield from uneven_arrays(ours, theirs, (*path, name))


def pointer(path: Path) -> str:
    found = ""
    for name in path:
        found = child_pointer(found, name)
    return found


def blank(source: Group) -> Group:
    """Return a copy of `source` without its texts. Comments and values that are not translated are copied."""
    children: dict[str, Node] = {}
    for name, child in source.children.items():
        if isinstance(child, Group):
            children[name] = _blank_child(child)
        elif isinstance(child, Filler):
            if child.is_comment:
                children[name] = child
        else:
            children[name] = None if child is None or child.text or not child.is_copied else replace(child)
    return replace(source, children=children)


def aligned(source: Group, target: Group, *, overwrite: bool) -> Group:
    """Return `target` with a place for each child of `source` that it lacks.

    Raises ValueError if one has a group where the other has a value, unless `overwrite` replaces it or only one of the
    two has plural forms, or if the layout differs.
    """
    children = {name: target.children.get(name) for name in ordered_keys(source.names, target.children)}
    for name in source.names:
        ours, theirs = source.children[name], children[name]
        if isinstance(ours, Group) and isinstance(theirs, Group):
            if ours.layout != theirs.layout and (overwrite or not _is_complete(ours, theirs)):
                place = f" at {name[:80]!r}" if name else ""
                raise ValueError(f"layout{place}: indent it and write its lists as in the source")
            children[name] = aligned(ours, theirs, overwrite=overwrite)
        elif theirs is not None and isinstance(ours, Group) != isinstance(theirs, Group):
            if has_other_forms(ours, theirs) and not overwrite:
                continue
            if not (overwrite or (isinstance(theirs, Value) and not theirs.content)):
                raise ValueError(f"structure at {name[:80]!r}: correct it, or use --overwrite")
            children[name] = None
    return replace(target, children=children)


def _is_complete(source: Group, target: Group) -> bool:
    """Whether nothing needs to be written directly into `target`."""
    found = [target.children.get(name) for name in source.names]
    return all(isinstance(child, Group) or (isinstance(child, Value) and child.content) for child in found)


def has_other_forms(source: Node, target: Node) -> bool:
    """Whether a person has translated a text with plural forms as a single text, or the other way round."""
    one, other = (source, target) if isinstance(source, Group) else (target, source)
    return isinstance(one, Group) and one.may_be_value and isinstance(other, Value) and bool(other.content)


def placed(source: Value, existing: Value | None) -> Value:
    """Return the source's value at the place of the `existing` one in the target."""
    if existing is None:
        return source
    return replace(source, lead=existing.lead, label=existing.label, gap=existing.gap, tail=existing.tail)


def put(source: Group, target: Group, path: Path, raw: Mapping[str, str]) -> None:
    """Write a value, or a whole group with its values by pointer, to the aligned `target`."""
    for depth, name in enumerate(path, 1):
        target.written = ""
        ours = source.children[name]
        if isinstance(ours, Value):
            _put_value(ours, target, name, raw.get(pointer(path[:depth])))
            return
        assert isinstance(ours, Group)  # noqa: S101  (paths lead through groups)
        source, target = ours, _group_in(target, name, ours)
    _put_all(source, target, path, raw)


def _put_all(source: Group, target: Group, path: Path, raw: Mapping[str, str]) -> None:
    target.written = ""
    for name, child in source.children.items():
        place = (*path, name)
        if isinstance(child, Value):
            _put_value(child, target, name, raw.get(pointer(place)))
        elif isinstance(child, Group):
            _put_all(child, _group_in(target, name, child), place, raw)


def _group_in(target: Group, name: str, source: Group) -> Group:
    """Return the group in `target`, or put a copy of `source` without its texts there."""
    found = target.children.get(name)
    if not isinstance(found, Group):
        found = target.children[name] = blank(source)
    return found


def _put_value(source: Value, target: Group, name: str, raw: str | None) -> None:
    existing = target.children.get(name)
    if isinstance(existing, Value):
        if raw is not None:
            target.children[name] = replace(existing, raw=raw, content=source.text, text=source.text)
    elif raw is not None or not source.text:
        target.children[name] = replace(source, raw=source.raw if raw is None else raw)


def _blank_child(source: Group) -> Group | None:
    if not source.is_copied or (source.is_whole and any(translatable(source))):
        return None
    copy = blank(source)
    return copy if any(isinstance(child, Value | Group) for child in copy.children.values()) else None
