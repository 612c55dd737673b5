"""docs/architecture.md is true: its picture is the import contract, and requests take the documented ways."""

from __future__ import annotations

import json
import pkgutil
import re
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from stapel_core.comm import call

import stapel_agent
from stapel_agent.testing import translating
from tests.documents import ROOT, block_after, table

pytestmark = pytest.mark.any_database

DOCUMENT = "docs/architecture.md"
SEPARATOR = re.compile(r" [|:] ")
LAYER = re.compile(r"^   (\w+(?: [|:] \w+)*) {2,}\S")


def drawn() -> list[list[str]]:
    """The layers of the picture, from the top."""
    lines = block_after(DOCUMENT, "<!-- diagram: layers -->").splitlines()
    found = [LAYER.match(line) for line in lines if not line.startswith("── ")]
    assert all(found), lines
    return [SEPARATOR.split(layer[1]) for layer in found if layer]


def contracted() -> list[list[str]]:
    """The layers of the import contract, from the top."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["name"] == "Imports point down")
    return [[module.removeprefix("stapel_agent.") for module in SEPARATOR.split(layer)] for layer in layers]


def test_layers__as_drawn():
    """The picture has every layer of the contract, in its order."""
    assert drawn() == contracted()


def test_layers__every_module():
    """The picture contains every module of the package except the migrations."""
    modules = {module.name for module in pkgutil.iter_modules(stapel_agent.__path__)}
    assert {module for layer in drawn() for module in layer} == modules - {"migrations"}


def named(title: str, edge: int) -> list[str]:
    """The steps of a way that begins at one of its edges."""
    rows = [[cell.split("`")[1::2] for cell in cells[:2]] for cells in table(DOCUMENT, title)]
    assert all((ROOT / "stapel_agent" / file).exists() for files, _ in rows for file in files)
    first, *steps = ([f"{module(file)}.{name}" for file, name in zip(*row, strict=True)] for row in rows)
    assert all(len(names) == 1 for names in steps)
    return [first[edge], *(name for names in steps for name in names)]


def module(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".")


@contextmanager
def watched() -> Iterator[list[str]]:
    """The functions of this package that are called inside, in the order of their first calls."""
    called = dict[str, None]()

    def note(frame: FrameType, event: str, argument: Any) -> None:
        module = frame.f_globals.get("__name__", "")
        if event == "call" and module.startswith("stapel_agent."):
            called[f"{module.removeprefix('stapel_agent.')}.{frame.f_code.co_qualname}"] = None

    functions = list[str]()
    sys.setprofile(note)
    try:
        yield functions
    finally:
        sys.setprofile(None)
        functions += called


def test_table__where_to_change_what():
    """The table names files that exist."""
    files = [file for _, begin in table(DOCUMENT, "where to change what") for file in re.findall(r"`(\S+)`", begin)]
    assert [file for file in files if not (ROOT / "stapel_agent" / file).is_file()] == []


PROMPT = {"prompt": "The capital of France, as JSON", "model": "small"}
ENTRIES = {"from_lang": "en", "to": "de", "entries": {"greeting": "Hello, {name}"}}
PATHS = [("path of a prompt", "complete", PROMPT), ("path of entries", "translate", ENTRIES)]


def over_http(verb: str, payload: dict[str, Any]) -> Any:
    client = Client(headers={"X-API-KEY": settings.SERVICE_API_KEY})
    return client.post(f"/agent/api/v1/llm/{verb}", json.dumps(payload), content_type="application/json").json()


def over_comm(verb: str, payload: dict[str, Any]) -> Any:
    return call(f"llm.{verb}", payload)


@pytest.mark.django_db
@pytest.mark.parametrize("edge", [over_comm, over_http])
@pytest.mark.parametrize("way", PATHS)
def test_ways__are_gone(agent, scripted_model, way, edge):
    """A request calls the documented functions, in the documented order."""
    title, verb, payload = way
    agent(CACHE_LOOKUP={"llm_facade": True, "translate": True})
    scripted_model.script('{"city": "Paris"}' if verb == "complete" else translating(str.upper))
    with watched() as functions:
        answer = edge(verb, payload)
    assert answer["status"] == "ok"
    steps = named(title, [over_comm, over_http].index(edge))
    assert [name for name in functions if name in steps] == steps
