"""Connections of a request on an event loop: its thread is asked to give them back only if it has opened one."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import ThreadSensitiveContext, async_to_sync, sync_to_async
from django.db.backends.signals import connection_created

from stapel_agent.database import agive_back, event_loop


@pytest.fixture
def given_back(monkeypatch):
    calls: list[str] = []
    monkeypatch.setattr(event_loop, "give_back", lambda: calls.append("given back"))
    return calls


def opens_connection() -> None:
    connection_created.send(sender=None, connection=None)


@pytest.mark.parametrize("opens", [False, True])
def test_request__with_a_connection(given_back, opens):
    """A request whose thread has opened a connection gives it back, also if a task of it did so."""

    async def request() -> None:
        async with ThreadSensitiveContext():
            if opens:
                await asyncio.create_task(sync_to_async(opens_connection)())
            await agive_back()

    asyncio.run(request())
    assert given_back == ["given back"] * opens


def test_request__of_another(given_back):
    """A connection of one request does not concern another."""

    async def request(opens: bool) -> None:
        async with ThreadSensitiveContext():
            if opens:
                await sync_to_async(opens_connection)()
            else:
                await asyncio.sleep(0.05)
                await agive_back()

    async def requests() -> None:
        await asyncio.gather(request(True), request(False))

    asyncio.run(requests())
    assert given_back == []


def test_synchronous_caller(given_back):
    """The thread of a synchronous caller may have opened its connection before: it is always asked."""
    async_to_sync(agive_back)()
    assert given_back == ["given back"]
