"""REST framework's views on an event loop: no thread waits for the answer, and short requests need no thread at all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import update_wrapper, wraps
from typing import Any, TypeVar

from asgiref.sync import markcoroutinefunction, sync_to_async
from rest_framework.response import Response
from stapel_core.django.api.errors import StapelResponse

from stapel_agent.database import is_on_event_loop

Result = TypeVar("Result")
OURS = "stapel_agent."
LIGHT_LENGTH = 64 * 1024
"""The longest body, in bytes, that is parsed on the event loop. A longer one could hold it for milliseconds."""

_calls: set[asyncio.Task[Any]] = set()  # an event loop keeps only weak references to tasks


class LoopPostMixin:
    """Answers POST on an event loop as `post()` does elsewhere. Other methods run in a thread, as in Django.

    `question()` validates the request, `aask()` awaits the answer to it, and `respond()` makes the response.
    """

    request: Any
    question: Callable[[Any], Any]
    aask: Callable[[Any], Awaitable[Any]]
    respond: Callable[..., Response]

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """A view for WSGI and ASGI. A subclass with a `post()` or `dispatch()` of its own always runs in a thread."""
        view = super().as_view(**initkwargs)  # type: ignore[misc]

        @wraps(view)
        async def view_on_loop(request: Any, *arguments: Any, **options: Any) -> Any:
            self = cls(**initkwargs)
            self.setup(request, *arguments, **options)  # type: ignore[attr-defined]
            return await self.dispatch_on_loop(request, *arguments, **options)

        methods = [getattr(cls, name) for name in ("dispatch", "post")]
        is_ours = all(method.__module__.startswith(OURS) for method in methods)
        return LoopAwareView(view, view_on_loop) if is_ours else view

    async def dispatch_on_loop(self, request: Any, *arguments: Any, **options: Any) -> Any:
        """REST framework's `dispatch()`, with the same steps."""
        view: Any = self
        if request.method != "POST":
            return await sync_to_async(view.dispatch)(request, *arguments, **options)
        is_light = self._is_light(request)
        view.args, view.kwargs, view.headers = arguments, options, view.default_response_headers
        view.request = request = view.initialize_request(request, *arguments, **options)
        try:
            question = self._admit() if is_light else await sync_to_async(self._admit)()
            answer = await _to_its_end(self.aask(question))
            response = self.respond(answer, LightResponse) if is_light else await sync_to_async(self.respond)(answer)
        except Exception as fault:
            response = view.handle_exception(fault)
        view.response = view.finalize_response(request, response, *arguments, **options)
        return view.response

    def _is_light(self, request: Any) -> bool:
        """Whether no step of this request can block: it is short, comes from a service, and no host's code reads it."""
        length = request.META.get("CONTENT_LENGTH") or ""
        is_short = length.isdecimal() and len(length) < 10 and int(length) <= LIGHT_LENGTH
        is_extended = not type(self).__module__.startswith(OURS) or self.throttle_classes  # type: ignore[attr-defined]
        return is_short and not is_extended and getattr(request, "is_service_request", False)

    def _admit(self) -> Any:
        """Authenticate and validate the request, and return its question."""
        self.initial(self.request, *self.args, **self.kwargs)  # type: ignore[attr-defined]
        return self.question(self.request)


class LightResponse(StapelResponse):
    """A short response, which Django renders without a thread."""

    async def render(self) -> Any:
        return super().render()


class LoopAwareView:
    """A view that is a coroutine function on an event loop, and a plain one elsewhere."""

    def __init__(self, view: Callable[..., Any], view_on_loop: Callable[..., Any]) -> None:
        update_wrapper(self, view)
        self._view, self._view_on_loop = view, markcoroutinefunction(view_on_loop)

    @property
    def _is_coroutine(self) -> Any:
        """The mark of a coroutine function on Python 3.11. Django looks for it."""
        return getattr(self._here(), "_is_coroutine", None)

    @property
    def _is_coroutine_marker(self) -> Any:
        """The same mark on later versions of Python."""
        return getattr(self._here(), "_is_coroutine_marker", None)

    def __call__(self, request: Any, *arguments: Any, **options: Any) -> Any:
        return self._here()(request, *arguments, **options)

    def _here(self) -> Callable[..., Any]:
        return self._view_on_loop if is_on_event_loop() else self._view


async def _to_its_end(call: Awaitable[Result]) -> Result:
    """Await a call. If the client hangs up, the call continues: it may be paid for, and the client may ask again."""
    task = asyncio.ensure_future(call)
    _calls.add(task)
    task.add_done_callback(_calls.discard)
    return await asyncio.shield(task)
