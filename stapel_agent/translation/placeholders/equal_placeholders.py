"""What a placeholder stands for, without what people may write in another way in a translation.

Sources: Project Fluent, "Terms" and "Functions"; Chrome, `chrome.i18n`, where the names of placeholders have no case.
"""

from __future__ import annotations

import re

from .placeholder_formats import Format
from .tag_attributes import without_values

CONVERSION = re.compile(
    r"(%(?:\d{1,3}\$|\([^()]{1,100}\)|<\w{1,100}>)?)[-+'I,]*(0\d{0,4}|)\d{0,4}((?:\.\d{0,4})?(?:hh|ll|[hlLqjztZ])?)([A-Za-z@])"
)
"""A conversion of printf: its argument, a width with zeros, its precision and length, and its letter."""
SYNONYMS = str.maketrans("iXEFG", "dxefg")
HAVE_SYNONYMS = {"printf", "python", "apple"}
"""The formats with both `%i` and `%d`."""
FIELD_WIDTH = re.compile(r",\s?-?\d{1,4}(?=[:}])")
"""The width of a field in C#."""
BESIDE_BRACES = re.compile(r"(?<=\{)\s{1,9}+|\s{1,9}+(?=\}+\Z)")
FORMATTED = re.compile(r"\{(?:(-[\w-]+)|(?:NUMBER|DATETIME)\(\s*(\$[\w-]+))\s*[(,)][^{}]*\}")
"""A term with parameters, such as its case, or a variable with options, both of which depend on the language."""
BRACED_NAME = re.compile(r"\$\{(\w+)\}")
LITERAL_BLANKS = re.compile(r'\{\s*"(?:\s|\\u00[Aa]0|\\u20(?:0[\dA-Fa-f]|2[Ff]))*"\s*\}')
"""Blanks that Fluent would drop or that are hard to see."""


def meaning(hidden: str, format: Format) -> str:
    """Return a placeholder without its width, blanks, options and parameters, or a tag without readable attributes."""
    if found := CONVERSION.fullmatch(hidden):
        letter = found[4].translate(SYNONYMS) if format.name in HAVE_SYNONYMS else found[4]
        return f"{found[1]}{found[2]}{found[3]}{letter}"
    if format.name == "chrome" and hidden[:1] == "$":
        return hidden.upper()
    if format.name == "python-brace":
        return FIELD_WIDTH.sub("", hidden)
    if format.name == "shell":
        return BRACED_NAME.sub(r"$\1", hidden)
    if hidden[:1] != "{" or not (hidden.startswith("{{") or format.message in ("always", "fluent")):
        return without_values(hidden)
    compact = BESIDE_BRACES.sub("", hidden)
    return FORMATTED.sub(r"{\1\2}", compact) if format.message == "fluent" else compact


def is_blank(hidden: str, format: Format) -> bool:
    """Whether a placeholder only writes blanks, so that a translation may add it."""
    return format.message == "fluent" and LITERAL_BLANKS.fullmatch(hidden) is not None
