"""Work that is repeated in the background while there is any."""

import logging
import os
import threading
import time
from itertools import pairwise

import pytest

from stapel_agent.database import RepeatedWork
from tests.engine_fixtures import until

NAME = "repeated in a test"


def runs() -> bool:
    return NAME in [thread.name for thread in threading.enumerate()]


def test_repeated_work__ends_without_work(caplog: pytest.LogCaptureFixture) -> None:
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
    """Connections are closed after each job. That may fail, too, and does not end the work."""
    jobs, done = ["first", "second"], list[str]()
    faults = iter([OSError("the server is gone"), None])

    def close_all() -> None:
        if fault := next(faults):
            raise fault

    monkeypatch.setattr("stapel_agent.database.repeated_work.connections.close_all", close_all)
    work = RepeatedWork(NAME, "it failed", seconds=lambda: 0.01, job=jobs.copy, do=lambda _: done.append(jobs.pop()))
    work.start()
    until(lambda: not runs())
    assert (done, list(faults)) == (["second", "first"], [])


def test_repeated_work__in_a_hurry() -> None:
    """The next job need not wait for its turn."""
    jobs = ["only"]
    work = RepeatedWork(
        NAME, "it failed", seconds=lambda: 0.01 if not jobs else 1000, job=jobs.copy, do=lambda _: jobs.clear()
    )
    assert (work.start(), work.start()) == (True, False)
    work.hurry()
    until(lambda: not runs())
    assert jobs == []


def test_repeated_work__in_a_hurry_once() -> None:
    """Only one job is done in a hurry: the next waits, even after one that failed and is wanted at once."""
    jobs, began_at = ["first", "second"], list[float]()

    def do(_: list[str]) -> None:
        began_at.append(time.monotonic())
        if len(began_at) == 2:
            work.hurry()
            raise OSError("the disk is full")
        jobs.pop()

    work = RepeatedWork(NAME, "it failed", seconds=lambda: 0.05, job=jobs.copy, do=do)
    work.hurry()
    work.start()
    until(lambda: not runs())
    assert [later - earlier >= 0.04 for earlier, later in pairwise(began_at)] == [True, True]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_repeated_work__forked() -> None:
    """A forked child has neither its parent's thread nor the lock that the parent holds."""
    jobs = ["only"]
    work = RepeatedWork(
        NAME, "it failed", seconds=lambda: 0.01 if not jobs else 1000, job=jobs.copy, do=lambda _: jobs.clear()
    )
    work.start()
    with work.lock:
        child = os.fork()
        if not child:
            os._exit(work.lock.acquire(blocking=False) and work.start())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    work.hurry()
    until(lambda: not runs())
