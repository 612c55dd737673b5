"""Readers convert the text of an answer to a verb's value."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from stapel_agent.exceptions import AnswerMissing
from stapel_agent.providers import read_off_loop

Reader = Callable[[str], Any]
"""Converts the `text` of an answer to a verb's value. Raises an AnswerError if the text is not what was asked for.

A slow reader sets its attribute `is_slow` to True, and is not called on an event loop. Readers that accept different
answers have different names: their own `name`, or that of their function.
"""


def name_of(reader: Reader) -> str:
    """The name of a reader, the same in every process."""
    return str(getattr(reader, "name", "") or getattr(reader, "__qualname__", type(reader).__qualname__))


async def off_loop(reader: Reader, text: str, function: Callable[..., Any], /, **arguments: Any) -> Any:
    """Call `function`, which calls `reader` with `text`. Run it in its own thread if that may be slow."""
    length = math.inf if getattr(reader, "is_slow", False) else len(text)
    return await read_off_loop(length, function, **arguments)


def as_text(text: str) -> str:
    """The Reader of a verb that accepts any text except a blank one."""
    if not text.strip():
        raise AnswerMissing("the answer contains no text", text=text or None)
    return text
