"""Detects gevent and eventlet, which run threads as greenlets of one thread."""

from __future__ import annotations

import sys


def threads_are_greenlets() -> bool:
    """Whether the standard library is patched so that a new thread is a greenlet.

    All greenlets share the state of their real thread, such as its running event loop and its profiler hook.
    """
    gevent, eventlet = (sys.modules.get(name) for name in ("gevent.monkey", "eventlet.patcher"))
    if gevent is not None and gevent.is_module_patched("threading"):
        return True
    return eventlet is not None and bool(eventlet.is_monkey_patched("thread"))
