"""Interrupts of a caller that waits for its event loop, at moments that a signal cannot hit reliably."""

import asyncio
import os
import signal
import threading
from concurrent.futures import CancelledError, Executor, Future, wait
from contextlib import suppress

import pytest
from asgiref import current_thread_executor
from asgiref.sync import AsyncToSync, SyncToAsync, sync_to_async

from stapel_agent.database import uncancelled
from stapel_agent.translation import event_loop_thread


class Forgetful(Executor):
    """Accepts work and does none of it."""

    def submit(self, function, /, *arguments, **options):
        return Future()


class TimeLimit(Exception):
    """As task queues raise it in a signal handler."""


class Once:
    """An interrupt that comes the first time its place is reached."""

    def __init__(self, place, kind=KeyboardInterrupt):
        self.places, self.kind = [place], kind

    def at(self, place):
        if place in self.places:
            self.places.remove(place)
            raise self.kind

    def before(self, method, place):
        def then(*arguments):
            self.at(place)
            return method(*arguments)

        return then


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, TimeLimit])
@pytest.mark.parametrize(
    "when", ["as it takes the call", "before the call", "in the call", "after the call", "behind the call"]
)
def test_interrupted__around_a_call(monkeypatch, when, kind):
    """The interrupt is raised, and the call is answered: the loop waits for it, as it does for a row of the ledger.

    In the call itself, an Exception is the call's error.
    """
    interrupt, done = Once(when, kind), []
    item, calls = current_thread_executor._WorkItem, event_loop_thread._Calls
    monkeypatch.setattr(item, "run", interrupt.before(item.run, "as it takes the call"))
    for name, place in {"_answer": "before the call", "_tell": "after the call"}.items():
        monkeypatch.setattr(calls, name, interrupt.before(getattr(calls, name), place))
    side_task = event_loop_thread._SideTask
    monkeypatch.setattr(side_task, "leave", interrupt.before(side_task.leave, "behind the call"))

    def call():
        done.append(True)
        interrupt.at("in the call")

    async def work():
        asked = asyncio.ensure_future(sync_to_async(call)())
        while not asked.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([asked])
        error = asked.exception()
        if (when, kind) == ("in the call", TimeLimit):
            raise error

    with pytest.raises(kind):
        event_loop_thread.on_side_loop(work)
    assert done == [True]


@pytest.mark.django_db
@pytest.mark.parametrize("when", ["in the work", "before telling the loop", "after telling the loop"])
def test_interrupted__around_work_on_the_ledger(monkeypatch, when):
    """The interrupt is raised, and the loop learns that the work has ended."""
    interrupt, caller, begun, ended = Once(when), threading.get_ident(), [], []
    tell = asyncio.BaseEventLoop.call_soon_threadsafe

    def told(loop, *arguments, **context):
        is_ours = begun == [loop] and threading.get_ident() == caller
        if is_ours:
            interrupt.at("before telling the loop")
        handle = tell(loop, *arguments, **context)
        if is_ours:
            interrupt.at("after telling the loop")
        return handle

    async def work():
        begun.append(asyncio.get_running_loop())
        try:
            await uncancelled(lambda alias: interrupt.at("in the work"))
        finally:
            ended.append(True)

    monkeypatch.setattr(asyncio.BaseEventLoop, "call_soon_threadsafe", told)
    with pytest.raises(KeyboardInterrupt):
        event_loop_thread.on_side_loop(work)
    assert ended == [True]


@pytest.mark.parametrize("when", ["_release_save", "_acquire_restore"])
def test_interrupted__in_a_wait_without_its_lock(monkeypatch, when):
    """The interrupt is raised, not the RuntimeError that hides it, and the condition's next call is not forgotten."""
    interrupt, called = Once("in the wait"), []
    real = getattr(threading.Condition, when)

    def interrupted(condition, *state):
        if condition in conditions and interrupt.places:
            if when == "_release_save":
                real(condition)
            interrupt.at("in the wait")
        return real(condition, *state)

    async def work():
        conditions.append(AsyncToSync.executors.current._executor._work_ready)
        try:
            await asyncio.sleep(60)
        finally:
            called.append(await sync_to_async(threading.get_ident)())

    conditions = []
    monkeypatch.setattr(threading.Condition, when, interrupted)
    with pytest.raises(KeyboardInterrupt):
        event_loop_thread.on_side_loop(work)
    assert called == [threading.get_ident()]


def test_loop__is_forgotten():
    """asgiref does not give the thread's next work to this loop: one that is still ending would never begin it."""

    def loop_of_the_thread():
        return getattr(SyncToAsync.threadlocal, "main_event_loop", None)

    async def work():
        inside.append(await sync_to_async(loop_of_the_thread)())

    before, inside = loop_of_the_thread(), []
    event_loop_thread.on_side_loop(work)
    assert inside[0] is not before
    assert loop_of_the_thread() is before


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


@pytest.mark.parametrize("second", ["in a call", "in the wait"])
@pytest.mark.parametrize("first", ["in a call", "in a call, which the loop notices first", "in the wait"])
def test_interrupted__twice(monkeypatch, first, second):
    """The second interrupt ends the wait for a work that ignores its cancellation, wherever the two come."""

    def interrupt(*arguments):
        raise KeyboardInterrupt

    async def interrupt_caller(place):
        if place == "in the wait":
            os.kill(os.getpid(), signal.SIGUSR1)
        else:
            await asyncio.gather(sync_to_async(interrupt)(), return_exceptions=True)

    async def work():
        loops.append((asyncio.get_running_loop(), may_end := asyncio.Event()))
        with suppress(asyncio.CancelledError):
            await interrupt_caller(first)
            await asyncio.sleep(60)
        await interrupt_caller(second)
        loops.append(await may_end.wait())

    def submit(executor, *arguments):
        future = real(executor, *arguments)
        if next(awaited, False):
            wait([future])
        return future

    awaited = iter([first == "in a call, which the loop notices first"] * 2)  # for the wake, and for the call
    loops, real = [], current_thread_executor.CurrentThreadExecutor.submit
    monkeypatch.setattr(current_thread_executor.CurrentThreadExecutor, "submit", submit)
    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            event_loop_thread.on_side_loop(work)
    finally:
        signal.signal(signal.SIGUSR1, before)
    loop, may_end = loops.pop()
    assert not loops
    loop.call_soon_threadsafe(may_end.set)


@pytest.mark.parametrize("begun", [True, False])
async def test_refused__what_an_interrupt_came_between(begun):
    """A call that was accepted but not done is answered when the thread leaves, and no other thread starts it."""
    calls = event_loop_thread._Calls(Forgetful(), None, asyncio.get_running_loop())
    asked = calls.submit(print)
    if begun:
        asked.set_running_or_notify_cancel()
    calls.refuse()
    await asyncio.sleep(0)
    with pytest.raises(event_loop_thread.Interrupted if begun else CancelledError):
        asked.result(0)
    if not begun:
        assert not asked.set_running_or_notify_cancel()


async def test_refused__after_it_has_run():
    """A call that has run keeps its answer, although the thread leaves before the loop has taken it."""
    calls = event_loop_thread._Calls(Forgetful(), None, asyncio.get_running_loop())
    asked = calls.submit(lambda: 7)
    calls.serve()
    calls.refuse()
    await asyncio.sleep(0)
    assert asked.result(0) == 7
