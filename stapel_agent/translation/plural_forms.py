"""The plural forms in a text of any format that has them inside."""

from __future__ import annotations

from . import plural_fluent, plural_messages
from .formats import FORMATS
from .plural_messages import NumberedForm

NOTATIONS = {"branches": plural_messages, "always": plural_messages, "fluent": plural_fluent}
"""How a format's texts are parsed -> the module that knows their plural forms."""


def expanded(text: str, name: str, from_lang: str, to: str) -> str:
    """`text`, in the format `name`, with the plural forms of the language `to`."""
    notation = NOTATIONS.get(FORMATS[name].message)
    return notation.expanded(text, from_lang, to) if notation else text


def numbered_forms(text: str, name: str, to: str) -> list[NumberedForm]:
    """Where the plural forms in an expanded text begin, each with example numbers."""
    notation = NOTATIONS.get(FORMATS[name].message)
    return notation.numbered_forms(text, to) if notation else []
