"""The plural forms inside a text, in any format that has them."""

from __future__ import annotations

from . import plural_fluent, plural_messages
from .formats import FORMATS
from .plural_messages import NumberedForm

NOTATIONS = {"branches": plural_messages, "always": plural_messages, "fluent": plural_fluent}
"""The module for the plural forms of a format, by the format's `message`."""


def expanded(text: str, name: str, from_lang: str, to: str) -> str:
    """Return `text`, in the format `name`, with the plural forms of the language `to`."""
    notation = NOTATIONS.get(FORMATS[name].message)
    return notation.expanded(text, from_lang, to) if notation else text


def numbered_forms(text: str, name: str, to: str) -> list[NumberedForm]:
    """Return where the plural forms in an expanded text begin, with example numbers."""
    notation = NOTATIONS.get(FORMATS[name].message)
    return notation.numbered_forms(text, to) if notation else []
