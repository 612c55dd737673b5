"""The plural forms inside a text, in any format that has them."""

from __future__ import annotations

from collections.abc import Callable

from .messages import FormsInUse, Nodes, NumberedForm, Unlike, fluent_plurals, icu_plurals, numbered
from .placeholders import FORMATS, is_fluent


def expanded(text: str, name: str, from_lang: str, to: str) -> str:
    """Return `text`, in the format `name`, with the plural forms of the language `to`."""
    if is_fluent(text, FORMATS[name]):
        return fluent_plurals.expanded(text, from_lang, to)
    return icu_plurals.expanded(text, from_lang, to) if FORMATS[name].message else text


def expanded_as(text: str, translation: str, name: str, from_lang: str, to: str) -> str:
    """Return `text`, in the format `name`, with the plural forms of `translation`, if they are enough for `to`."""
    nodes = _nodes(text, name)
    if nodes is None:
        return text
    try:
        return FormsInUse(from_lang, to).text(nodes(text), nodes(translation))
    except Unlike:
        return expanded(text, name, from_lang, to)


def numbered_forms(text: str, name: str, to: str) -> list[NumberedForm]:
    """Return where the plural forms in an expanded text begin, with example numbers."""
    nodes = _nodes(text, name)
    return numbered(nodes(text), to) if nodes else []


def _nodes(text: str, name: str) -> Callable[[str], Nodes] | None:
    """Return the function that splits texts like `text`, or None if the format `name` has no plural forms."""
    if is_fluent(text, FORMATS[name]):
        return fluent_plurals.nodes
    return icu_plurals.nodes if FORMATS[name].message else None
