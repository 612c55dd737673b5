"""JSON files as trees of dicts, lists and texts, with JSON pointers to their parts."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeGuard

from .text_file import CatalogueError, TextFile

MAX_DEPTH = 100

PointerTree = dict[str, Any]
"""The path segments of JSON pointers, nested."""
INDENT = re.compile(r"\A\s*+\{[ \t]*+\n([ \t]++)")


def decode(file: TextFile, path: Path) -> dict[str, Any]:
    """Parse the file at `path`. Raises CatalogueError if it could not be written back unchanged."""
    try:
        tree = json.loads(file.text, object_pairs_hook=_object, parse_constant=_number, parse_float=_number)
        _check(tree)
    except (ValueError, RecursionError) as fault:
        raise CatalogueError(f"{str(path)!r} is not JSON that can be translated: {fault}") from fault
    if not isinstance(tree, dict):
        raise CatalogueError(f'{str(path)!r} must hold one object, such as {{"key": "text"}}')
    return tree


def indent_unit(text: str) -> str | None:
    """Return the indentation of one level, or None if the first key is on the line of the object."""
    indent = INDENT.match(text)
    return indent and indent[1]


def encode(tree: dict[str, Any], layout: str) -> str:
    """Return `tree` as JSON with the indentation, separators and final line break of `layout`."""
    indent = indent_unit(layout)
    dense = indent is None and '": ' not in layout
    separators = (",", ":") if dense else (", " if indent is None else ",", ": ")
    text = json.dumps(tree, ensure_ascii=False, indent=indent, separators=separators)
    return text + "\n" * layout.endswith("\n")


def is_text(value: object) -> TypeGuard[str]:
    """Whether `value` is a string that is not blank."""
    return isinstance(value, str) and bool(value.strip())


def texts(tree: Any, pointer: str = "") -> Iterator[tuple[str, str]]:
    """Yield the JSON pointer and text of each string that is not blank."""
    if is_text(tree):
        yield pointer, tree
    for key, value in _items(tree):
        yield from texts(value, child_pointer(pointer, key))


def uneven_arrays(tree: Any, other: Any, pointer: str = "") -> Iterator[str]:
    """Yield the JSON pointer of each array of `tree` that has another length in `other`, unless that is empty."""
    if isinstance(tree, list) and isinstance(other, list) and other and len(tree) != len(other):
        yield pointer
    items = dict(_items(other)) if type(other) is type(tree) else {}
    for key, value in _items(tree):
        if key in items:
            yield from uneven_arrays(value, items[key], child_pointer(pointer, key))


def child_pointer(pointer: str, key: str | int) -> str:
    """Return the JSON pointer (RFC 6901) of the member `key` at `pointer`."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


def segments(pointer: str) -> list[str]:
    """Return the names in a JSON pointer."""
    return [name.replace("~1", "/").replace("~0", "~") for name in pointer.split("/")[1:]]


def pointer_tree(pointers: Iterable[str]) -> PointerTree:
    """Return the path segments of `pointers`, nested."""
    tree: PointerTree = {}
    for pointer in pointers:
        node = tree
        for name in segments(pointer):
            node = node.setdefault(name, {})
    return tree


def ordered_keys(source: Iterable[str], existing: Iterable[str]) -> list[str]:
    """Return the `existing` keys in their order, with each new key after the one that it follows in `source`."""
    places: list[str | None] = [None, *existing]
    known = set(places)
    anchor: str | None = None
    followers: dict[str | None, list[str]] = {}
    for key in source:
        if key in known:
            anchor = key
        else:
            followers.setdefault(anchor, []).append(key)
    ordered: list[str] = []
    for place in places:
        if place is not None:
            ordered.append(place)
        if place in followers:
            ordered += followers[place]
    return ordered


def _items(tree: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(tree, dict):
        return tree.items()
    return enumerate(tree) if isinstance(tree, list) else ()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in pairs:
        if key in tree:
            raise ValueError(f"the key {key[:80]!r} occurs twice in an object")
        tree[key] = value
    return tree


def _number(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise ValueError(f"{literal[:20]} is not a finite number")
    return number


def _check(tree: Any, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
    if isinstance(tree, str) and ("\0" in tree or tree.encode(errors="replace").decode() != tree):
        raise ValueError(f"{tree[:80]!r} contains a NUL or an unpaired surrogate")
    for key, value in _items(tree):
        _check(key, depth)
        _check(value, depth + 1)
