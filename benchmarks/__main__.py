"""Run the benchmarks one by one, and write what they print into RESULTS.md: `python -m benchmarks [name ...]`."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

NAMES = (
    "imports",
    "overhead",
    "http_client",
    "cache",
    "waiting",
    "safety",
    "translation",
    "usage",
    "purge",
    "scaling",
    "partitions",
    "simulated_and_real",
    "simulation",
)
RESULTS = Path(__file__).with_name("RESULTS.md")
HEAD = """\
# Results

What `make bench` has printed here. Each figure stands beside a reference of the same run, and beside its target where
there is one; the ratios hold elsewhere, the milliseconds on this machine alone. *Load* is how many processes wanted a
core as a benchmark began.
"""


def machine() -> str:
    cpu = next((line.split(": ")[1] for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "")
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    hardware = f"{os.cpu_count()} cores ({cpu or platform.machine()}), {memory / 2**20:.0f} GB"
    packages = [f"{name} {version(name)}" for name in ("django", "anthropic", "httpx", "stapel-core")]
    software = [platform.system(), f"Python {platform.python_version()}", *packages]
    return f"{datetime.now(UTC):%Y-%m-%d}, {hardware}, {', '.join(software)}.\n"


def printed_by(name: str) -> str:
    print(f"== {name}", flush=True)
    command = [sys.executable, "-u", "-m", f"benchmarks.{name}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = []
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        sys.exit(process.returncode)
    return "".join(lines)


def section(name: str) -> str:
    load = os.getloadavg()[0]
    return f"\n## {name}\n\nLoad {load:.1f}.\n\n```text\n{printed_by(name).strip()}\n```\n"


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines() if Path(path).exists() else []


if __name__ == "__main__":
    chosen = sys.argv[1:] or NAMES
    text = f"{HEAD}\n{machine()}"
    for name in chosen:
        text += section(name)
        if chosen == NAMES:
            RESULTS.write_text(text, encoding="utf-8")
