"""Run a program to its end: bounded in time and output, and nothing of it left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from .limits import MAX_ANSWER_BYTES, Bounds, SizeLimit

POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Command:
    """A program to run in `folder`, with `stdin` to read and `timeout` seconds to end in."""

    arguments: Sequence[str]
    folder: Path
    timeout: float
    stdin: bytes = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Outcome:
    """How a program ended, and what it printed. A negative exit code is the signal that ended it."""

    exit_code: int
    stdout: bytes
    stderr: bytes


class Running:
    """A program under way. Its streams are unnamed files: with pipes, one side can block the other,
    and a grandchild that holds them open keeps everybody waiting."""

    def __init__(self, process: subprocess.Popen[bytes], stdout: IO[bytes], stderr: IO[bytes], bounds: Bounds) -> None:
        self._process = process
        self._stdout = stdout
        self._stderr = stderr
        self._bounds = bounds

    def is_over(self) -> bool:
        """Whether it has ended, or printed more than is read. Raises ProviderTimeout when its time is over."""
        if self._process.poll() is not None:
            return True
        self._bounds.remaining()
        return any(os.fstat(stream.fileno()).st_size > MAX_ANSWER_BYTES for stream in (self._stdout, self._stderr))

    def outcome(self) -> Outcome:
        """What came of it. Raises InvalidAnswer where it printed more than MAX_ANSWER_BYTES."""
        return Outcome(stdout=_content(self._stdout), stderr=_content(self._stderr), exit_code=self._process.returncode)


def run(command: Command) -> Outcome:
    """Run `command`. Its process group does not outlive the call, however that ends."""
    with _running(command) as program:
        # Polled, as Popen.wait(timeout) itself does: the size of what it prints has to be watched as well.
        while not program.is_over():
            time.sleep(POLL_SECONDS)
        return program.outcome()


async def arun(command: Command) -> Outcome:
    """`run()` for a caller on an event loop."""
    with _running(command) as program:
        while not program.is_over():
            await asyncio.sleep(POLL_SECONDS)
        return program.outcome()


@contextmanager
def _running(command: Command) -> Iterator[Running]:
    bounds = Bounds(command.timeout)
    with TemporaryFile() as stdin, TemporaryFile() as stdout, TemporaryFile() as stderr:
        stdin.write(command.stdin)
        stdin.seek(0)
        process = subprocess.Popen(  # noqa: S603  (no shell, and the program is the host's setting)
            command.arguments,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=command.folder,
            env=command.environment,
            start_new_session=True,
        )
        try:
            yield Running(process, stdout, stderr, bounds)
        finally:
            _end_group(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    # PermissionError is how macOS says that only zombies are left.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _content(stream: IO[bytes]) -> bytes:
    # Not by seek() and read(): the position is shared with whoever may still be writing.
    return SizeLimit().count(os.pread(stream.fileno(), MAX_ANSWER_BYTES + 1, 0))
