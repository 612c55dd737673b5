"""Whether this process is one of gevent or eventlet, whose threads are greenlets of one thread."""

from __future__ import annotations

import sys


def threads_are_greenlets() -> bool:
    """Whether the standard library is patched so that a new thread is a greenlet.

    All greenlets share what belongs to a real thread: its running event loop, its hook for profilers.
    """
    gevent, eventlet = (sys.modules.get(name) for name in ("gevent.monkey", "eventlet.patcher"))
    if gevent is not None and gevent.is_module_patched("threading"):
        return True
    return eventlet is not None and bool(eventlet.is_monkey_patched("thread"))
