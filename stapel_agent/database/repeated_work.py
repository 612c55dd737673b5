"""Work that a process repeats in the background while there is any."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from django.db import connections

from stapel_agent.redaction import describe

from .worker_threads import start_thread

logger = logging.getLogger(__name__)

Job = TypeVar("Job")


class RepeatedWork(Generic[Job]):
    """Does a job every `seconds()` in a daemon thread. The thread ends when `job()` returns nothing to do.

    `job()` is called under `lock`. Hold the lock while you add work and `start()` the thread, or it may end in between.
    An exception is logged as `failure`, and the thread continues.
    """

    lock: threading.Lock
    _is_running: bool

    def __init__(
        self,
        name: str,
        failure: str,
        *,
        seconds: Callable[[], float],
        job: Callable[[], Job | None],
        do: Callable[[Job], object],
    ) -> None:
        self._name = name
        self._failure = failure
        self._seconds = seconds
        self._job = job
        self._do = do
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def start(self) -> bool:
        """Start the thread. Returns False if it runs already, or cannot be started."""
        if self._is_running:
            return False
        self._is_running = start_thread(self._run, self._name)
        return self._is_running

    def hurry(self) -> None:
        """Do the next job at once."""
        self._is_due.set()

    def _reset(self) -> None:
        """Also runs in a forked child, which inherits no thread, and perhaps a lock that nobody releases."""
        self.lock, self._is_due, self._is_running = threading.Lock(), threading.Event(), False

    def _run(self) -> None:
        while True:
            self._is_due.wait(self._seconds())
            self._is_due.clear()
            with self.lock:
                job = self._job()
                if not job:
                    self._is_running = False
                    return
            try:
                try:
                    self._do(job)
                finally:
                    connections.close_all()
            except Exception as fault:
                logger.error("%s: %s", self._failure, describe(fault))
                self._is_due.clear()
