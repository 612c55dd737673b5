"""The plural forms inside a text, in any format that has them."""

from __future__ import annotations

from . import plural_fluent, plural_messages
from .formats import FORMATS
from .placeholders import is_fluent
from .plural_messages import NumberedForm


def expanded(text: str, name: str, from_lang: str, to: str) -> str:
    """Return `text`, in the format `name`, with the plural forms of the language `to`."""
    if is_fluent(text, FORMATS[name]):
        return plural_fluent.expanded(text, from_lang, to)
    return plural_messages.expanded(text, from_lang, to) if FORMATS[name].message else text


def numbered_forms(text: str, name: str, to: str) -> list[NumberedForm]:
    """Return where the plural forms in an expanded text begin, with example numbers."""
    if is_fluent(text, FORMATS[name]):
        return plural_fluent.numbered_forms(text, to)
    return plural_messages.numbered_forms(text, to) if FORMATS[name].message else []
