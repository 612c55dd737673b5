"""The example in this process: a model, a database, and an HTTP server in a thread."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import django
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from model import LOOPBACK, running_model

from stapel_agent import agent_settings
from stapel_agent.redaction import redact

PORT = 8000
LEDGER_PATH = "/admin/agent/promptlog/"
ADMIN_NAME = ADMIN_PASSWORD = "admin"

LOCAL_MODEL = """\
The model is SmolLM2 with 135 million parameters, running on this machine.
It costs nothing: the costs shown here come from made-up prices.
It can sort a letter, but it cannot translate. To use a model that can, set ANTHROPIC_API_KEY
or OPENAI_COMPAT_BASE_URL."""


@dataclass(frozen=True)
class Host:
    """The running example: its URL, and a description of its model."""

    url: str
    model: str


@contextmanager
def running_host(*, port: int = 0, fresh: bool = False) -> Iterator[Host]:
    """Run the example. Inside the block, this process is the host, with its database and its comm functions.

    Port 0 is any free port. `fresh` starts with an empty database. Raises OSError at once if the port is in use.
    """
    with listening(port) as server, reachable_model() as is_local:
        os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
        django.setup()
        prepare_database(fresh=fresh)
        with served(server) as url:
            yield Host(url, LOCAL_MODEL if is_local else configured_model())


@contextmanager
def reachable_model() -> Iterator[bool]:
    """Make sure that the environment names a model for the settings. Yields whether it is the local one."""
    if os.environ.get("ANTHROPIC_API_KEY") or os.environ.get("OPENAI_COMPAT_BASE_URL"):
        yield False
        return
    with running_model() as base_url:
        os.environ["OPENAI_COMPAT_BASE_URL"] = base_url
        os.environ["no_proxy"] = LOOPBACK
        yield True


def configured_model() -> str:
    provider, base_url = agent_settings.DEFAULT_PROVIDER, agent_settings.OPENAI_COMPAT_BASE_URL
    return f"The model is asked through provider {provider!r}" + (f" at {redact(base_url)}." if base_url else ".")


def prepare_database(*, fresh: bool) -> None:
    """Migrate the database, and create an administrator if there is none."""
    if fresh:
        Path(settings.DATABASES["default"]["NAME"]).unlink(missing_ok=True)
    call_command("migrate", verbosity=0)
    users = get_user_model().objects
    if not users.filter(username=ADMIN_NAME).exists():
        users.create_superuser(ADMIN_NAME, password=ADMIN_PASSWORD)


def listening(port: int) -> ThreadedWSGIServer:
    """Django's own development server. Its requests wait until they are served."""
    return ThreadedWSGIServer((LOOPBACK, port), WSGIRequestHandler)


@contextmanager
def served(server: ThreadedWSGIServer) -> Iterator[str]:
    """Answer the server's requests, with the admin's style sheets."""
    server.set_app(StaticFilesHandler(WSGIHandler()))
    thread = Thread(target=server.serve_forever, args=[0.05], daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
