"""The functions give the same answers over stapel-core's HTTP transport, over a real NATS server, and in-process."""

import os
import subprocess
import sys
import time
import uuid

import pytest
from stapel_core.comm import call, functions
from stapel_core.comm.exceptions import FunctionCallError, FunctionNotRegistered, SchemaValidationError

from stapel_agent import services
from stapel_agent.models import PromptLog, Translation
from tests.answers import TRACED

SCRIPTED = {"DEFAULT_PROVIDER": "scripted", "PROVIDERS": {"scripted": "tests.scripted_host_provider.Provider"}}
START_SECONDS = 300

CALLS = [
    ("llm.complete", {"prompt": "say", "model": "small"}),
    ("llm.complete", {"prompt": "say \u0000 é 日本", "model": "large", "system_prompt": "s", "user_id": "7"}),
    ("llm.complete", {"prompt": "time out", "model": "small"}),
    ("llm.complete", {"prompt": "break", "model": "small"}),
    ("llm.complete", {"prompt": "say", "model": "huge"}),
    ("llm.complete", {"prompt": "say", "model": "small", "provider": "nobody"}),
    ("llm.translate", {"from_lang": "auto", "to": "de", "entries": {"b.title": "x {name}", "a": "y"}}),
    ("llm.translate", {"from_lang": "en", "to": "de", "entries": {}}),
]


@pytest.fixture
def over_http(live_server, settings):
    """This process calls over HTTP, and a live server answers."""
    settings.STAPEL_COMM = {
        **settings.STAPEL_COMM,
        "FUNCTION_TRANSPORT": "http",
        "FUNCTION_ROUTES": {"llm.": live_server.url},
    }
    yield
    # Otherwise the server's thread still holds this connection when the interpreter exits.
    functions._http_session().close()
    functions.reset_http_session()


@pytest.fixture(scope="module")
def nats_prefix(tmp_path_factory):
    """The subject prefix of a `manage.py serve_functions` process on the NATS server."""
    prefix = f"test.{uuid.uuid4().hex}"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.scripted_host",
        "HOST_DATABASE": str(tmp_path_factory.mktemp("host") / "host.sqlite3"),
        "HOST_SUBJECT_PREFIX": prefix,
    }
    subprocess.run([sys.executable, "-m", "django", "migrate", "-v0"], env=environment, check=True)
    with subprocess.Popen([sys.executable, "-m", "django", "serve_functions"], env=environment) as process:
        try:
            yield prefix
        finally:
            process.terminate()


@pytest.fixture
def over_nats(nats_prefix, settings):
    """This process calls over NATS, and the other process answers."""
    settings.STAPEL_COMM = {
        **settings.STAPEL_COMM,
        "FUNCTION_TRANSPORT": "nats",
        "NATS_SUBJECT_PREFIX": nats_prefix,
        "FUNCTION_TIMEOUTS": {"llm.": 30},
    }
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            call("llm.translate", {"from_lang": "en", "to": "de", "entries": {}})
            break
        except FunctionNotRegistered:
            assert time.monotonic() < deadline, "serve_functions did not start"
            time.sleep(0.2)


@pytest.fixture(params=["over_http", pytest.param("over_nats", marks=pytest.mark.nats)])
def remote(request, agent):
    """Calls leave the process, over each transport."""
    agent(**SCRIPTED)
    return request.getfixturevalue(request.param)


@pytest.mark.any_database
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("name", "payload"), CALLS)
def test_call__same_answer_as_in_process(remote, name, payload, settings):
    """The answer is the same as in-process, key for key."""
    answer = call(name, payload)
    settings.STAPEL_COMM = {**settings.STAPEL_COMM, "FUNCTION_TRANSPORT": "inprocess"}
    Translation.objects.all().delete()
    here = call(name, payload)
    assert answer == ({**here, **TRACED} if "request_id" in here else here)
    assert "secret-text" not in str(answer)


@pytest.mark.any_database
@pytest.mark.django_db(transaction=True)
def test_call__bad_payload(remote):
    """A payload that breaks the schema raises in the caller, before anything is sent."""
    with pytest.raises(SchemaValidationError, match="'model' is a required property"):
        call("llm.complete", {"prompt": "say"})
    assert PromptLog.objects.count() == 0


@pytest.mark.any_database
@pytest.mark.django_db(transaction=True)
def test_call__http_without_the_key(over_http, agent, settings):
    """Over HTTP, a caller without the service's key is refused."""
    agent(**SCRIPTED)
    settings.SERVICE_API_KEY = ""
    with pytest.raises(FunctionCallError):
        call("llm.complete", {"prompt": "say", "model": "small"})
    assert services.get_provider("scripted") is not None
    assert PromptLog.objects.count() == 0
