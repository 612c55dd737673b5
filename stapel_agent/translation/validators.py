"""What the tools of a format find wrong with a translation that has the placeholders of its source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from string import Formatter


def python_brace(source: str, translation: str) -> str | None:
    """What `str.format()` would not do with `translation` as with `source`; None if nothing."""
    try:
        ours = _fields(source)
    except ValueError:  # the source is no format string, and what it has was kept
        return None
    try:
        theirs = _fields(translation)
    except ValueError as fault:
        return f"is no format string of Python: {fault}"
    return None if ours == theirs else "has other fields than the text"


def _fields(text: str) -> Counter[tuple[str | None, str | None, str | None]]:
    return Counter((name, spec, how) for _, name, spec, how in Formatter().parse(text) if name is not None)


VALIDATORS: Mapping[str, Callable[[str, str], str | None]] = {"python-brace": python_brace}
"""The `validator` of a Format -> what it finds wrong, or None."""
