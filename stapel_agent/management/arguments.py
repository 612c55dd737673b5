"""Types of what a command is given."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable


def number(kind: Callable[[str], float], least: float, most: float) -> Callable[[str], float]:
    """The type of an argument within bounds."""

    def parse(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            raise ArgumentTypeError(f"must be a {'whole ' if kind is int else ''}number, not {text[:40]!r}") from None
        if not least <= value <= most:
            raise ArgumentTypeError(f"must be from {least} to {most}")
        return value

    return parse
