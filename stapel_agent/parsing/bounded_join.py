"""Joins pieces of text, some of which may be far larger than what they were made from."""

from __future__ import annotations

from collections.abc import Iterable


def joined_within(limit: int, pieces: Iterable[str]) -> str | None:
    """Join `pieces` as they are made. Returns None as soon as they have more than `limit` characters."""
    made, length = list[str](), 0
    for piece in pieces:
        made.append(piece)
        length += len(piece)
        if length > limit:
            return None
    return "".join(made)
