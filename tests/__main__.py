"""Run the suite: all of it against the built wheel on SQLite, then its database tests on each other database.

    python -m tests [pytest arguments]

What is not there to test against is named in one line; where REQUIRE_SERVICES names it, that is a failure.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
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
    "fleet": all(find_spec(f"stapel_{app}") for app in ("translate", "moderation", "recordings")),
    "browser": shutil.which("chromium") is not None,
    "cli": shutil.which(os.environ.get("CLAUDE_CLI_BINARY", "/tmp/claude-cli/node_modules/.bin/claude")) is not None,
}


def wheel_checkout(folder: Path) -> Path:
    """A copy of the project in which the package is the one installed from the built wheel."""
    checkout = folder / "project"
    left_out = shutil.ignore_patterns("stapel_agent", ".*_cache", ".venv", ".git", "__pycache__", "dist", "*.sqlite3")
    shutil.copytree(ROOT, checkout, ignore=left_out)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT], check=True)
    (wheel,) = folder.glob("stapel_agent-*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", checkout, wheel], check=True)
    return checkout


def run(database: str, folder: Path, *arguments: str) -> int:
    print(f"\n== {database}", flush=True)
    command = [sys.executable, "-m", "pytest", "-q", "-n", os.environ.get("WORKERS", "2"), *arguments]
    environment = {**os.environ, "DATABASE": database, "PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment).returncode


def main(arguments: list[str]) -> int:
    absent = [name for name, there in SERVICES.items() if not there]
    required = set(os.environ.get("REQUIRE_SERVICES", "").split())
    if required & set(absent):
        print(f"required, but cannot be reached: {', '.join(sorted(required & set(absent)))}")
        return 1
    without = ["-m", " and ".join(f"not {name}" for name in absent)] if absent else []
    databases = [name for name in ("postgresql", "mariadb") if SERVICES[name]]
    with tempfile.TemporaryDirectory() as folder:
        codes = [run("sqlite", wheel_checkout(Path(folder)), *without, *arguments)]
    once = "browser or model or nats or redis or cli or fleet"
    codes += [run(name, ROOT, "-m", f"django_db and not ({once})", *arguments) for name in databases]
    print(f"\nnot covered: {', '.join(absent)}" if absent else "\neverything covered")
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
