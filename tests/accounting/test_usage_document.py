"""The examples in docs/usage.md: the output of the command, the answer of the endpoint, and the pictures."""

import json
import shlex
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.browser import CHROMIUM
from tests.documents import ROOT, blocks

NAME = "docs/usage.md"
PICTURES = {"usage-light.png": 1200, "usage-dark.png": 1200, "usage-phone.png": 390}


def block(language: str, beginning: str = "") -> str:
    return next(one.text for one in blocks(NAME, language) if one.text.startswith(beginning))


@pytest.fixture
def documented_calls(transactional_db):
    """The calls that the document records."""
    exec(block("python"), {})


def test_command__output(documented_calls, capsys):
    """The command prints the output that the document shows."""
    _, _, name, *options = shlex.split(block("bash", "python manage.py llm_usage"))
    call_command(name, *options)
    assert capsys.readouterr().out == block("text")


def test_curl__as_pasted(documented_calls, live_server, settings):
    """The endpoint returns the answer that the document shows."""
    settings.SERVICE_API_KEY = "choose-a-long-random-key"
    command = block("bash", "curl").replace("http://127.0.0.1:8000", live_server.url).replace("\\\n", " ")
    got = subprocess.run(shlex.split(command), capture_output=True, text=True, check=True)
    assert json.loads(got.stdout) == json.loads(block("json"))


def width_and_size(path: Path) -> tuple[int, int]:
    picture = path.read_bytes()
    assert picture.startswith(b"\x89PNG")
    return struct.unpack(">I", picture[16:20])[0], len(picture)


def test_pictures__are_there():
    """The document shows every picture, and no picture is large."""
    for name, width in PICTURES.items():
        found_width, size = width_and_size(ROOT / "docs" / name)
        assert (found_width, size < 200_000) == (width, True)
        assert f"]({name})" in (ROOT / NAME).read_text(encoding="utf-8")


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")
def test_pictures__are_taken(tmp_path):
    """The script takes all pictures, from a ledger that it fills itself."""
    script = ROOT / "example" / "pictures.py"
    done = subprocess.run([sys.executable, script, "--out", tmp_path], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(tmp_path / name) for name in PICTURES]
    for name, width in PICTURES.items():
        found_width, size = width_and_size(tmp_path / name)
        assert (found_width, 20_000 < size < 200_000) == (width, True)
