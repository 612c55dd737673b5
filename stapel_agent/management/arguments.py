"""Types of command arguments."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from uuid import UUID


def number(kind: Callable[[str], float], least: float, most: float) -> Callable[[str], float]:
    """The type of a number within bounds."""

    def parse(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            raise ArgumentTypeError(f"must be a {'whole ' if kind is int else ''}number, not {text[:40]!r}") from None
        if not least <= value <= most:
            raise ArgumentTypeError(f"must be from {least} to {most}, not {text[:40]}")
        return value

    return parse


def request_id(text: str) -> UUID:
    """The type of a request id."""
    try:
        return UUID(text)
    except ValueError:
        raise ArgumentTypeError(f"must be the request_id of an answer, a UUID, not {text[:40]!r}") from None


def image(text: str) -> dict[str, str]:
    """The type of an image: an https URL or the path of a file."""
    if text.lower().startswith("https://"):
        return {"url": text}
    try:
        return {"data_b64": b64encode(Path(text).read_bytes()).decode("ascii")}
    except OSError as fault:
        reason = f"{text[:200]!r} cannot be read ({fault.strerror}): give a file or an https URL"
        raise ArgumentTypeError(reason) from None


def djangos_options() -> ArgumentParser:
    """A parent for the parser of a subcommand, so that Django's own options may also come after its name."""
    parser = ArgumentParser(add_help=False)
    for name in ("--settings", "--pythonpath"):
        parser.add_argument(name, default=SUPPRESS, help=SUPPRESS)
    for name in ("--traceback", "--no-color", "--force-color"):
        parser.add_argument(name, action="store_true", default=SUPPRESS, help=SUPPRESS)
    parser.add_argument("-v", "--verbosity", type=int, choices=range(4), default=SUPPRESS, help=SUPPRESS)
    return parser
