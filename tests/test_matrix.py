"""The documented combinations, CI and the command `make matrix` agree."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import matrix
from tests.combinations import COMBINATIONS, DATABASES, EXTRAS, Combination
from tests.documents import ROOT, read
from tests.matrix import Outcome

ABSENT = Combination("3.99", "6")
REPORT = '<testsuites><testsuite errors="1" failures="2" skipped="3" tests="10" time="1.5"/></testsuites>'


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads(read("pyproject.toml"))


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    return yaml.safe_load(read(".github/workflows/ci.yml"))


def claimed(project: dict[str, Any], subject: str) -> list[str]:
    """The versions in the classifiers."""
    versions = (re.fullmatch(rf"{subject} :: (\d+\.\d+)", line) for line in project["project"]["classifiers"])
    return [version[1] for version in versions if version]


def test_workflow__has_the_same_combinations(workflow: dict[str, Any]) -> None:
    """CI has one job for each combination, and no other."""
    told = [{"name": one.name, **asdict(one)} for one in COMBINATIONS]
    as_lists = [{key: list(value) if isinstance(value, tuple) else value for key, value in one.items()} for one in told]
    assert workflow["jobs"]["matrix"]["strategy"]["matrix"]["include"] == as_lists


def test_workflow__runs_the_command_with_every_service(workflow: dict[str, Any]) -> None:
    """A job runs its own combination on its Python, and fails if a service is missing."""
    job = workflow["jobs"]["matrix"]
    assert job["steps"][-1]["run"] == "make matrix ONLY=${{ matrix.name }} REQUIRE=yes"
    assert job["steps"][-2]["with"] == {"python-version": "${{ matrix.python }}"}
    assert sorted(job["services"]) == sorted(job["env"]["REQUIRE_SERVICES"].split())
    assert set(DATABASES) < {"sqlite", *job["services"]}


def test_workflow__checks_on_each_python(workflow: dict[str, Any]) -> None:
    """The locked versions are checked on each supported Python."""
    job = workflow["jobs"]["check"]
    assert set(job["strategy"]["matrix"]["python"]) == {one.python for one in COMBINATIONS}
    assert [step["run"] for step in job["steps"] if "run" in step] == ["make check", "make test"]


def test_workflow__runs_by_itself(workflow: dict[str, Any]) -> None:
    """All of CI's jobs also run once a week, without a push."""
    scheduled = yaml.safe_load(read(".github/workflows/scheduled.yml"))
    on = True  # YAML reads the key `on` so
    assert [set(entry) for entry in scheduled[on]["schedule"]] == [{"cron"}]
    assert scheduled["jobs"] == {"ci": {"uses": "./.github/workflows/ci.yml"}}
    assert "workflow_call" in workflow[on]


def test_workflow__pins_its_actions(workflow: dict[str, Any]) -> None:
    """Actions are pinned by their commit."""
    actions = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    assert actions
    assert [action for action in actions if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action)] == []


def test_combinations__are_what_is_claimed(project: dict[str, Any]) -> None:
    """Each supported Python and Django series is tested, with every database and all extras."""
    pythons = claimed(project, "Programming Language :: Python")
    series = {f"{version.partition('.')[0]}" for version in claimed(project, "Framework :: Django")}
    assert {one.python for one in COMBINATIONS} == set(pythons)
    assert project["project"]["requires-python"] == f">={min(pythons)}"
    assert {one.django[0] for one in COMBINATIONS} == series
    # Django 6 needs Python 3.12.
    wanted = set(itertools.product(pythons, ("5.2", "6"))) - {("3.11", "6")}
    whole = {(one.python, one.django) for one in COMBINATIONS if one.resolution == "newest" and one == everywhere(one)}
    assert whole == wanted


def everywhere(one: Combination) -> Combination:
    return Combination(one.python, one.django, DATABASES, tuple(EXTRAS), one.resolution, one.groups)


def test_combinations__with_and_without_each_extra(project: dict[str, Any]) -> None:
    """All extras, none, and each alone are tested, on one Python and Django."""
    extras = tuple(project["project"]["optional-dependencies"])
    assert extras == tuple(EXTRAS)
    tried = {one.extras for one in COMBINATIONS if (one.python, one.django) == ("3.13", "6")}
    assert tried == {extras, (), *((extra,) for extra in extras)}


def test_combinations__oldest_versions() -> None:
    """The oldest versions of everything are tested on the oldest Python, on every database."""
    oldest = [one for one in COMBINATIONS if one.resolution == "oldest" and one == everywhere(one)]
    assert [one.python for one in oldest] == [min(one.python for one in COMBINATIONS)]


def test_combinations__names_choose_one() -> None:
    """A whole name selects one combination, and a part selects all that contain it."""
    assert [matrix.chosen([one.name]) for one in COMBINATIONS] == [(one,) for one in COMBINATIONS]
    assert {one.python for one in matrix.chosen(["3.12", "oldest"])} == {"3.11", "3.12"}
    assert matrix.chosen([]) == COMBINATIONS


def test_interpreter__is_of_the_version() -> None:
    """The interpreter has the requested version. There is none for an unknown version."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = matrix.interpreter(here)
    assert found and matrix.version_of(found) == here
    assert matrix.interpreter(ABSENT.python) is None


@pytest.mark.parametrize("require", [False, True])
def test_run__without_an_interpreter(require: bool, tmp_path: Path) -> None:
    """A missing interpreter is named. It is a failure if everything is required."""
    (outcome,) = matrix.run(ABSENT, tmp_path / "package.whl", require)
    assert outcome == Outcome(ABSENT.name, "", note="skipped: no Python 3.99 here", good=not require)


def test_read__figures(tmp_path: Path) -> None:
    """The figures are those of the suite's report, with what was not covered. A failure or an error is not good."""
    report = tmp_path / "sqlite.xml"
    report.write_text(REPORT)
    (tmp_path / "absent").write_text("browser, cli")
    outcome = matrix.read("combination", "sqlite", report, 1)
    assert outcome == Outcome("combination", "sqlite", 4, 3, 3, 1.5, "without browser, cli", good=False)


@pytest.mark.parametrize(("code", "note"), [(0, "skipped: no server here"), (1, "failed: did not run")])
def test_read__no_report(code: int, note: str, tmp_path: Path) -> None:
    """Without a report, the database was missing or, by its status, the suite was aborted."""
    outcome = matrix.read("combination", "mariadb", tmp_path / "mariadb.xml", code)
    assert outcome == Outcome("combination", "mariadb", note=note, good=not code)


def test_closing_table__columns() -> None:
    """Each outcome is a row: its figures, or why there are none."""
    rows = matrix.closing_table(
        [Outcome("one", "sqlite", 4, 3, 2, 1.5), Outcome("two", "mariadb", note="skipped: no server here")]
    ).splitlines()
    assert [row.split() for row in rows] == [
        ["combination", "database", "passed", "failed", "skipped", "seconds"],
        ["one", "sqlite", "4", "3", "2", "2"],
        ["two", "mariadb", "skipped:", "no", "server", "here"],
    ]


def test_command__lists_the_combinations() -> None:
    """`--list` prints each combination with its databases. A part that no name contains is refused."""
    command = [sys.executable, "-m", "tests.matrix"]
    done = subprocess.run([*command, "--list", "oldest"], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "python3.11-django5.2-full-oldest: sqlite postgresql mariadb\n", done.stderr
    done = subprocess.run([*command, "3.99"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, "no combination has 3.99" in done.stderr) == (2, True)
