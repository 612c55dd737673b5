"""The example as a newcomer runs it: its scripts as processes, with the real small model or a scripted one."""

import html
import json
import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from example.table import table
from tests.answers import TRACED, by
from tests.engine_fixtures import until
from tests.scripted_server import Reply, ScriptedServer

EXAMPLE = Path(__file__).parent.parent / "example"
CHOICES_OF_MODEL = {"ANTHROPIC_API_KEY", "OPENAI_COMPAT_API_KEY", "OPENAI_COMPAT_BASE_URL", "OPENAI_COMPAT_MODEL"}
DEAD_PROXY = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
SECONDS = 600

Script = subprocess.Popen[str]
Start = Callable[..., AbstractContextManager[Script]]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests, as for all starts of the example on somebody's machine. A demo begins with a new one."""
    return tmp_path_factory.mktemp("example") / "example.sqlite3"


@pytest.fixture
def start(database: Path) -> Start:
    """Starts a script of the example, in an environment that names no model except the given one."""
    inherited = {name: value for name, value in os.environ.items() if name not in CHOICES_OF_MODEL}
    inherited.pop("DJANGO_SETTINGS_MODULE", None)

    @contextmanager
    def started(script: str, *arguments: str, **environment: str) -> Iterator[Script]:
        with subprocess.Popen(
            [sys.executable, EXAMPLE / script, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**inherited, "EXAMPLE_DATABASE": str(database), "COLUMNS": "120", **environment},
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    return started


def finish(process: Script) -> tuple[int, str, str]:
    """The exit status, output and errors. The model's process shares stderr, so both have ended when it ends."""
    output, errors = process.communicate(timeout=SECONDS)
    return process.returncode, output, errors


def admin_url(process: Script) -> str:
    """The root URL of the example, when it reports that it is running."""
    url = next(re.search(r"http://[\d.]+:\d+", line) for line in process.stdout if line.startswith("admin "))
    next(line for line in process.stdout if "Ctrl-C" in line)
    return url.group()


def answers(output: str) -> list[dict[str, Any]]:
    return [json.loads(answer) for answer in re.findall(r"^answered in [\d.]+ s:\n(\{.*?^\})", output, re.M | re.S)]


def chat_reply(content: str) -> Reply:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    return Reply.of({"choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 4}})


SORTED = '{"topic": "delivery", "urgent": true}'
TRANSLATED = '{"1": "Ihr Warenkorb, ⟦1⟧", "2": "Ihr Warenkorb ist leer."}'


@pytest.mark.model
def test_demo__small_model(start, database):
    """With the real model, every step does what its title says, and the ledger has the costs."""
    with start("demo.py", **DEAD_PROXY) as process:
        status, output, errors = finish(process)
    assert (status, errors) == (0, "")
    completed, cached, refused, stopped, translated, scripted = answers(output)
    assert completed["result"].keys() == {"topic", "urgent"}
    assert (cached["result"], cached["usage"]) == (completed["result"], {"input_tokens": 0, "output_tokens": 0})
    assert "'weather' is not one of" in refused["reason"]
    assert stopped["failure"] == "over_budget"
    assert translated.get("result", {}).keys() <= {"cart.title", "cart.empty"}
    assert scripted["result"] == {"cart.title": "Ihr Warenkorb, {name}", "cart.empty": "Ihr Warenkorb ist leer."}
    assert output.count("SCRIPTED") == 2
    assert "cannot translate" in output
    assert re.search(r"^source +user +model +status +in +out +cost in \$ +ms +answer or error$", output, re.M)
    with closing(sqlite3.connect(database)) as connection:
        costs = connection.execute("SELECT cost_usd FROM agent_prompt_log WHERE user_id = 'anna'").fetchall()
    assert len(costs) == 1
    assert float(costs[0][0]) > 0


def test_demo__other_model(start):
    """If the environment has a base URL, that model is asked and named, and its key is not shown."""
    with ScriptedServer(chat_reply(SORTED), chat_reply(TRANSLATED)) as server:
        environment = {"OPENAI_COMPAT_BASE_URL": server.url, "OPENAI_COMPAT_API_KEY": "the-key-of-that-model"}
        with start("demo.py", **environment, OPENAI_COMPAT_MODEL="grand-model") as process:
            status, output, errors = finish(process)
    assert (status, errors) == (0, "")
    completed, cached, _, _, translated, _ = answers(output)
    common = {"status": "ok", **by("openai-compat", "grand-model")}
    usage = {"input_tokens": 9, "output_tokens": 4}
    assert completed == {**common, "result": json.loads(SORTED), "usage": usage}
    assert cached == {**completed, **TRACED, "usage": {"input_tokens": 0, "output_tokens": 0}}
    result = {"cart.title": "Ihr Warenkorb, {name}", "cart.empty": "Ihr Warenkorb ist leer."}
    assert translated == {**common, "result": result, "usage": usage}
    assert [request.json["model"] for request in server.requests] == ["grand-model"] * 2
    assert f"'openai-compat' at {server.url}" in output
    assert "the-key-of-that-model" not in output


def test_demo__anthropic(start):
    """With an Anthropic key, Anthropic is asked. Here it is unreachable: the demo fails, and does not show the key."""
    with start("demo.py", ANTHROPIC_API_KEY="sk-ant-not-to-be-shown", **DEAD_PROXY) as process:
        status, output, errors = finish(process)
    assert status == 1
    assert [answer["status"] for answer in answers(output)] == [*["failure"] * 5, "ok"]
    assert "'anthropic'" in output
    assert "not-to-be-shown" not in output + errors


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_demo__interrupted(start, ending):
    """A demo that is interrupted while a model thinks ends at once and quietly, with the shell's exit status."""
    with (
        ScriptedServer(Reply(raw=b"", ending="hang")) as server,
        start("demo.py", OPENAI_COMPAT_BASE_URL=server.url) as process,
    ):
        until(lambda: server.requests)
        process.send_signal(ending)
        status, _, errors = finish(process)
    assert (status, errors) == (130, "")


@pytest.mark.model
@pytest.mark.parametrize(
    ("ending", "expected"),
    [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_serve__leaves_nothing(start, ending, expected):
    """However it ends, the model's process ends with it, and its port is free."""
    with start("serve.py", "--port", "0") as process:
        url = admin_url(process)
        assert httpx.get(f"{url}/admin/", follow_redirects=True, timeout=60).status_code == 200
        process.send_signal(ending)
        status, _, errors = finish(process)
    assert (status, "Traceback" in errors) == (expected, False)
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_serve__pages(start):
    """The first page's links and command work. The printed login opens the admin, with the row and with styles."""
    with (
        ScriptedServer(chat_reply('{"topic": "delivery"}')) as server,
        start("serve.py", "--port", "0", OPENAI_COMPAT_BASE_URL=server.url) as process,
    ):
        url = admin_url(process)
        with httpx.Client(base_url=url, follow_redirects=True, timeout=60) as browser:
            page = browser.get("/").text
            links = re.findall(r'href="([^"]+)"', page)
            assert "/admin/agent/promptlog/usage/" in links
            assert ["<b>admin</b>" in page, browser.get("/favicon.ico").status_code] == [True, 204]
            assert {browser.get(link).status_code for link in links} == {200}
            command = html.unescape(re.search(r"<pre>(.*?)</pre>", page, re.S)[1]).replace("\\\n", " ")
            asked = subprocess.run(shlex.split(command), capture_output=True, text=True, check=True)
            assert json.loads(asked.stdout)["result"] == {"topic": "delivery"}
            login = {"username": "admin", "password": "admin", "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
            assert browser.post("/admin/login/", data=login).status_code == 200
            assert "smollm2-135m" in browser.get("/admin/agent/promptlog/").text
            assert browser.get("/static/admin/css/base.css").status_code == 200
        process.terminate()
        status, _, errors = finish(process)
    assert (status, " 404 " in errors) == (0, False)


def test_serve__port_taken(start):
    """A port in use is reported in one line, with the fix."""
    with ScriptedServer() as server:
        port = server.server_address[1]
        with start("serve.py", "--port", str(port), OPENAI_COMPAT_BASE_URL=server.url) as process:
            finished = finish(process)
    assert finished == (1, "", f"Port {port} is in use: make serve PORT={port + 1}\n")


def test_settings__checks(start):
    """The example's settings have no finding of this package, even with --deploy."""
    with start("manage.py", "check", "--deploy", OPENAI_COMPAT_BASE_URL="http://127.0.0.1:9/v1") as process:
        status, output, errors = finish(process)
    assert status == 0
    assert "(stapel_agent." not in output + errors


def test_table__aligned(monkeypatch):
    """Columns are as wide as their longest cell, numbers are right-aligned, and a cell is one line."""
    monkeypatch.setenv("COLUMNS", "80")
    assert table(["name", "tokens"], [["small", 7], ["very\nlarge", 1200], [None, 0]]).splitlines() == [
        "name        tokens",
        "──────────  ──────",
        "small            7",
        "very large    1200",
        "                 0",
    ]


def test_table__narrow(monkeypatch):
    """If the terminal is too narrow, the widest columns are cut visibly."""
    monkeypatch.setenv("COLUMNS", "16")
    assert table(["name", "text"], [["small", "a long text indeed"]]).splitlines() == [
        "name   text",
        "─────  ─────────",
        "small  a long t…",
    ]
