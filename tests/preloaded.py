"""Host processes forked from one that has loaded Django and its apps, which takes most of a second each time.

python -m tests.preloaded <file descriptor of a socket>

For each host, the socket receives a byte with three standard streams and a socket of the host's own. From that one,
it reads its configuration, and it sends its process id and, at the end, its return code.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from importlib import import_module
from typing import Any, Self

SETTLED = frozenset({"HOST_APPS", "HOST_COMM"})
"""Variables for settings that apps read while they are loaded."""


class Process:
    """A running host, with the parts of `subprocess.Popen` that tests use."""

    def __init__(self, control: socket.socket, request: Mapping[str, Any]) -> None:
        (stdin, to_stdin), (from_stdout, stdout), (from_stderr, stderr) = (os.pipe() for _ in range(3))
        self._life, theirs = socket.socketpair()
        socket.send_fds(control, [b"."], [stdin, stdout, stderr, theirs.fileno()])
        theirs.close()
        for descriptor in (stdin, stdout, stderr):
            os.close(descriptor)
        self._life.sendall(json.dumps(request).encode())
        self._life.shutdown(socket.SHUT_WR)
        with ExitStack() as stack:
            self._told = stack.enter_context(stack.enter_context(self._life).makefile())
            self.stdin = stack.enter_context(open(to_stdin, "w"))
            self.stdout, self.stderr = (stack.enter_context(open(end)) for end in (from_stdout, from_stderr))
            self.close = stack.pop_all().close
        self.pid = int(self._told.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._life], [], [], 0)[0]:
            self.returncode = int(self._told.readline())
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None and not select.select([self._life], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(f"host {self.pid}", timeout or 0)
        return self.poll() or 0

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Its output and errors, when it has ended."""
        self.stdin.close()
        with ThreadPoolExecutor() as pool:
            reading = [pool.submit(stream.read) for stream in (self.stdout, self.stderr)]
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
            out, errors = (read.result() for read in reading)
        self.close()
        return out, errors

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.wait()
        self.close()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Preloaded:
    """A process that has loaded the apps in this environment, and forks hosts."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-W", "ignore::ResourceWarning", "-m", __name__, str(theirs.fileno())]
            self._process = subprocess.Popen(command, env=dict(environment), pass_fds=[theirs.fileno()])

    def start(self, script: str, variables: Mapping[str, str]) -> Process:
        """Start a host. Of the variables, only those that `is_of_a_host()` may differ from the environment."""
        own = {name: value for name, value in variables.items() if is_of_a_host(name)}
        return Process(self._control, {"script": script, "variables": own})

    def stop(self) -> None:
        self._control.close()
        self._process.wait(30)


def is_of_a_host(variable: str) -> bool:
    """Whether only the settings of databases, STAPEL_AGENT and the host's script depend on this variable."""
    return variable.startswith(("DATABASE", "SQLITE_", "POSTGRESQL_", "MARIADB_", "HOST_")) and variable not in SETTLED


def requested(control: socket.socket) -> dict[str, Any]:
    """In a host, return its configuration. The serving process exits when there are no more requests."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # do not wait for processes that monitor a host
    gc.freeze()
    while descriptors := socket.recv_fds(control, 1, 4)[1]:
        if not os.fork():
            control.close()
            return kept(*descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
    sys.exit()


def kept(stdin: int, stdout: int, stderr: int, life: int) -> dict[str, Any]:
    """Fork the host and report its process id and return code, which only its parent can."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with socket.socket(fileno=life) as told:
        request = json.load(told.makefile())
        if host := os.fork():
            for descriptor in range(3):
                os.close(descriptor)
            for descriptor in (stdin, stdout, stderr):
                os.close(descriptor)
            told.sendall(f"{host}\n".encode())
            told.sendall(f"{os.waitstatus_to_exitcode(os.waitpid(host, 0)[1])}\n".encode())
            os._exit(0)
    for number, descriptor in enumerate((stdin, stdout, stderr)):
        os.dup2(descriptor, number)
        os.close(descriptor)
    return dict(request)


def configured(variables: Mapping[str, str]) -> None:
    """Become a host with these variables: its settings are read again."""
    from django.conf import settings
    from django.db import connections
    from django.test import override_settings

    for name in filter(is_of_a_host, list(os.environ)):
        del os.environ[name]
    os.environ.update(variables)
    for name in [name for name in sys.modules if name.startswith("tests.") and name.endswith(("settings", "_host"))]:
        del sys.modules[name]
    own = import_module(settings.SETTINGS_MODULE)
    override_settings(STAPEL_AGENT=own.STAPEL_AGENT).enable()
    connections.settings = connections.configure_settings(own.DATABASES)
    connections.close_all()
    del connections["default"]


def load_drivers() -> None:
    """Load the drivers of all databases, of which each host uses one."""
    import pymysql
    from django.db.utils import load_backend

    pymysql.install_as_MySQLdb()
    for engine in ("sqlite3", "postgresql", "mysql"):
        load_backend(f"django.db.backends.{engine}")


def load_for_calls() -> None:
    """Load what the first call of a process loads: the price list, the HTTP client and its certificates."""
    for module in ("genai_prices.data", "httpcore", "stapel_agent.providers.openai_compat"):
        import_module(module)
    with suppress(ImportError):
        import_module("opentelemetry.trace")
    from stapel_agent.providers.wire.http import ssl_context

    ssl_context()


def leave_quickly() -> None:
    """End a successful host after its exit handlers, without tearing down its modules."""
    if went_well:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


went_well: list[bool] = []

if __name__ == "__main__":
    atexit.register(leave_quickly)  # registered before the apps' handlers, so it is called after them
    from tests.hosts import PRELUDE

    names: dict[str, Any] = {"__name__": "__main__"}
    exec(PRELUDE, names)
    load_drivers()
    load_for_calls()
    with socket.socket(fileno=int(sys.argv[1])) as control:
        request = requested(control)
    configured(request["variables"])
    exec(compile(request["script"], "<host>", "exec"), names)
    went_well.append(True)
