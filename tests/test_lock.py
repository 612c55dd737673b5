"""requirements.lock has the versions that `make install` and `make demo` install, on any machine and day."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.documents import read

PYTHONS = ("3.11.9", "3.12.9", "3.13.9")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads(read("pyproject.toml"))


def pins(python: str) -> dict[str, Version]:
    """Name -> version, for this Python on Linux."""
    lines = [line for line in read("requirements.lock").splitlines() if not line.startswith("#")]
    found: dict[str, Version] = {}
    for requirement in map(Requirement, lines):
        linux = {"python_full_version": python, "sys_platform": "linux", "os_name": "posix"}
        if requirement.marker is None or requirement.marker.evaluate(linux):
            assert requirement.name not in found
            (specifier,) = requirement.specifier
            assert specifier.operator == "=="
            found[requirement.name] = Version(specifier.version)
    return found


def required(project: dict[str, Any]) -> list[Requirement]:
    """All requirements of the package, its extras, its build and its dependency groups, except for `weights`."""
    groups = {name: members for name, members in project["dependency-groups"].items() if name != "weights"}
    lists = [
        project["build-system"]["requires"],
        project["project"]["dependencies"],
        *project["project"]["optional-dependencies"].values(),
        *([member for member in members if isinstance(member, str)] for members in groups.values()),
    ]
    return [Requirement(text) for texts in lists for text in texts]


@pytest.mark.parametrize("python", PYTHONS)
def test_lock__has_what_is_required(project: dict[str, Any], python: str) -> None:
    """For each supported Python, each requirement of pyproject.toml has one version that satisfies it."""
    locked = pins(python)
    named = [(canonicalize_name(one.name), one) for one in required(project)]
    unmet = [str(one) for name, one in named if name not in locked or locked[name] not in one.specifier]
    assert unmet == [], "run `make lock`"


def test_lock__names_no_index() -> None:
    """The lock has only names and versions, so any index can serve it."""
    lines = [line for line in read("requirements.lock").splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; [^/]+)?", line)] == []


def test_lock__of_what_is_installed_without_it(project: dict[str, Any]) -> None:
    """Packages that are installed without dependencies, and so not locked, have a version in pyproject.toml."""
    (weights,) = project["dependency-groups"]["weights"]
    assert re.fullmatch(r"[a-z0-9-]+==[\d.]+", weights)


def test_makefile__installs_by_the_lock() -> None:
    """Each installation in the Makefile uses the lock."""
    commands = re.findall(r"^.*pip install.*$", read("Makefile"), re.MULTILINE)
    assert [command for command in commands if not command.endswith(" --constraint $(LOCK)")] == []
    assert len(commands) == 1
