"""Hosts whose tenants have their own schemas."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.db import connections

from stapel_agent.checks import check_settings
from tests.hosts import Server, own_database
from tests.scripted_server import Reply, ScriptedServer

ANSWER = {
    "choices": [{"message": {"content": '{"1": "Ein Text"}'}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 3},
}


def told(place: str, server: Server, **environment: str) -> Any:
    """The output of the host, with this app at that place in its settings."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.tenant_host", place]
    variables = {**os.environ, "HOST_DATABASE": server.database, **environment}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.postgresql
def test_tenants__shared_app():
    """In SHARED_APPS, calls in a transaction and translations of several questions are recorded in one ledger."""
    with own_database("postgresql", migrated=False) as server, ScriptedServer(Reply.of(ANSWER)) as model:
        assert told("shared", server, HOST_MODEL_URL=model.url) == {"answers": ["ok"] * 8, "rows": [8, 8]}


@pytest.mark.postgresql
def test_tenants__tenant_app():
    """In TENANT_APPS, the check reports an error with the fix."""
    with own_database("postgresql", migrated=False) as server:
        (message,) = told("tenant", server)
    assert "add 'stapel_agent' only to SHARED_APPS" in message


@pytest.mark.parametrize(
    "host",
    [
        {"TENANT_APPS": ["stapel_agent"]},
        {"TENANT_APPS": ["host.app", "stapel_agent.apps.AgentConfig"], "SHARED_APPS": ["stapel_agent"]},
        {"TENANT_TYPES": {"public": {"APPS": []}, "shop": {"APPS": ["stapel_agent"]}}},
        {"TENANTS": {"public": {"APPS": []}, "default": {"APPS": ["stapel_agent"]}}},
    ],
)
def test_check__app_of_tenants(settings, monkeypatch, host):
    """The check knows every setting for tenants' apps, and only reports hosts with a database engine for schemas."""
    for name, value in host.items():
        setattr(settings, name, value)
    assert found() == []
    monkeypatch.setitem(connections.settings["default"], "ENGINE", "django_tenants.postgresql_backend")
    (message,) = found()
    assert message.startswith("'stapel_agent' is a tenant app, ")


def test_check__shared_app(settings, monkeypatch):
    """An app that all tenants share is not reported."""
    settings.TENANT_APPS, settings.SHARED_APPS = ["stapel_agents"], ["stapel_agent"]
    monkeypatch.setitem(connections.settings["default"], "ENGINE", "django_tenants.postgresql_backend")
    assert found() == []


def found() -> list[str]:
    return [check.msg for check in check_settings() if check.id == "stapel_agent.E011"]
