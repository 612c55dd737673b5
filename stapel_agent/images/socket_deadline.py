"""Enforces a deadline on a thread's socket operations, and closes the sockets."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import Any

from stapel_agent.database import threads_are_greenlets

Connects = Callable[[str], None]


def _admit(host: str) -> None:
    """Admit connections to every host."""


@contextmanager
def socket_deadline(seconds: float, connects: Connects = _admit) -> Iterator[None]:
    """Raise TimeoutError in this block after `seconds`, and close the sockets that it used.

    `connects` is called with the host of each new connection, and may raise. Greenlets do not call it.

    A socket's own timeout restarts with each byte, and the library called in the block does not expose its sockets.
    So the profiler hook watches this thread's calls for socket operations.
    """
    if threads_are_greenlets():  # greenlets share the profiler hook
        with _greenlet_deadline(seconds):
            yield
        return
    watch = _Watch(time.monotonic() + seconds, connects)
    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(before)
        watch.close()


def _greenlet_deadline(seconds: float) -> AbstractContextManager[Any]:
    """The timeout of gevent or eventlet, which they raise wherever the greenlet waits."""
    greenlets = sys.modules.get("gevent") or sys.modules["eventlet"]
    timeout: AbstractContextManager[Any] = greenlets.Timeout(seconds, TimeoutError("the deadline is over"))
    return timeout


class _Watch:
    """Limits each socket operation to the time left. Called at each call and return in its thread."""

    def __init__(self, end: float, connects: Connects) -> None:
        self._end = end
        self._connects = connects
        self._sockets: set[socket.socket] = set()

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        left = self._end - time.monotonic()
        if left <= 0:
            sys.setprofile(None)
            raise TimeoutError("the deadline is over")
        if event not in ("call", "c_call"):
            return
        if event == "call" and frame.f_code is socket.create_connection.__code__:
            self._connects(frame.f_locals["address"][0])
        # A plain socket's methods are written in C, a TLS socket's in Python.
        owner = frame.f_locals.get("self") if event == "call" else getattr(argument, "__self__", None)
        if isinstance(owner, socket.socket) and owner.fileno() >= 0:
            self._sockets.add(owner)
            own = owner.gettimeout()
            owner.settimeout(left if own is None else min(own, left))

    def close(self) -> None:
        for used in self._sockets:
            used.close()
