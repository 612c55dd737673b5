"""Removes what a model thought from its answer."""

from __future__ import annotations

import re

THOUGHT = re.compile(
    r"""
    (?P<quoted>"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"?)    # may be a string in the answer
    | <(?P<tag>think(?:ing)?|thought|reasoning)>.*?(?:</(?P=tag)>|\Z)
    | </(?:think(?:ing)?|thought|reasoning)>            # the opening tag was in the prompt, not in the answer
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
TAG = re.compile(r"</?(?:think(?:ing)?|thought|reasoning)>", re.IGNORECASE)


def without_thoughts(text: str) -> str:
    """Return `text` without the blocks in which the model thinks. A block that is never closed runs to the end."""
    if not TAG.search(text):
        return text
    kept, end = [], 0
    for match in THOUGHT.finditer(text):
        if match["quoted"]:
            continue
        kept.append(text[end : match.start()])
        end = match.end()
        if not match["tag"]:
            kept.clear()
    return "".join([*kept, text[end:]]).strip()
