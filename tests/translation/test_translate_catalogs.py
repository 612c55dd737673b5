"""stapel-core's `translate_catalogs --llm` over each transport, with a model that misbehaves."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nats
import nats.errors
import pytest
from asgiref.sync import async_to_sync

from tests.answers import by
from tests.hosts import Server
from tests.misbehaving_provider import CURSED, TOKENS
from tests.settings import NATS_URL

BY = by("misbehaving")

START_SECONDS = 300
CHUNK_ENTRIES = 10
"""The value in `tests.catalogue_host`."""
ROOT = Path(__file__).parents[2]

# comm.call is only recorded, because the command does not show the answer.
RUN = """
import json
import django
django.setup()
from django.core.management import call_command
from stapel_core import comm
from stapel_core.i18n.catalogs import load_app_catalogs
call, calls = comm.call, []
def heard(name, payload):
    calls.append([name, payload, call(name, payload)])
    return calls[-1][-1]
comm.call = heard
call_command("translate_catalogs", "--domain", "errors", "--lang", "de", "--llm", "--app", "shop")
print(json.dumps({"calls": calls, "catalogue": load_app_catalogs("errors", "de")}))
"""
ERRORS = """
import json
from pathlib import Path
from stapel_core.django.api.errors import register_service_errors
register_service_errors(json.loads(Path(__file__).with_name("errors.json").read_text()), owner="shop", language="en")
"""
TEMPLATES = [
    "Field %d of {form} must not be empty",
    "Order {number} cannot be paid %d times. Write to help@example.com!\n\nOr see https://example.com/help?a=%d",
    "<b>{name}</b>, your %d. card was declined",
    "%d words alone",
    "  blanks around {it} number %d ",
    "{count, plural, one {# file of %d} other {# files of %d}} too large for {name}",
]
KEPT = re.compile(r"\{\w+\}|</?b>|\S+@\S+[a-z]|https://\S+|\{count, plural, one|\bother(?= \{)")


def catalogue(count: int = 60) -> dict[str, str]:
    """The error texts of a shop, one of them under two keys."""
    texts = {f"error.400.shop_{n}": TEMPLATES[n % len(TEMPLATES)].replace("%d", str(n)) for n in range(count)}
    return {**texts, "error.409.shop_twice": texts["error.400.shop_0"]}


def cursed() -> dict[str, str]:
    """Texts that the model never translates."""
    return {f"error.500.cursed_{n}": f"cursed {n} with a {{code}}" for n in range(len(CURSED))}


def capitals(text: str) -> str:
    """What the model makes of a text if it keeps all protected parts."""
    kept = iter(KEPT.findall(text))
    return "".join(part.upper() + next(kept, "") for part in KEPT.split(text))


def translated(texts: Mapping[str, str]) -> dict[str, str]:
    return {key: capitals(text) for key, text in texts.items()}


@dataclass(frozen=True)
class Host:
    """Where the command runs: `comm` is its STAPEL_COMM, `environment` that of its process."""

    environment: Mapping[str, str]
    comm: Mapping[str, Any]

    def run(self, folder: Path, texts: Mapping[str, str]) -> dict[str, Any]:
        """Run the command for an app with these error texts in `folder`. Returns its calls and the catalogue."""
        app = folder / "shop"
        app.mkdir(exist_ok=True)
        (app / "__init__.py").touch()
        (app / "errors.py").write_text(ERRORS)
        (app / "errors.json").write_text(json.dumps(texts))
        environment = {
            **self.environment,
            "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
            "HOST_APPS": '["shop"]',
            "HOST_COMM": json.dumps(self.comm),
        }
        done = subprocess.run([sys.executable, "-c", RUN], env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout.splitlines()[-1]))


@contextmanager
def process(environment: Mapping[str, str], *arguments: str) -> Iterator[None]:
    """A process of the host that translates. It ends after the block."""
    with subprocess.Popen([sys.executable, *arguments], env=environment, stderr=subprocess.DEVNULL) as started:
        try:
            yield
        finally:
            started.terminate()


def in_process(environment: Mapping[str, str]) -> Iterator[Host]:
    """The command and the app in one process."""
    yield Host(environment, {})


def over_http(environment: Mapping[str, str]) -> Iterator[Host]:
    """The command in one process, and a web server in another."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = ("-m", "uvicorn", "--factory", "django.core.asgi:get_asgi_application", "--port", str(port))
    with process(environment, *server):
        until_it_listens(port)
        routes = {"FUNCTION_TRANSPORT": "http", "FUNCTION_ROUTES": {"llm.": f"http://127.0.0.1:{port}"}}
        yield Host(environment, {**routes, "FUNCTION_TIMEOUTS": {"llm.": 90}})


def over_nats(environment: Mapping[str, str]) -> Iterator[Host]:
    """The command in one process, and `serve_functions` in another."""
    prefix = f"test.{uuid.uuid4().hex}"
    with process({**environment, "HOST_SUBJECT_PREFIX": prefix}, "-m", "django", "serve_functions"):
        async_to_sync(until_it_subscribes)(f"{prefix}.llm.translate")
        served = {"FUNCTION_TRANSPORT": "nats", "NATS_SUBJECT_PREFIX": prefix}
        yield Host(environment, {**served, "FUNCTION_TIMEOUTS": {"llm.": 90}})


def until_it_listens(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    with socket.socket() as probe:
        while probe.connect_ex(("127.0.0.1", port)):
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.1)


async def until_it_subscribes(subject: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    client = await nats.connect(NATS_URL)
    while time.monotonic() < deadline:
        try:
            await client.request(subject, b"{}", timeout=30)
            break
        except nats.errors.NoRespondersError:
            time.sleep(0.1)
    await client.close()


TRANSPORTS = [in_process, over_http, pytest.param(over_nats, marks=pytest.mark.nats)]


@pytest.fixture(params=TRANSPORTS)
def host(request: pytest.FixtureRequest, file_server: Server) -> Iterator[Host]:
    """A host that reaches `llm.translate` over each transport, with its own database."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.catalogue_host",
        "HOST_DATABASE": file_server.database,
        "PYTHONPATH": str(ROOT),
    }
    yield from request.param(environment)


def test_capitals__as_the_model_writes() -> None:
    """The expected translation keeps what a model must keep."""
    assert capitals(TEMPLATES[1]) == (
        "ORDER {number} CANNOT BE PAID %D TIMES. WRITE TO help@example.com!\n\nOR SEE https://example.com/help?a=%d"
    )
    assert capitals(TEMPLATES[5]) == ("{count, plural, one {# FILE OF %D} other {# FILES OF %D}} TOO LARGE FOR {name}")


def test_catalogue__complete_and_right(host: Host, tmp_path: Path) -> None:
    """Every text that the model eventually translates is in the catalogue, exactly."""
    texts = catalogue()
    first = host.run(tmp_path, texts)
    (name, payload, answer) = first["calls"][0]
    assert (name, payload) == ("llm.translate", {"from_lang": "en", "to": "de", "entries": texts})
    assert answer == {"status": "ok", "result": translated(texts), "usage": answer["usage"], **BY}
    assert answer["usage"]["input_tokens"] > TOKENS * len(texts) / CHUNK_ENTRIES, "the model has misbehaved"
    assert first == {"calls": [[name, payload, answer]], "catalogue": translated(texts)}


@pytest.mark.parametrize("host", [in_process], indirect=True)
def test_catalogue__what_is_missing_is_named(host: Host, tmp_path: Path) -> None:
    """The answer names the texts that the model never translates, and the next run asks for these alone."""
    texts = {**catalogue(20), **cursed()}
    first = host.run(tmp_path, texts)
    ((_, _, answer),) = first["calls"]
    assert first["catalogue"] == answer["result"] == translated(catalogue(20))
    assert answer == {
        "status": "ok",
        "result": answer["result"],
        "failed": {key: answer["failed"][key] for key in cursed()},
        "usage": answer["usage"],
        **BY,
    }
    assert {reason.partition(":")[0] for reason in answer["failed"].values()} == {"invalid_answer"}
    second = host.run(tmp_path, texts)
    ((_, payload, failure),) = second["calls"]
    assert second["catalogue"] == first["catalogue"]
    assert (payload["entries"], failure["status"], failure["failed"].keys()) == (cursed(), "failure", cursed().keys())
