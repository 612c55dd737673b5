"""A few threads for work that must finish even if no caller waits for it any more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")


def start_thread(target: Callable[[], None], name: str) -> bool:
    """Start a daemon thread. Returns False if there can be none, as in Python 3.12 while the process is ending."""
    try:
        threading.Thread(target=target, daemon=True, name=name).start()
    except RuntimeError:
        return False
    return True


class Work(Future[Result]):
    """A future that cannot be cancelled: its work is done in any case."""

    def cancel(self) -> bool:
        return False


class Workers:
    """At most `size` threads, started when first needed. The interpreter does not wait for them; see `wait()`.

    ThreadPoolExecutor does not fit: a hanging thread keeps the process alive, the pool rejects work after the main
    thread has ended, and cancelling a waiting task drops its queued work.
    """

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._queue: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._state = threading.Lock()
        self._is_idle = threading.Condition(self._state)
        self._threads = 0
        self._unfinished = 0

    def submit(self, function: Callable[..., Result], *arguments: Any) -> Future[Result]:
        """Run `function` in the caller's context and return its future, which cannot be cancelled."""
        future: Future[Result] = Work()
        context = copy_context()

        def work() -> None:
            try:
                result = context.run(function, *arguments)
            except BaseException as fault:
                future.set_exception(fault)
            else:
                future.set_result(result)

        with self._state:
            self._unfinished += 1
            if self._threads < self._size and self._threads < self._unfinished:
                self._start()
            is_served = self._threads > 0
        if is_served:
            self._queue.put(work)
        else:
            self._do(work)
        return future

    def prepare(self) -> None:
        """Start a thread now. Without one, an ending process runs submitted work in the submitting thread."""
        with self._state:
            if not self._threads:
                self._start()

    def wait(self, seconds: float) -> bool:
        """Wait at most `seconds` for all work to finish. Returns whether it did."""
        with self._is_idle:
            return self._is_idle.wait_for(lambda: not self._unfinished, seconds)

    def _start(self) -> None:
        if start_thread(self._run, self._name):
            self._threads += 1

    def _run(self) -> None:
        while True:
            self._do(self._queue.get())

    def _do(self, work: Callable[[], None]) -> None:
        work()
        with self._state:
            self._unfinished -= 1
            if not self._unfinished:
                self._is_idle.notify_all()
