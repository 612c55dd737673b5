"""Says on a terminal that a command waits for another process that asks the same questions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from stapel_agent.sharing import WAITING_LOGGER


class WaitingNotice(logging.Handler):
    """Writes the first message only: each question of a command may wait."""

    def __init__(self, write: Callable[[str], object]) -> None:
        super().__init__(logging.INFO)
        self._write: Callable[[str], object] | None = write

    def emit(self, record: logging.LogRecord) -> None:
        write, self._write = self._write, None
        if write is not None:
            write(record.getMessage())


@contextmanager
def waits_announced(write: Callable[[str], object]) -> Iterator[None]:
    """Write a line the first time a question in this block has waited for another process for some seconds."""
    logger = logging.getLogger(WAITING_LOGGER)
    level, notice = logger.level, WaitingNotice(write)
    logger.addHandler(notice)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(notice)
