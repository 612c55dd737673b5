"""Runs a program to its end, with limited time and output, and leaves no process behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from stapel_agent.exceptions import ProviderTimeout

from .attempt_limits import MAX_ANSWER_BYTES, SizeLimit

POLL_SECONDS = 0.02


class NotStarted(Exception):
    """The program was not started. `reason` is the OSError of the system."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True)
class Command:
    """A program to run in `folder`, with `stdin` as its input and a limit of `timeout` seconds."""

    arguments: Sequence[str]
    folder: Path
    timeout: float
    stdin: bytes = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Outcome:
    """The exit code and output of a program. A negative exit code is the signal that ended it."""

    exit_code: int
    stdout: bytes
    stderr: bytes


class Running:
    """A running program. Its streams are unnamed files: with pipes, one side can block the other,
    and a grandchild that keeps them open blocks the caller."""

    def __init__(self, process: subprocess.Popen[bytes], stdout: IO[bytes], stderr: IO[bytes], timeout: float) -> None:
        self._process = process
        self._stdout = stdout
        self._stderr = stderr
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout

    def is_over(self) -> bool:
        """Whether it has ended, or printed too much. Raises ProviderTimeout if its time is over."""
        if self._process.poll() is not None:
            return True
        if time.monotonic() >= self._deadline:
            # May be billed: nobody knows how far it got.
            raise ProviderTimeout(f"no complete answer within {self._timeout:g} s")
        return any(os.fstat(stream.fileno()).st_size > MAX_ANSWER_BYTES for stream in (self._stdout, self._stderr))

    def outcome(self) -> Outcome:
        """Return the outcome. Raises InvalidAnswer if it printed more than MAX_ANSWER_BYTES."""
        return Outcome(stdout=_content(self._stdout), stderr=_content(self._stderr), exit_code=self._process.returncode)


def run(command: Command) -> Outcome:
    """Run `command`. Its process group is always ended before this returns or raises. Raises NotStarted."""
    with _running(command) as program:
        # Polls, as Popen.wait(timeout) does, because the size of the output has to be checked too.
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
    with ExitStack() as files:
        with reporting_not_started():
            stdin, stdout, stderr = (files.enter_context(TemporaryFile()) for _ in range(3))
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
            yield Running(process, stdout, stderr, command.timeout)
        finally:
            _end_group(process)


@contextmanager
def reporting_not_started() -> Iterator[None]:
    """Raise NotStarted for an OSError of the system, which has a number. That of a signal handler has none."""
    try:
        yield
    except OSError as fault:
        if fault.errno is None:
            raise
        raise NotStarted(fault) from None


def _end_group(process: subprocess.Popen[bytes]) -> None:
    # macOS raises PermissionError if only zombies are left.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _content(stream: IO[bytes]) -> bytes:
    # Not with seek() and read(): a process that is still writing shares the position.
    return SizeLimit().count(os.pread(stream.fileno(), MAX_ANSWER_BYTES + 1, 0))
