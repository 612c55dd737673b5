"""Providers that answer from their own scripts, and the waits between attempts."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import ANY

import pytest

from stapel_agent.asking.concurrency_limit import Place
from stapel_agent.models import PromptLog
from stapel_agent.providers.base import LlmProvider, ProviderResult
from stapel_agent.testing import ModelRequest, Reply, ScriptedModel
from tests.answers import by

ANSWERED = {"status": "ok", "usage": {"input_tokens": 10, "output_tokens": 5}, **by(ANY)}


def provider_of(model: ScriptedModel) -> type[LlmProvider]:
    """A provider that answers like `model`."""

    class Scripted(LlmProvider):
        supports_schema = supports_images = supports_max_tokens = supports_timeout = True

        def complete(self, **arguments: Any) -> ProviderResult:
            return model.ask(ModelRequest(**arguments))

    return Scripted


def scripted_chain(agent: Callable[..., None], **replies: Reply | Sequence[Reply]) -> dict[str, ScriptedModel]:
    """Register a provider for each name. The first is the default one, the others are its fallbacks."""
    models = {
        name: ScriptedModel(list(given) if isinstance(given, list | tuple) else [given])
        for name, given in replies.items()
    }
    first, *others = models
    providers = {name: provider_of(model) for name, model in models.items()}
    agent(PROVIDERS=providers, DEFAULT_PROVIDER=first, FALLBACKS={first: others})
    return models


def is_free(name: str = "first") -> bool:
    """Whether a call of this provider could start at once."""
    place = Place(name)
    try:
        return place.take(0)
    finally:
        place.leave()


class CountingProvider(LlmProvider):
    """Counts its running calls, and keeps the prompts in order."""

    lock: threading.Lock
    prompts: list[str]
    now: int
    most: int

    def complete(self, **arguments: Any) -> ProviderResult:
        with self._counted(arguments["prompt"]):
            time.sleep(0.01)
        return ProviderResult("answer")

    async def acomplete(self, **arguments: Any) -> ProviderResult:
        with self._counted(arguments["prompt"]):
            await asyncio.sleep(0.01)
        return ProviderResult("answer")

    @classmethod
    @contextmanager
    def _counted(cls, prompt: str) -> Iterator[None]:
        with cls.lock:
            cls.prompts.append(prompt)
            cls.now += 1
            cls.most = max(cls.most, cls.now)
        yield
        with cls.lock:
            cls.now -= 1


def counting_provider() -> type[CountingProvider]:
    """A new CountingProvider."""
    return type("Counting", (CountingProvider,), {"lock": threading.Lock(), "prompts": [], "now": 0, "most": 0})


def asked(models: dict[str, ScriptedModel]) -> dict[str, int]:
    """How often each provider was asked."""
    return {name: len(model.requests) for name, model in models.items()}


def rows() -> list[tuple[str, str, str | None]]:
    """The ledger, oldest first: the provider, the status, and the failure."""
    return [
        (row.metadata["provider"], row.status, row.metadata.get("failure"))
        for row in PromptLog.objects.order_by("created_at")
    ]


def instead_of_sleep(monkeypatch: pytest.MonkeyPatch, note: Callable[[float], None]) -> None:
    """Let this thread call `note` instead of `time.sleep`. Background threads sleep as usual."""
    own, sleep = threading.current_thread(), time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: (note if threading.current_thread() is own else sleep)(seconds))


def recorded_waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that callers should wait from now on. None of them does."""
    waits: list[float] = []
    asleep = asyncio.sleep

    async def pass_over(seconds: float) -> None:
        if seconds:
            waits.append(seconds)
        await asleep(0)

    instead_of_sleep(monkeypatch, waits.append)
    monkeypatch.setattr(asyncio, "sleep", pass_over)
    return waits
