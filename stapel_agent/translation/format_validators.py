"""Checks of translations with the tools of their format, after their placeholders have been checked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from string import Formatter


def python_brace(source: str, translation: str) -> str | None:
    """Return how `str.format()` would treat `translation` differently from `source`, or None."""
    try:
        ours = _fields(source)
    except ValueError:  # the source is not a format string, so there is nothing to compare
        return None
    try:
        theirs = _fields(translation)
    except ValueError as fault:
        return f"is not a Python format string: {fault}"
    return None if ours == theirs else "has different fields from the text"


def _fields(text: str) -> Counter[tuple[str | None, str | None, str | None]]:
    return Counter((name, spec, how) for _, name, spec, how in Formatter().parse(text) if name is not None)


FLUENT_SYNTAX = re.compile(r"(?:\A|\n)[ ]*+([\[*.}])")


def fluent(source: str, translation: str) -> str | None:
    """Return what is wrong if lines of `translation` begin like variants or attributes and those of `source` do not."""
    if Counter(FLUENT_SYNTAX.findall(source)) == Counter(FLUENT_SYNTAX.findall(translation)):
        return None
    return "has a line that begins like the syntax of Fluent"


VALIDATORS: Mapping[str, Callable[[str, str], str | None]] = {"python-brace": python_brace, "fluent": fluent}
"""The checks by the name in a format's `validator`. Each returns what is wrong, or None."""
