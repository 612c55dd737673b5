"""Fixtures for the tests of callers, which run in the host of `tests.fleet.settings`. See `tests/test_fleet.py`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as host
from stapel_core.comm import functions

# Other hosts do not have the callers installed.
collect_ignore_glob = [] if host.SETTINGS_MODULE == "tests.fleet.settings" else ["test_*.py"]


@pytest.fixture
def service(live_server: Any, settings: Any) -> str:
    """The base URL of a live server of this package, which stapel-translate is configured to call."""
    settings.STAPEL_TRANSLATE = {**settings.STAPEL_TRANSLATE, "AGENT_SERVICE_URL": f"{live_server.url}/agent"}
    return f"{live_server.url}/agent"


@pytest.fixture(params=["inprocess", "http"])
def transport(request: pytest.FixtureRequest, settings: Any) -> Iterator[str]:
    """Calls of comm functions stay in the process, or go to a live server over HTTP."""
    settings.STAPEL_COMM = {**settings.STAPEL_COMM, "FUNCTION_TRANSPORT": request.param}
    if request.param == "http":
        url = request.getfixturevalue("live_server").url
        routes = dict.fromkeys(("llm.", "moderation."), url)
        wait = {"FUNCTION_TIMEOUTS": dict.fromkeys(routes, 60)}
        settings.STAPEL_COMM = {**settings.STAPEL_COMM, "FUNCTION_ROUTES": routes, **wait}
    yield request.param
    # Otherwise the server's thread still holds this connection when the interpreter exits.
    functions._http_session().close()
    functions.reset_http_session()
