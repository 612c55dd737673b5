"""An event loop in a second thread. The calling thread waits for it and may be interrupted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor, Future, InvalidStateError
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from asgiref.sync import AsyncToSync, SyncToAsync, async_to_sync

WAKE_SECONDS = 0.5
"""How often the waiting thread is woken: a signal that comes as a thread falls asleep does not wake it."""


class Interrupted(Exception):
    """Raised in the loop in place of an interrupt in the caller's thread, which would end the loop."""


class _Left(BaseException):
    """Ends asgiref's wait. Not an Exception, which a future only logs if one of its callbacks raises it."""


@contextmanager
def _interrupts_unhidden() -> Iterator[None]:
    """Raises an interrupt that hit `Condition.wait()`, which without its lock raises a RuntimeError in its place."""
    try:
        yield
    except RuntimeError as fault:
        if str(fault) == "release unlocked lock" and fault.__context__ is not None:
            raise fault.__context__ from None
        raise


@_interrupts_unhidden()
def on_side_loop(work: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> None:
    """Run `work` on an event loop. This thread runs the loop's thread-sensitive calls.

    If this thread is interrupted (Ctrl-C, an exception in a signal handler), `work` is cancelled, and the interrupt is
    raised once `work` has ended. After a second interrupt, the thread stops serving the loop.
    """
    task = _SideTask(work, arguments)
    outer_loop = getattr(SyncToAsync.threadlocal, "main_event_loop", None)
    try:
        async_to_sync(task.run)()
    except BaseException as fault:
        try:
            task.wind_up(fault)
        finally:  # even if another interrupt arrives in there
            task.let_go()
        if task.interrupt is None:
            raise
    finally:
        task.is_left = True
        # asgiref would give the next work of this thread to the loop that is ending, which never begins it
        SyncToAsync.threadlocal.main_event_loop = outer_loop
    if task.interrupt is not None:
        raise task.interrupt


class _SideTask:
    def __init__(self, work: Callable[..., Coroutine[Any, Any, None]], arguments: tuple[Any, ...]) -> None:
        self.interrupt: BaseException | None = None
        self._work = work
        self._arguments = arguments
        self._end: Future[None] = Future()
        self._calls: _Calls | None = None
        self._caller = threading.get_ident()
        self.is_left = False

    async def run(self) -> None:
        # Calls in the tasks below find the caller's thread through this.
        loop = asyncio.get_running_loop()
        calls = AsyncToSync.executors.current = _Calls(AsyncToSync.executors.current, self, loop)
        try:
            self._task = asyncio.ensure_future(self._work(*self._arguments))
            self._calls = calls
            if self.is_left:
                self._task.cancel()
            self._wake(calls)
            await self._task
        finally:
            self._finish()

    def _wake(self, calls: _Calls) -> None:
        """Wake the caller's thread, for its signals and for any call that a signal made it miss."""
        if not (self.is_left and self._end.done()):
            with suppress(RuntimeError):  # the thread serves the loop no longer
                calls.wake()
            asyncio.get_running_loop().call_later(WAKE_SECONDS, self._wake, calls)

    def note(self, interrupt: BaseException) -> None:
        """Keep an interrupt of the loop's calls. A second one ends the wait for the work."""
        if self.is_left or self.interrupt is not None:
            self._finish()
        self.interrupt = interrupt

    def leave(self) -> None:
        """Raise an interrupt of the loop's calls out of asgiref's wait, if this is the thread that waits there."""
        if self.interrupt is not None and not self.is_left and threading.get_ident() == self._caller:
            raise _Left

    def wind_up(self, fault: BaseException) -> None:
        """Cancel the work, and serve it until it ends, unless this is the second interrupt."""
        self.is_left = True
        if self._calls is None:  # it has not begun, and checks this when it does
            return
        if self.interrupt is not None and not isinstance(fault, _Left):
            self._finish()
        self._cancel()
        self._calls.recover()
        self._calls.run_until_future(self._end)

    def let_go(self) -> None:
        """Stop serving the work. Every pending call gets an answer."""
        self._finish()
        if self._calls is not None:
            self._calls.run_until_future(self._end)
            self._calls.refuse()

    def _cancel(self) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self._task.get_loop().call_soon_threadsafe(self._task.cancel)

    def _finish(self) -> None:
        if not self._end.done():
            self._end.set_result(None)


class _Calls(Executor):
    """The loop's calls in the caller's thread. Interrupts do not leave it, and a call that they prevented still runs.

    asgiref's executor only wakes the thread: it would forget a call if an interrupt came as it takes it.
    """

    def __init__(self, executor: Any, task: _SideTask, loop: asyncio.AbstractEventLoop) -> None:
        self._executor = executor
        self._task = task
        self._loop = loop
        self._asked: dict[Future[Any], Callable[[], Any]] = {}

    def __getattr__(self, name: str) -> Any:  # nested executors read attributes of the outer ones
        return getattr(self._executor, name)

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._asked[future] = partial(function, *arguments, **options)
        future.add_done_callback(self._asked.pop)
        try:
            self.wake()
        except BaseException:
            future.cancel()
            raise
        return future

    def wake(self) -> None:
        """Have the caller's thread run the calls that have not begun."""
        self._executor.submit(self.serve).add_done_callback(self._served)

    def serve(self) -> None:
        """Run the calls that have not begun."""
        for future, call in tuple(self._asked.items()):
            if not future.running():
                self._answer(future, call)

    def recover(self) -> None:
        """After an interrupt: answer the calls that it stopped, and run the others."""
        for future in tuple(self._asked):
            if future.running():
                self._tell(future.set_exception, Interrupted())
        self.serve()

    def refuse(self) -> None:
        """Answer each call without running it. One that has run keeps its answer, which the loop is told first."""
        for future in tuple(self._asked):
            if not future.cancel():
                self._tell(future.set_exception, Interrupted())

    def _answer(self, future: Future[Any], call: Callable[[], Any]) -> None:
        if future.done() or not future.set_running_or_notify_cancel():
            return
        tell: Callable[[Any], None] = future.set_result
        try:
            answer = call()
        except (Exception, asyncio.CancelledError) as fault:
            tell, answer = future.set_exception, fault
        self._tell(tell, answer)

    def _tell(self, tell: Callable[[Any], None], answer: Any) -> None:
        """Tell the loop a call's answer, in the loop's thread, where no interrupt can prevent it."""

        def tell_once() -> None:
            with suppress(InvalidStateError):
                tell(answer)

        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(tell_once)

    def _served(self, service: Future[None]) -> None:
        """Called in the caller's thread, or in the loop's if the service has already ended."""
        try:
            if interrupt := service.exception():
                self._task.note(interrupt)
            self._task.leave()
        except Exception as interrupt:
            self._task.note(interrupt)
            raise _Left from None
