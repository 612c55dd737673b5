"""The released apps that call this package work in a separate host, and docs/callers.md is true."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.documents import ROOT, table

DOCUMENT = "docs/callers.md"
FLEET = Path(__file__).parent / "fleet"
CALLERS = {"stapel-core", "stapel-translate", "stapel-moderation", "stapel-recordings"}
OUTSIDE = {
    ("tests/translation/test_translate_catalogs.py", "test_catalogue__complete_and_right"),
    ("tests/translation/test_translate_catalogs.py", "test_catalogue__what_is_missing_is_named"),
}
"""Tests of a caller that do not need the host of the fleet."""


@pytest.mark.fleet
def test_callers__in_their_host():
    """Every test of the callers passes in the host of `tests.fleet.settings`, and none is skipped."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "--ds=tests.fleet.settings", FLEET]
    outer = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=ROOT, env=outer, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.fullmatch(r"\d+ passed in [\d.]+s(?: \([\d:]+\))?", done.stdout.splitlines()[-1])


def named_tests(cell: str) -> set[tuple[str, str]]:
    """The path and name of each test in a cell: a path, then the names."""
    path, *names = re.findall(r"`([^`]+)`", cell)
    return {(path, name) for name in names}


def written_in(path: Path) -> set[tuple[str, str]]:
    source = path.read_text(encoding="utf-8")
    return {(str(path.relative_to(ROOT)), name) for name in re.findall(r"^def (test_\w+)\(", source, re.MULTILINE)}


@pytest.mark.fleet
def test_document__releases():
    """The releases in the table are those that the tests run with."""
    releases = dict(row[1].strip("`").split() for row in table(DOCUMENT, "callers"))
    assert set(releases) == CALLERS
    assert releases == {caller: version(caller) for caller in CALLERS}


def test_document__tests():
    """Every row names existing tests, and every test of a caller is named."""
    cells = [row[-1] for row in table(DOCUMENT, "callers")]
    assert all(named_tests(cell) for cell in cells)
    named = set().union(*map(named_tests, cells))
    assert named == set().union(*(written_in(path) for path in FLEET.glob("test_*.py")), OUTSIDE)
    assert all(written_in(path) >= OUTSIDE for path in {ROOT / path for path, _ in OUTSIDE})
