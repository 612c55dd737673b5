"""Work that is repeated in the background while there is any."""

import logging
import threading

import pytest

from stapel_agent.database import RepeatedWork
from tests.engine_fixtures import until

NAME = "repeated in a test"


def runs() -> bool:
    return NAME in [thread.name for thread in threading.enumerate()]


def test_repeated_work__until_there_is_none(caplog: pytest.LogCaptureFixture) -> None:
    """A job that fails is logged and done again. The thread ends when there is none, and starts again for the next."""
    jobs = ["first"]
    done: list[str] = []

    def do(job: str) -> None:
        done.append(job)
        if len(done) == 1:
            raise OSError("the disk is full")
        jobs.remove(job)

    work = RepeatedWork(NAME, "it failed", seconds=lambda: 0.01, job=lambda: jobs and jobs[0], do=do)
    with caplog.at_level(logging.ERROR):
        work.start()
        until(lambda: not runs())
    assert (done, caplog.messages) == (["first", "first"], ["it failed: OSError: the disk is full"])
    with work.lock:
        jobs.append("second")
        work.start()
    until(lambda: not runs())
    assert done == ["first", "first", "second"]


def test_repeated_work__connection_that_cannot_be_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing a connection may fail, too, and does not end the work."""
    jobs, done = ["first", "second"], list[str]()
    faults = iter([OSError("the server is gone"), None])

    def close_all() -> None:
        if fault := next(faults):
            raise fault

    monkeypatch.setattr("stapel_agent.database.repeated_work.connections.close_all", close_all)
    work = RepeatedWork(NAME, "it failed", seconds=lambda: 0.01, job=jobs.copy, do=lambda _: done.append(jobs.pop()))
    work.start()
    until(lambda: not runs())
    assert done == ["second", "first"]


def test_repeated_work__in_a_hurry() -> None:
    """The next job need not wait for its turn."""
    jobs = ["only"]
    work = RepeatedWork(
        NAME, "it failed", seconds=lambda: 0.01 if not jobs else 1000, job=jobs.copy, do=lambda _: jobs.clear()
    )
    work.start()
    work.hurry()
    until(lambda: not runs())
    assert jobs == []
