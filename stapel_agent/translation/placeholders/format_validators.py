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


JAVA_CONVERSION = re.compile(r"%(?:(?P<number>\d{1,3}+)\$|(?P<same><))?+[-+0#,(]*+[\d.]*+(?P<kind>[tT]?[A-Za-z])")


def java_printf(source: str, translation: str) -> str | None:
    """Return what is wrong if a `%<s`, which repeats the argument before it, repeats another one than in `source`."""
    if "%<" not in source or _java_arguments(source) == _java_arguments(translation):
        return None
    return "has a placeholder that stands for another argument than in the text"


def _java_arguments(text: str) -> Counter[tuple[str, str]]:
    """Count the arguments that are shown, with their conversions."""
    found, argument, unnumbered = Counter[tuple[str, str]](), "", 0
    for match in JAVA_CONVERSION.finditer(text.replace("%%", "").replace("%n", "")):
        if match["number"]:
            argument = match["number"]
        elif not match["same"]:
            unnumbered += 1
            argument = str(unnumbered)
        found[argument, match["kind"]] += 1
    return found


JAVA_QUOTED = re.compile(r"''|'(?:[^']|'')*+'?")
LONE_APOSTROPHE = re.compile(r"(?<!')(?:'')*+'(?!')")
"""A quotation mark of Java. Two of them are an apostrophe."""


def is_java_message(text: str) -> bool:
    """Whether `text` has arguments or doubled apostrophes. Programs may print others as they are."""
    return "{" in text or "''" in text


def java_message(source: str, translation: str) -> str | None:
    """Return what is wrong if apostrophes in `translation` quote more than in `source`."""
    if not LONE_APOSTROPHE.search(translation):
        return None
    if is_java_message(source) and not LONE_APOSTROPHE.search(source):
        return "has a single apostrophe, which Java does not print: write two"
    ours, theirs = (JAVA_QUOTED.sub("", text).count("{") for text in (source, translation))
    return "has an apostrophe that quotes a placeholder: write two" if theirs < ours else None


FLUENT_SYNTAX = re.compile(r"(?:\A|\n)[ ]*+([\[*.}])")


def fluent(source: str, translation: str) -> str | None:
    """Return what is wrong if more lines of `translation` than of `source` begin like variants or attributes."""
    new = Counter(FLUENT_SYNTAX.findall(translation)) - Counter(FLUENT_SYNTAX.findall(source))
    return "has a line that begins like the syntax of Fluent" if new else None


VALIDATORS: Mapping[str, Callable[[str, str], str | None]] = {
    "python-brace": python_brace,
    "java-message": java_message,
    "java-printf": java_printf,
    "fluent": fluent,
}
"""The checks by the name in a format's `validator`. Each returns what is wrong, or None."""
