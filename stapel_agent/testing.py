"""For your own tests: models that answer from a script and remember what they were asked, and no others.

In pytest, put `pytest_plugins = ["stapel_agent.testing"]` into conftest.py and ask for `scripted_model`. With Django's
test runner, put `NoRealModels` before it. Both refuse every call of a built-in provider, which might cost money.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
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


Answer = str | ProviderResult | Mapping[str, Any] | list[Any]
Reply = Answer | Exception | Callable[[ModelRequest], Answer]
"""A text, a value to be written as JSON, a whole result, a fault to raise, or a function that makes one of those."""

REFUSAL = (
    "tests may not call the built-in provider {name!r}: script its answer with the fixture scripted_model or "
    "stapel_agent.testing.scripted_provider(), or allow the call with @pytest.mark.real_model or "
    "STAPEL_AGENT['REAL_MODELS_IN_TESTS'] = True"
)


@dataclass
class ScriptedModel:
    """Replies in turn, the last one again and again; `requests` is what was asked so far."""

    replies: list[Reply] = field(default_factory=lambda: ["{}"])
    requests: list[ModelRequest] = field(default_factory=list)

    def script(self, *replies: Reply) -> None:
        """Start over with these replies, at least one. TypeError for what is no reply."""
        if not replies:
            raise ValueError("a script needs at least one reply")
        self.replies = [_checked(reply) for reply in replies]
        self.requests = []

    def ask(self, request: ModelRequest) -> ProviderResult:
        reply = self.replies[min(len(self.requests), len(self.replies) - 1)]
        self.requests.append(request)
        if isinstance(reply, Exception):
            raise reply
        if callable(reply):
            reply = _result(reply(request))
        return _result(reply)


def _checked(reply: Reply) -> Reply:
    """`reply`, if it can be used. An exception's class is none: it is a function that returns no answer."""
    if isinstance(reply, Exception) or (callable(reply) and not isinstance(reply, type)):
        return reply
    return _result(reply)


def _result(answer: Any) -> ProviderResult:
    """What a provider returns for an answer. TypeError for what is none."""
    if isinstance(answer, ProviderResult):
        return answer
    if not isinstance(answer, str | Mapping | list):
        raise TypeError(
            f"a reply must be a text, a dict, a list, a ProviderResult, an exception or a function, not {answer!r}"
        )
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    return ProviderResult(text, input_tokens=10, output_tokens=5)


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


class NoRealModels:
    """Put this before Django's test runner, and tests cannot call a built-in provider.

    `class TestRunner(NoRealModels, DiscoverRunner)`, named in TEST_RUNNER. Before a TestCase it does the same for that.
    """

    _refusing: ExitStack

    def setup_test_environment(self, **options: Any) -> None:
        super().setup_test_environment(**options)  # type: ignore[misc]
        self._refusing = ExitStack()
        self._refusing.enter_context(provider_registry.refusing(REFUSAL))

    def teardown_test_environment(self, **options: Any) -> None:
        self._refusing.close()
        super().teardown_test_environment(**options)  # type: ignore[misc]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()  # type: ignore[misc]
        cls.enterClassContext(provider_registry.refusing(REFUSAL))  # type: ignore[attr-defined]


if pytest is not None:

    def pytest_configure(config: pytest.Config) -> None:
        config.addinivalue_line("markers", "real_model: may call the providers that stapel_agent has built in")

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
        """Around a test with all its fixtures, the built-in providers refuse, if it does not ask for them."""
        with provider_registry.refusing("" if item.get_closest_marker("real_model") else REFUSAL):
            yield

    @pytest.fixture
    def scripted_model() -> Iterator[ScriptedModel]:
        """A ScriptedModel behind every provider for one test; it says `{}` until `.script(...)` tells it what."""
        with scripted_provider() as model:
            yield model
