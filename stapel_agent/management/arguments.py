"""Types of what a command is given."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable


def number(kind: Callable[[str], float], least: float, most: float) -> Callable[[str], float]:
    """The type of an argument within bounds."""

    def parse(text: str) -> float:
        value = kind(text)
        if not least <= value <= most:
            raise ArgumentTypeError(f"must be from {least} to {most}")
        return value

    return parse
