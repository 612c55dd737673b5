"""Interrupts of a caller that waits for its event loop, at moments that a signal cannot hit reliably."""

import asyncio
import os
import signal
import threading
from concurrent.futures import CancelledError, Executor, Future

import pytest
from asgiref.sync import sync_to_async

from stapel_agent.translation import event_loop_thread


class Forgetful(Executor):
    """Accepts work and does none of it."""

    def submit(self, function, /, *arguments, **options):
        return Future()


def test_interrupted__while_it_is_being_cancelled(monkeypatch):
    """If the thread is interrupted again before it waits for the end, it still answers every call of the loop."""
    answers, answered, interrupts = [], threading.Event(), iter([KeyboardInterrupt])

    def interrupt(number, frame):
        for once in interrupts:
            raise once

    async def work():
        try:
            while True:  # a signal that comes as a thread falls asleep does not wake it
                os.kill(os.getpid(), signal.SIGUSR1)
                await asyncio.sleep(0.05)
        finally:
            while not answers:
                answers.extend(await asyncio.gather(sync_to_async(threading.get_ident)(), return_exceptions=True))
            answered.set()

    def cancel(task):
        real(task)
        raise KeyboardInterrupt("again")

    real = event_loop_thread._SideTask._cancel
    monkeypatch.setattr(event_loop_thread._SideTask, "_cancel", cancel)
    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt, match="again"):
            event_loop_thread.on_side_loop(work)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert answered.wait(100)
    assert answers[0] == threading.get_ident() or isinstance(answers[0], RuntimeError | asyncio.CancelledError)


@pytest.mark.parametrize(("begun", "answer"), [(True, event_loop_thread.Interrupted), (False, CancelledError)])
def test_refused__what_an_interrupt_came_between(begun, answer):
    """A call that was accepted but not done is answered when the thread leaves, and no other thread starts it."""
    calls = event_loop_thread._Calls(Forgetful(), lambda interrupt: None)
    asked = calls.submit(print)
    if begun:
        asked.set_running_or_notify_cancel()
    calls.refuse()
    with pytest.raises(answer):
        asked.result(0)
    if not begun:
        assert not asked.set_running_or_notify_cancel()
