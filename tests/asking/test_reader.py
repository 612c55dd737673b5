"""Where the text of an answer is read, on an event loop."""

import asyncio
import threading

import pytest

from stapel_agent.asking import off_loop


class Reader:
    """Returns the thread in which it reads."""

    def __init__(self, *, is_slow: bool) -> None:
        self.is_slow = is_slow

    def __call__(self, text: str) -> int:
        return threading.get_ident()


@pytest.mark.parametrize(
    ("length", "is_slow", "is_on_loop"), [(1000, False, True), (100_000, False, False), (10, True, False)]
)
def test_off_loop__long_or_slow(length: int, is_slow: bool, is_on_loop: bool) -> None:
    """A long text is not read on the loop, and neither is any text by a slow reader: both could block it."""

    async def read() -> bool:
        reader, text = Reader(is_slow=is_slow), "x" * length
        return await off_loop(reader, text, reader, text=text) == threading.get_ident()

    assert asyncio.run(read()) is is_on_loop
