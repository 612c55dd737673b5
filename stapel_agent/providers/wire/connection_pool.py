"""Clients that are created on first use and reused."""

from __future__ import annotations

import asyncio
import atexit
import os
from collections.abc import AsyncGenerator, Callable, Hashable
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, Protocol, TypeVar


class Closable(Protocol):
    def close(self) -> None: ...


Client = TypeVar("Client", bound=Closable)
AsyncClient = TypeVar("AsyncClient", bound=AbstractAsyncContextManager[Any])


class ClientPool(Generic[Client, AsyncClient]):
    """Clients that are created on first use and kept: one per configuration and process, or per event loop if async.

    The configuration is passed to the two factories. The pool has no lock, because a forked child could inherit a lock
    that is never released. If a race creates a client twice, the second one is dropped before it connects.
    """

    def __init__(self, make: Callable[..., Client], make_async: Callable[..., AsyncClient]) -> None:
        self._make = make
        self._make_async = make_async
        self._clients: dict[tuple[Hashable, ...], Client] = {}
        self._async_clients: dict[Any, tuple[AsyncClient, AsyncGenerator[None]]] = {}
        atexit.register(self._close)

    def client(self, *configuration: Hashable) -> Client:
        # The key includes the process id: a forked child must not use its parent's connections.
        key = (os.getpid(), *configuration)
        client = self._clients.get(key)
        return client if client is not None else self._clients.setdefault(key, self._make(*configuration))

    async def async_client(self, *configuration: Hashable) -> AsyncClient:
        key = (asyncio.get_running_loop(), os.getpid(), *configuration)
        if key not in self._async_clients:
            self._forget_closed_loops()
            client = self._make_async(*configuration)
            lifetime = self._lifetime(key, client)
            self._async_clients[key] = client, lifetime
            await anext(lifetime)
        return self._async_clients[key][0]

    async def _lifetime(self, key: Hashable, client: AsyncClient) -> AsyncGenerator[None]:
        # An event loop closes its async generators while it can still close their connections.
        async with client:
            try:
                yield
            finally:
                self._async_clients.pop(key, None)

    def _close(self) -> None:
        for (process, *_), client in list(self._clients.items()):
            if process == os.getpid():
                client.close()

    def _forget_closed_loops(self) -> None:
        for key in list(self._async_clients):
            if key[0].is_closed():
                self._async_clients.pop(key, None)
