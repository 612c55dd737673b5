"""Run the benchmarks one by one, and write their output to RESULTS.md: `python -m benchmarks [name ...]`.

Without names, all of them run. The results of others stay in the file, with their machine and date.
"""

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
    "endpoint",
    "cache",
    "waiting",
    "safety",
    "schemas",
    "translation",
    "catalogues",
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

The output of `make bench`. Each figure stands beside a reference from the same run, and its target if it has one. The
ratios apply to other machines too, the milliseconds only to this one. *Load* is the number of processes that
wanted a core when a benchmark began.
"""


def machine() -> str:
    cpu = next((line.split(": ")[1] for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "")
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    hardware = f"{os.cpu_count()} cores ({cpu or platform.machine()}), {memory / 2**20:.0f} GB"
    packages = [f"{name} {version(name)}" for name in ("django", "anthropic", "httpx", "stapel-core")]
    software = [platform.system(), f"Python {platform.python_version()}", *packages]
    return f"{datetime.now(UTC):%Y-%m-%d}, {hardware}, {', '.join(software)}"


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
    return f"{name}\n\n{machine()}. Load {load:.1f}.\n\n```text\n{printed_by(name).strip()}\n```\n"


def sections() -> dict[str, str]:
    """The contents of the file, by the benchmark's name."""
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    return {part.partition("\n")[0]: part for part in text.split("\n## ")[1:]}


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines() if Path(path).exists() else []


if __name__ == "__main__":
    for chosen in sys.argv[1:] or NAMES:
        known = {**sections(), chosen: section(chosen)}
        RESULTS.write_text(HEAD + "".join(f"\n## {known[name]}" for name in NAMES if name in known), encoding="utf-8")
