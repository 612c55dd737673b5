"""For a host's own tests: models that answer from a script, and remember what they were asked.

In pytest, put `pytest_plugins = ["stapel_agent.testing"]` into conftest.py and ask for `scripted_model`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .asking import clear_api_keys, clear_cooldowns, immediate_retries
from .exceptions import ProviderUnusable
from .providers import LlmProvider, ProviderEntry, ProviderResult, provider_registry
from .types import Image

try:
    import pytest
except ImportError:  # a host that tests with unittest has the context manager
    pytest = None  # type: ignore[assignment]


@dataclass(frozen=True)
class ModelRequest:
    """What a provider was asked: the keywords of `LlmProvider.complete()`."""

    prompt: str
    model: str
    system_prompt: str | None = None
    schema: Any = None
    max_tokens: int | None = None
    timeout: float | None = None
    images: tuple[Image, ...] = ()
    effort: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


Reply = str | ProviderResult | Exception | Callable[[ModelRequest], "str | ProviderResult"]
"""A text, a whole result, a fault to raise, or a function that makes one of the first two of the request."""


@dataclass
class ScriptedModel:
    """Replies in turn, the last one again and again; `requests` is what was asked so far."""

    replies: list[Reply] = field(default_factory=lambda: ["{}"])
    requests: list[ModelRequest] = field(default_factory=list)

    def script(self, *replies: Reply) -> None:
        """Start over with these replies, at least one."""
        if not replies:
            raise ValueError("a script needs at least one reply")
        self.replies = list(replies)
        self.requests = []

    def ask(self, request: ModelRequest) -> ProviderResult:
        reply = self.replies[min(len(self.requests), len(self.replies) - 1)]
        self.requests.append(request)
        if isinstance(reply, Exception):
            raise reply
        if callable(reply):
            reply = reply(request)
        return reply if isinstance(reply, ProviderResult) else ProviderResult(reply, input_tokens=10, output_tokens=5)


def translating(translate: Callable[[str], str]) -> Callable[[ModelRequest], str]:
    """A reply to `llm.translate`: every text that was sent, put through `translate`."""

    def reply(request: ModelRequest) -> str:
        return json.dumps({key: translate(text) for key, text in json.loads(request.prompt).items()})

    return reply


@contextmanager
def scripted_provider(*replies: Reply) -> Iterator[ScriptedModel]:
    """Inside, every registered provider answers from the script, whichever a request names.

    Each keeps its names for models. Until there is a script, every answer is `{}`.
    """
    model = ScriptedModel()
    if replies:
        model.script(*replies)
    scripted = {name: _scripted(model, name, entry) for name, entry in provider_registry.entries().items()}
    with provider_registry.overridden(scripted), immediate_retries():
        try:
            yield model
        finally:
            clear_cooldowns()
            clear_api_keys()


def _scripted(model: ScriptedModel, name: str, replaced: ProviderEntry) -> type[LlmProvider]:
    class ScriptedProvider(LlmProvider):
        supports_schema = supports_images = supports_max_tokens = supports_timeout = True
        supports_effort = supports_options = True

        def complete(self, **arguments: Any) -> ProviderResult:
            return model.ask(ModelRequest(**arguments))

        def resolve_model(self, model_size: str, default: str) -> str:
            try:
                provider = provider_registry.imported(name, replaced)
            except ProviderUnusable:  # a test may do without what the provider itself needs
                return default
            # One without a map of its own is not made: making it may need what a test does without.
            own = provider.resolve_model is not LlmProvider.resolve_model
            return provider().resolve_model(model_size, default) if own else default

    return ScriptedProvider


if pytest is not None:

    @pytest.fixture
    def scripted_model() -> Iterator[ScriptedModel]:
        """A ScriptedModel behind every provider for one test; it says `{}` until `.script(...)` tells it what."""
        with scripted_provider() as model:
            yield model
