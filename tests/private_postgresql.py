"""A private PostgreSQL server, which tests stop and start."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory


def program(name: str) -> str | None:
    """A program of PostgreSQL's server, which distributions keep off the PATH."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(installed[-1]) if installed else shutil.which(name)


@dataclass
class PrivateServer:
    folder: Path
    port: int

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self._run("pg_ctl", "-w", "-o", options, "-l", str(self.folder / "log"), "start")

    def stop(self) -> None:
        """Stop at once, as in a crash or a fail-over."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def initialise(self) -> None:
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync")

    def _run(self, name: str, *arguments: str) -> None:
        command = [program(name) or name, "-D", str(self.folder / "data"), *arguments]
        if os.getuid() == 0:  # PostgreSQL does not run as root
            command = ["runuser", "-u", "postgres", "--", *command]
        said = self.folder / f"{name}.log"
        with said.open("w") as output:  # no pipe: the server would hold it open
            code = subprocess.run(command, stdout=output, stderr=output, cwd="/").returncode
        assert code == 0, said.read_text()


@contextmanager
def private_postgresql() -> Iterator[PrivateServer]:
    """A running server with its data in a private folder: another run of pytest may close pytest's folder to it."""
    with TemporaryDirectory(prefix="agent-postgresql-") as name:
        folder = Path(name)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            server = PrivateServer(folder, probe.getsockname()[1])
        if os.getuid() == 0:
            shutil.chown(folder, "postgres")
        server.initialise()
        server.start()
        try:
            yield server
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                server.stop()
