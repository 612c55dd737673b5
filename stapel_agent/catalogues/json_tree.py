"""The tree of a JSON file, and the layout it is written in."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeGuard

from .files import CatalogueError, TextFile

MAX_DEPTH = 100

Touched = dict[str, Any]
"""The names of the parts of a tree that change, each with those in it."""
INDENT = re.compile(r"\A\s*+\{[ \t]*+\n([ \t]++)")


def decode(file: TextFile, path: Path) -> dict[str, Any]:
    """The object that the file at `path` holds. Raises CatalogueError for what could not be written back as it was."""
    try:
        tree = json.loads(file.text, object_pairs_hook=_object, parse_constant=_number, parse_float=_number)
        _check(tree)
    except (ValueError, RecursionError) as fault:
        raise CatalogueError(f"{str(path)!r} is no JSON that can be translated: {fault}") from fault
    if not isinstance(tree, dict):
        raise CatalogueError(f'{str(path)!r} must hold one object, such as {{"key": "text"}}')
    return tree


def encode(tree: dict[str, Any], layout: str) -> str:
    """`tree` as JSON, laid out as `layout` is: its indentation, or all in one line, and its last line's end."""
    indent = INDENT.match(layout)
    dense = indent is None and '": ' not in layout
    separators = (",", ":") if dense else (", " if indent is None else ",", ": ")
    text = json.dumps(tree, ensure_ascii=False, indent=indent and indent[1], separators=separators)
    return text + "\n" * layout.endswith("\n")


def is_text(value: object) -> TypeGuard[str]:
    """Is it a string that says something?"""
    return isinstance(value, str) and bool(value.strip())


def texts(tree: Any, pointer: str = "") -> Iterator[tuple[str, str]]:
    """JSON pointer and text of every string that says something."""
    if is_text(tree):
        yield pointer, tree
    for key, value in _items(tree):
        yield from texts(value, deeper(pointer, key))


def deeper(pointer: str, key: str | int) -> str:
    """The JSON pointer (RFC 6901) of what `key` names at `pointer`."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


def branches(pointers: Iterable[str]) -> Touched:
    """What `pointers` lead through, as a tree of names."""
    tree: Touched = {}
    for pointer in pointers:
        node = tree
        for name in pointer.split("/")[1:]:
            node = node.setdefault(name.replace("~1", "/").replace("~0", "~"), {})
    return tree


def ordered_keys(source: Iterable[str], held: Iterable[str]) -> list[str]:
    """The keys held, as they stand, and each of the source's others after the one it follows there."""
    places: list[str | None] = [None, *held]
    there = set(places)
    anchor: str | None = None
    followers: dict[str | None, list[str]] = {}
    for key in source:
        if key in there:
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
            raise ValueError(f"an object has the key {key[:80]!r} twice")
        tree[key] = value
    return tree


def _number(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise ValueError(f"{literal[:20]} is no finite number")
    return number


def _check(tree: Any, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"it is nested deeper than {MAX_DEPTH}")
    if isinstance(tree, str) and ("\0" in tree or tree.encode(errors="replace").decode() != tree):
        raise ValueError(f"{tree[:80]!r} holds a NUL or half a surrogate pair")
    for key, value in _items(tree):
        _check(key, depth)
        _check(value, depth + 1)
