"""If the database is unreachable or not migrated, every view of the ledger's figures shows one clear sentence."""

import subprocess
import sys

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.urls import URLPattern, URLResolver, get_resolver

from stapel_agent import usage
from stapel_agent.accounting import top_spenders, usage_report
from stapel_agent.exceptions import LedgerUnavailable
from stapel_agent.models import PromptLog

SENTENCE = "the ledger cannot be read ("
URL = "/agent/api/v1/llm/usage"


@pytest.fixture
def not_migrated(monkeypatch):
    """The ledger's table does not exist."""
    with monkeypatch.context() as context:
        context.setattr(PromptLog._meta, "db_table", "agent_no_such_table")
        for table in (usage_report, top_spenders):
            context.setattr(table, "on_ledger", away)
        yield


def away(operation, **options):
    """Raise what a server raises that refuses connections."""
    raise OperationalError("connection refused")


@pytest.mark.django_db
def test_usage__raises_one_sentence(not_migrated):
    """Python gets this package's own exception, not a database driver's."""
    with pytest.raises(LedgerUnavailable) as caught:
        usage()
    assert str(caught.value) == (
        "the ledger cannot be read (OperationalError): check that its database is reachable and migrated"
    )


@pytest.mark.django_db
def test_endpoint__503(client, settings, not_migrated, caplog):
    """The endpoint answers 503 in the error envelope."""
    settings.SERVICE_API_KEY = "a-service-key"
    response = client.get(URL, headers={"X-API-KEY": "a-service-key"})
    assert response.status_code == 503
    assert "error.503.ledger_unavailable" in response.content.decode()
    assert "Traceback" not in caplog.text


@pytest.mark.django_db
def test_endpoint__503_where_sessions_are_away(client, monkeypatch, caplog):
    """The endpoint answers 503 if the sessions' database is unreachable, so nobody can be signed in."""
    client.force_login(get_user_model().objects.create_superuser(username="s", email="s@example.com", password="x"))
    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", away)
    assert client.get(URL).status_code == 503
    assert "Traceback" not in caplog.text


@pytest.mark.django_db
def test_page__503(admin_client, not_migrated, caplog):
    """The page shows the sentence in place of the figures."""
    for address in ("/admin/agent/promptlog/usage/", "/admin/agent/promptlog/usage/?csv=period"):
        response = admin_client.get(address)
        assert response.status_code == 503
        assert SENTENCE in response.content.decode()
    assert "Traceback" not in caplog.text


@pytest.mark.django_db
def test_command__error(not_migrated):
    """The command fails with the sentence."""
    with pytest.raises(CommandError, match="the ledger cannot be read"):
        call_command("llm_usage")


def test_command__on_a_database_that_is_not_migrated(tmp_path):
    """A separate process prints the sentence, without a traceback."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "django", "llm_usage"],
        env={
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE": "sqlite",
            "SQLITE_NAME": str(tmp_path / "empty.sqlite3"),
            "PATH": "/usr/bin:/bin",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "CommandError: the ledger cannot be read (OperationalError): "
        "check that its database is reachable and migrated\n"
    )


def test_every_endpoint__is_exempt_from_atomic_requests():
    """No endpoint of this app runs in the request's transaction, whatever databases there are."""
    patterns = [*endpoints(get_resolver().url_patterns)]
    assert len(patterns) >= 8
    for pattern in patterns:
        assert connection.alias in pattern.callback._non_atomic_requests


def endpoints(patterns, *, inside=False):
    """This app's endpoints below some URLs."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from endpoints(pattern.url_patterns, inside=inside or pattern.app_name == "agent")
        elif inside and isinstance(pattern, URLPattern):
            yield pattern
