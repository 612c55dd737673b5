"""For your own tests: scripted models that record their requests, and a guard against calls of real models.

In pytest, put `pytest_plugins = ["stapel_agent.testing"]` into conftest.py and request `scripted_model`. With Django's
test runner, put `NoRealModels` before it. Both make every call to a built-in provider or an endpoint fail.
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
except ImportError:  # hosts that use unittest have the context manager
    pytest = None  # type: ignore[assignment]


@dataclass(frozen=True)
class ModelRequest:
    """A request to a provider: the keywords of `LlmProvider.complete()`."""

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
"""A string, a value to send as JSON, a ProviderResult, an exception to raise, or a function that returns an answer."""

REFUSAL = (
    "tests may not call the provider {name!r}, because it may cost money: script its answer with the fixture "
    "scripted_model or stapel_agent.testing.scripted_provider(), or allow the call with @pytest.mark.real_model or "
    "STAPEL_AGENT['REAL_MODELS_IN_TESTS'] = True"
)


@dataclass
class ScriptedModel:
    """Gives the replies in turn and repeats the last one. `requests` holds the requests so far."""

    replies: list[Reply] = field(default_factory=lambda: ["{}"])
    requests: list[ModelRequest] = field(default_factory=list)

    def script(self, *replies: Reply) -> None:
        """Start over with these replies, at least one. Raises TypeError for an invalid reply."""
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
    """Return a valid reply. An exception class is invalid: calling it would return an exception, not an answer."""
    if isinstance(reply, Exception) or (callable(reply) and not isinstance(reply, type)):
        return reply
    return _result(reply)


def _result(answer: Any) -> ProviderResult:
    """Convert an answer to the result of a provider. Raises TypeError for an invalid answer."""
    if isinstance(answer, ProviderResult):
        return answer
    if not isinstance(answer, str | Mapping | list):
        raise TypeError(
            f"a reply must be a string, a dict, a list, a ProviderResult, an exception or a function, not {answer!r}"
        )
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    return ProviderResult(text, input_tokens=10, output_tokens=5)


def translating(translate: Callable[[str], str]) -> Callable[[ModelRequest], str]:
    """A reply to `llm.translate` that applies `translate` to every text of the request."""

    def reply(request: ModelRequest) -> str:
        return json.dumps({key: translate(text) for key, text in json.loads(request.prompt).items()})

    return reply


@contextmanager
def scripted_provider(*replies: Reply) -> Iterator[ScriptedModel]:
    """Make every registered provider answer from the script inside the block.

    Providers keep their model names. Without a script, every answer is `{}`.
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
            except ProviderUnusable:  # a test need not have what the provider requires
                return default
            # Do not create a provider without its own map: creating it may require what a test does not have.
            own = provider.resolve_model is not LlmProvider.resolve_model
            return provider().resolve_model(model_size, default) if own else default

    return ScriptedProvider


class NoRealModels:
    """A mixin for Django's test runner that stops tests from calling a built-in provider or an endpoint.

    Define `class TestRunner(NoRealModels, DiscoverRunner)` and name it in TEST_RUNNER. It also works for a TestCase.
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
        config.addinivalue_line("markers", "real_model: allow this test to call the models of stapel_agent")

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
        """Refuse calls to real models during a test and its fixtures, unless the test is marked `real_model`."""
        with provider_registry.refusing("" if item.get_closest_marker("real_model") else REFUSAL):
            yield

    @pytest.fixture
    def scripted_model() -> Iterator[ScriptedModel]:
        """A ScriptedModel behind every provider for one test. It answers `{}` until you call `.script(...)`."""
        with scripted_provider() as model:
            yield model
