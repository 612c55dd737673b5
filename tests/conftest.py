"""Fixtures for all tests."""

import gc
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from stapel_agent import services
from stapel_agent.asking import clear_api_keys, clear_cooldowns, immediate_retries
from stapel_agent.cache import hit_counts
from stapel_agent.providers import forget_refusals

# Modules that cannot be imported without an optional package. `tests.__main__` reports its absence.
collect_ignore = [] if find_spec("opentelemetry") and find_spec("opentelemetry.sdk") else ["telemetry/test_tracing.py"]
collect_ignore += [] if find_spec("fluent") else ["translation/messages/test_fluent_syntax.py"]
pytest_plugins = ["stapel_agent.testing", "tests.engine_fixtures", "tests.browser", "tests.local_model"]


ANY_DATABASE = re.compile(r"^pytestmark = .*any_database", re.MULTILINE)
STAND_INS = re.compile(r"scripted_server|local_model|fake_claude|message_stream|BASE_URL|CLI_BINARY|LIVE_SERVER")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where only tests with a database are selected, modules that cannot have any are not imported."""
    if not (collection_path.match("test_*.py") and config.option.markexpr.startswith("django_db and ")):
        return None
    text = collection_path.read_text("utf-8")
    is_left_out = "any_database" in config.option.markexpr and ANY_DATABASE.search(text)
    return True if is_left_out or "django_db" not in text else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules with their own server or program may call the built-in providers: nothing else can answer there.

    Tests with a file of Fluent as parameter need its library.
    """
    for item in items:
        if has_stand_in(item.path):
            item.add_marker("real_model")
        if ".ftl" in item.name:
            item.add_marker("fluent")


@cache
def has_stand_in(path: Path) -> bool:
    return STAND_INS.search(path.read_text("utf-8")) is not None


def pytest_collection_finish() -> None:
    """Permanent objects, such as thousands of tests, are excluded from garbage collection."""
    gc.freeze()


@dataclass(frozen=True)
class Facade:
    """The services, called synchronously or on an event loop."""

    complete: Callable[..., dict[str, Any]]
    complete_json: Callable[..., dict[str, Any]]
    translate: Callable[..., dict[str, Any]]


FACADES = {
    "sync": Facade(services.complete, services.complete_json, services.translate),
    "async": Facade(
        async_to_sync(services.acomplete), async_to_sync(services.acomplete_json), async_to_sync(services.atranslate)
    ),
}


@pytest.fixture(params=sorted(FACADES))
def facade(request: pytest.FixtureRequest) -> Facade:
    """The services, once synchronously and once on an event loop."""
    return FACADES[request.param]


@pytest.fixture
def agent(settings: Any) -> Callable[..., None]:
    """Set keys of STAPEL_AGENT for one test: `agent(MAX_TOKENS=5)`."""

    def override(**keys: Any) -> None:
        settings.STAPEL_AGENT = {**getattr(settings, "STAPEL_AGENT", {}), **keys}

    return override


@pytest.fixture(autouse=True)
def forgetful() -> None:
    """Forget what earlier tests have left in memory: cache hits, failures of providers, keys, and refused fields."""
    hit_counts.start_anew()
    clear_cooldowns()
    clear_api_keys()
    forget_refusals()


@pytest.fixture
def immediately() -> Iterator[None]:
    """Retry without waiting."""
    with immediate_retries():
        yield
