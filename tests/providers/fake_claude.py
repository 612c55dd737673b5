#!/usr/bin/env python3
"""Stands in for the Claude Code CLI: records how it was called, then does what the folder in its first argument says.

`situation.json` in the folder names one of the functions below, and what it prints. `call.json` records the call.
Every process holds the FIFO `alive` open and has written its name into it, so its reader sees which processes
started, and when all have ended.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(sys.argv[1])
SITUATION = json.loads((FOLDER / "situation.json").read_text())


def answer() -> None:
    """Read the input, print, and exit."""
    note_call(sys.stdin.buffer.read())
    speak()
    end()


def speak_first() -> None:
    """Print more than a pipe holds before reading anything."""
    speak()
    note_call(sys.stdin.buffer.read())


def read_nothing() -> None:
    """Print and exit without reading the input."""
    note_call(b"")
    speak()
    end()


def hang() -> None:
    """Hang forever, with a child that ignores SIGTERM and hangs too."""
    note_call(sys.stdin.buffer.read())
    start_child()
    signal.pause()


def abandon() -> None:
    """Print and exit, while a child that ignores SIGTERM holds the output open."""
    note_call(sys.stdin.buffer.read())
    start_child()
    speak()


def drip() -> None:
    """Print one byte at a time, forever."""
    note_call(b"")
    while True:
        os.write(1, b" ")
        time.sleep(0.01)


def flood() -> None:
    """Print forever."""
    note_call(b"")
    while True:
        os.write(1, bytes(1024 * 1024))


def child() -> None:
    """The child that `start_child` starts."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note_life("child")
    os.write(int(sys.argv[2]), b"up")
    os.close(int(sys.argv[2]))
    signal.pause()


def note_call(prompt: bytes) -> None:
    argv = sys.argv[2:]
    folder = Path.cwd()
    call = {
        "argv": argv,
        "prompt": prompt.decode(),
        "system_prompt": Path(argv[argv.index("--system-prompt-file") + 1]).read_text(),
        "environment": dict(os.environ),
        "folder": str(folder),
        "files": os.listdir(folder),
        "mode": oct(folder.parent.stat().st_mode & 0o777),
        "leads_its_group": os.getpgrp() == os.getpid(),
    }
    (FOLDER / "call.json").write_text(json.dumps(call))
    note_life("program")


def note_life(name: str) -> None:
    os.write(os.open(FOLDER / "alive", os.O_WRONLY), f"{name}\n".encode())


def start_child() -> None:
    reading, writing = os.pipe()
    subprocess.Popen([sys.executable, "-IS", __file__, str(FOLDER), str(writing)], pass_fds=[writing])
    os.close(writing)
    os.read(reading, 2)


def speak() -> None:
    sys.stdout.buffer.write(SITUATION["stdout"].encode("latin-1"))
    sys.stdout.flush()
    sys.stderr.write(SITUATION["stderr"])
    sys.stderr.flush()


def end() -> None:
    if SITUATION["signal"]:
        os.kill(os.getpid(), SITUATION["signal"])
    sys.exit(SITUATION["exit_code"])


if __name__ == "__main__":
    child() if sys.argv[2].isdigit() else globals()[SITUATION["does"]]()
