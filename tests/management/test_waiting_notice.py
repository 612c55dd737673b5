"""A command says once that it waits for another process."""

import logging

from stapel_agent.management.waiting_notice import waits_announced
from stapel_agent.sharing import WAITING_LOGGER, single_flight


def test_long_wait__announced_once(monkeypatch):
    """The first question that waits for long writes a line. Outside the block, nothing is written."""
    lines, looks = [], []
    with waits_announced(lines.append):
        wait = single_flight.LongWait(looks.append)
        wait("default")
        assert lines == []
        monkeypatch.setattr(single_flight, "NOTICE_SECONDS", -1.0)
        for _ in range(2):
            wait = single_flight.LongWait(looks.append)
            wait("default")
            wait("default")
    single_flight.LongWait(looks.append)("default")
    assert lines == ["waiting for another process that asks the same question"]
    assert looks == ["default"] * 6
    assert (logging.getLogger(WAITING_LOGGER).level, logging.getLogger(WAITING_LOGGER).handlers) == (logging.NOTSET, [])
