"""Project Fluent: a translation keeps the selectors of a pattern and translates the texts inside."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .icu_messages import MAX_LENGTH, Piece

STRING = r'"(?:[^"\\\n]|\\.){0,100}+"'
TOKENS = re.compile(
    rf"""
      (?P<select>\{{(?:[^{{}}"\n>-]|-(?!>)|{STRING}){{1,200}}+->\s{{0,100}}+)
    | (?P<placeable>\{{(?:[^{{}}"]|{STRING}){{0,300}}+\}})
    | (?P<variant>(?:\s{{1,100}}+|(?<=[\s>]))\*?\[[ ]{{0,9}}+[\w.-]{{1,100}}+[ ]{{0,9}}+\][ ]?)
    | (?P<end>\s{{0,100}}+\}})
    """,
    re.VERBOSE,
)


def structure(text: str) -> list[Piece] | None:
    """Split `text` into selectors and texts. Returns None if it has no selector or its braces do not match."""
    if "->" not in text or len(text) > MAX_LENGTH:
        return None
    pieces = list(_pieces(text))
    depth = 0
    for piece in pieces:
        part = text[piece.start : piece.end].strip()
        depth += piece.kind == "syntax" and part.endswith("->")
        depth -= piece.kind == "syntax" and part == "}"
        if depth < 0 or (piece.kind == "text" and ("{" in part or "}" in part)):
            return None
    return pieces if depth == 0 and any(piece.kind == "syntax" for piece in pieces) else None


def _pieces(text: str) -> Iterator[Piece]:
    position = depth = 0
    for match in TOKENS.finditer(text):
        kind = str(match.lastgroup)
        if kind == "variant" and not depth:
            continue
        if match.start() > position:
            yield Piece(position, match.start(), "text")
        depth += (kind == "select") - (kind == "end")
        position = match.end()
        yield Piece(match.start(), position, "argument" if kind == "placeable" else "syntax")
    if position < len(text):
        yield Piece(position, len(text), "text")


def is_pattern(text: str) -> bool:
    """Whether `text`, whose format is not known, has a selector with a default variant."""
    return "->" in text and "*[" in text and structure(text) is not None


def is_syntax(hidden: str) -> bool:
    """Whether a piece of a pattern is part of a selector."""
    part = hidden.strip()
    return part.endswith(("->", "]")) or part == "}"
