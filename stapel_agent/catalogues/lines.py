"""Lines and comments before and after the values of a file."""

from __future__ import annotations

import re

BLANK_LINE = re.compile(r"\n[ \t]*(?=\n)")


def with_last_line_end(text: str) -> str:
    """Return `text` with a line end after its last line, so that another can follow."""
    return text if text.endswith("\n") or not text else f"{text}\n"


def split_lead(lead: str, comment: re.Pattern[str]) -> tuple[str, str]:
    """Split the text before a value at its last blank line, if comments above it belong to no value.

    Returns what belongs to no value, or an empty string, and the rest.
    """
    masked = comment.sub(lambda match: "x" * len(match[0]), lead)
    end = max((match.start() for match in BLANK_LINE.finditer(masked)), default=0)
    return (lead[:end], lead[end:]) if masked[:end].strip() else ("", lead)


def comment_text(lead: str, pattern: re.Pattern[str]) -> str:
    """Return the text of the comments in `lead`, whose text is the first group of `pattern`."""
    found = (" ".join(filter(None, match.groups())) for match in pattern.finditer(lead))
    return " ".join(" ".join(found).split())
