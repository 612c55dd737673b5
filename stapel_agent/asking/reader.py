"""Readers convert the text of an answer to a verb's value."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from stapel_agent.exceptions import AnswerMissing
from stapel_agent.providers import in_own_thread

Reader = Callable[[str], Any]
"""Converts the `text` of an answer to a verb's value. Raises an AnswerError if the text is not what was asked for.

A slow reader sets its attribute `is_slow` to True, and is not called on an event loop.
"""


async def off_loop(reader: Reader, function: Callable[..., Any], **arguments: Any) -> Any:
    """Call `function`, which calls `reader`; run it in its own thread if the reader is slow."""
    if getattr(reader, "is_slow", False):
        return await asyncio.wrap_future(in_own_thread(function, **arguments))
    return function(**arguments)


def as_text(text: str) -> str:
    """The Reader of a verb that accepts any text except a blank one."""
    if not text.strip():
        raise AnswerMissing("the answer contains no text", text=text or None)
    return text
