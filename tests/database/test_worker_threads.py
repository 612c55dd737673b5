"""Threads for background work, also in an ending process, in which Python 3.12 starts no threads."""

import threading

import pytest

from stapel_agent.database.worker_threads import Workers


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread can be started from now on."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)


def test_submit__in_a_thread():
    """Work runs in one of the threads, and only as many threads start as are needed."""
    workers = Workers(2, "of a test")
    assert workers.submit(threading.current_thread).result(100).name == "of a test"
    assert workers.wait(100)


def test_submit__while_the_process_ends(ending):
    """If no thread can be started, the submitting thread does the work, and the future has its exception."""
    workers = Workers(2, "of a test")
    assert workers.submit(threading.current_thread).result(0) is threading.current_thread()
    assert isinstance(workers.submit(int, "none").exception(0), ValueError)
    assert workers.wait(0)


def test_prepare__before_the_process_ends(request):
    """An existing thread does the work of an ending process."""
    workers = Workers(2, "of a test")
    workers.prepare()
    request.getfixturevalue("ending")
    assert workers.submit(threading.current_thread).result(100).name == "of a test"
    assert workers.wait(100)
