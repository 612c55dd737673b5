"""A few threads for work that is done to its end, though nobody may wait for it any more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")


class Workers:
    """At most `size` threads, started when first needed. The interpreter does not wait for them; see `wait()`.

    concurrent.futures has such a pool, whose threads keep a process alive for as long as one of them hangs, which take
    no work once the main thread has ended, and whose queued work is dropped with the task that waits for it.
    """

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._queue: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._state = threading.Condition()
        self._threads = 0
        self._unfinished = 0

    def submit(self, function: Callable[..., Result], *arguments: Any) -> Future[Result]:
        """What `function` will return or raise, in the caller's context. It cannot be cancelled."""
        future: Future[Result] = Future()
        future.set_running_or_notify_cancel()
        context = copy_context()

        def work() -> None:
            try:
                future.set_result(context.run(function, *arguments))
            except BaseException as fault:
                future.set_exception(fault)

        with self._state:
            self._unfinished += 1
            if self._threads < min(self._size, self._unfinished):
                self._start()
            is_served = self._threads > 0
        if is_served:
            self._queue.put(work)
        else:
            self._do(work)
        return future

    def prepare(self) -> None:
        """Have a thread from now on; without one, work is done by who submits it to a process that is ending."""
        with self._state:
            if not self._threads:
                self._start()

    def wait(self, seconds: float) -> bool:
        """Wait until nothing is left to do, for `seconds` at most; whether that is so."""
        with self._state:
            return self._state.wait_for(lambda: not self._unfinished, seconds)

    def _start(self) -> None:
        with suppress(RuntimeError):  # Python 3.12 starts none where the process is ending
            threading.Thread(target=self._run, daemon=True, name=self._name).start()
            self._threads += 1

    def _run(self) -> None:
        while True:
            self._do(self._queue.get())

    def _do(self, work: Callable[[], None]) -> None:
        work()
        with self._state:
            self._unfinished -= 1
            self._state.notify_all()
