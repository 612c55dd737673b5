"""How the Claude Code CLI is called and ended, and what its exit means."""

import asyncio
import json
import os
import select
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stapel_agent.exceptions import (
    AccessDenied,
    InvalidAnswer,
    ParameterRefused,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RequestInterrupted,
    RequestRejected,
)
from stapel_agent.providers import claude_cli
from stapel_agent.providers.base import ProviderResult
from stapel_agent.providers.claude_cli import ClaudeCodeCLIProvider
from stapel_agent.providers.claude_output import read_output
from stapel_agent.providers.wire import subprocess_runner

from .claude_result import RESULT, SPENT, answered

A_WHILE = 200
"""Seconds after which everything that ends on its own has ended."""

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}

Complete = Callable[..., ProviderResult]
WAYS: dict[str, Complete] = {
    "sync": lambda **arguments: ClaudeCodeCLIProvider().complete(**arguments),
    "async": lambda **arguments: asyncio.run(ClaudeCodeCLIProvider().acomplete(**arguments)),
}


@pytest.fixture(params=sorted(WAYS))
def complete(request: pytest.FixtureRequest) -> Complete:
    """`complete()`, and `acomplete()` on an event loop."""
    return WAYS[request.param]


class FakeClaude:
    """Sets what the fake CLI does, and reports how it was called."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.binary = folder / "claude"
        fake = str(Path(__file__).with_name("fake_claude.py"))
        self.binary.write_text(
            f"#!{sys.executable} -IS\n"
            "import runpy, sys\n"
            f"sys.argv[1:1] = [{str(folder)!r}]\n"
            f"runpy.run_path({fake!r}, run_name='__main__')\n"
        )
        self.binary.chmod(0o700)
        os.mkfifo(folder / "alive")
        self.lives = os.open(folder / "alive", os.O_RDONLY | os.O_NONBLOCK)
        self.does("answer")

    def does(self, situation: str, stdout: str = json.dumps(RESULT), **details: Any) -> None:
        """Bytes in `stdout` are written as characters of Latin-1."""
        details = {"stderr": "", "exit_code": 0, "signal": 0, **details}
        (self._folder / "situation.json").write_text(json.dumps({"does": situation, "stdout": stdout, **details}))

    @property
    def call(self) -> Any:
        return json.loads((self._folder / "call.json").read_text())

    def wait_for_life(self) -> bool:
        return bool(select.select([self.lives], [], [], A_WHILE)[0])

    def lived(self) -> set[str]:
        """The processes that started. Fails if one of them is still running."""
        names = b""
        while self.wait_for_life():
            more = os.read(self.lives, 4096)
            if not more:
                return set(names.decode().split())
            names += more
        raise AssertionError("a process has survived")


@pytest.fixture
def fake(tmp_path: Path, agent: Callable[..., None]) -> Iterator[FakeClaude]:
    fake = FakeClaude(tmp_path)
    agent(CLI_BINARY=str(fake.binary))
    yield fake
    os.close(fake.lives)


@pytest.mark.parametrize(("length", "is_on_loop"), [(10, True), (100_000, False)])
def test_acomplete__long_output(
    fake: FakeClaude, monkeypatch: pytest.MonkeyPatch, length: int, is_on_loop: bool
) -> None:
    """A long output is not read on the event loop, because that would block it."""
    readers = []

    def read(*arguments: Any, **options: Any) -> ProviderResult:
        readers.append(threading.get_ident())
        return read_output(*arguments, **options)

    monkeypatch.setattr(claude_cli, "read_output", read)
    fake.does("answer", json.dumps({**RESULT, "result": "x" * length}))
    assert WAYS["async"](prompt="Hi", model="m").text == "x" * length
    assert (readers == [threading.get_ident()]) is is_on_loop


def test_complete__call(fake: FakeClaude, complete: Complete, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole call: no tools, no session, no settings, an empty private folder, and no texts in the arguments."""
    environment = {
        "HOME": "/home/h",
        "PATH": "/bin",
        "LANG": "C.UTF-8",
        "https_proxy": "http://p",
        "ANTHROPIC_API_KEY": "sk-ant-key",
        "CLAUDE_CODE_DISABLE_ATTACHMENTS": "0",
    }
    secrets = {"DATABASE_URL": "postgres://u:p@h/d", "DJANGO_SECRET_KEY": "s", "AWS_SECRET_ACCESS_KEY": "s"}
    monkeypatch.setattr(os, "environ", environment | secrets)
    complete(prompt="a prompt", model="claude-x", system_prompt="a system prompt", max_tokens=64000)
    call = fake.call
    path = call["argv"][call["argv"].index("--system-prompt-file") + 1]
    assert call == {
        "argv": [
            *("--print", "--output-format", "json", "--verbose"),
            *("--tools", "", "--disable-slash-commands", "--strict-mcp-config"),
            *("--no-session-persistence", "--setting-sources", ""),
            *("--model", "claude-x", "--system-prompt-file", path),
        ],
        "prompt": "a prompt",
        "system_prompt": "a system prompt",
        "environment": environment
        | {
            "CLAUDE_CODE_DISABLE_ATTACHMENTS": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
            "CLAUDE_CODE_DISABLE_THINKING": "1",
            "CLAUDE_CODE_MAX_OUTPUT_TOKENS": "64000",
            "CLAUDE_CODE_MAX_RETRIES": "0",
        },
        "folder": str(Path(path).parent / "empty"),
        "files": [],
        "mode": "0o700",
        "leads_its_group": True,
    }
    assert not Path(path).parent.exists()


@pytest.mark.parametrize(
    ("switch", "name"),
    [
        ("CLAUDE_CODE_USE_BEDROCK", "AWS_REGION"),
        ("CLAUDE_CODE_USE_VERTEX", "GOOGLE_APPLICATION_CREDENTIALS"),
        ("CLAUDE_CODE_USE_FOUNDRY", "AZURE_CLIENT_ID"),
    ],
)
def test_complete__cloud(fake: FakeClaude, monkeypatch: pytest.MonkeyPatch, switch: str, name: str) -> None:
    """A cloud's credentials are passed to the CLI only if it is set to use that cloud."""
    monkeypatch.setenv(name, "value")
    seen = []
    for setting in ("", "1"):
        monkeypatch.setenv(switch, setting)
        WAYS["sync"](prompt="Hi", model="m")
        seen.append(fake.call["environment"].get(name))
    assert seen == [None, "value"]


def test_complete__settings(fake: FakeClaude, complete: Complete, agent: Callable[..., None]) -> None:
    """The defaults are MAX_TOKENS and CLI_TIMEOUT, read at call time."""
    agent(MAX_TOKENS=123)
    complete(prompt="Hi", model="m")
    assert fake.call["environment"]["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] == "123"
    fake.does("drip")
    agent(CLI_TIMEOUT=0.5)
    with pytest.raises(ProviderTimeout):
        complete(prompt="Hi", model="m")


PROMPTS = {
    "of 1 MB": "prompt é " * 100_000,
    "like an option": "--dangerously-skip-permissions",
    "of one letter": "x",
    "of a space": " ",
    "empty": "",
    "with a NUL": "a\0b",
    "like a file's name": "@/etc/passwd",
}


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_complete__prompt(fake: FakeClaude, complete: Complete, prompt: str) -> None:
    """Any prompt arrives on standard input unchanged."""
    assert complete(prompt=prompt, model="m") == answered()
    assert fake.call["prompt"] == prompt


def test_complete__prompt_like_a_command(fake: FakeClaude, complete: Complete) -> None:
    """A prompt that the CLI would take for a command gets a leading line break."""
    complete(prompt="/config verbose=true", model="m")
    assert fake.call["prompt"] == "\n/config verbose=true"


def test_complete__lone_surrogate(fake: FakeClaude, complete: Complete) -> None:
    """Lone surrogates are replaced, in the prompt and in the system prompt."""
    complete(prompt="a\ud800b", model="m", system_prompt="c\udfffd")
    assert (fake.call["prompt"], fake.call["system_prompt"]) == ("a?b", "c?d")


@pytest.mark.parametrize("system_prompt", ["s" * 200_000, None, ""], ids=["of 200 KB", "none", "empty"])
def test_complete__system_prompt(fake: FakeClaude, complete: Complete, system_prompt: str | None) -> None:
    """A system prompt is passed in a file. Without one, an empty file replaces the CLI's own prompt."""
    complete(prompt="Hi", model="m", system_prompt=system_prompt)
    assert fake.call["system_prompt"] == (system_prompt or "")


@pytest.mark.parametrize("situation", ["speak_first", "read_nothing", "abandon"])
def test_complete__streams(fake: FakeClaude, complete: Complete, situation: str) -> None:
    """It does not matter when the CLI reads and prints, or which child holds its output open after it ends."""
    text = "x" * 1_000_000
    fake.does(situation, json.dumps(RESULT | {"result": text}))
    assert complete(prompt="y" * 1_000_000, model="m", timeout=60) == answered(text)
    assert fake.lived() == ({"program", "child"} if situation == "abandon" else {"program"})


def test_complete__timeout(fake: FakeClaude, complete: Complete) -> None:
    """At the timeout, the whole process group is ended, even a child that ignores SIGTERM. The folder is removed.

    The vendor may have got the prompt, so the call may be billed.
    """
    fake.does("hang")
    with pytest.raises(ProviderTimeout, match=r"^no complete answer within 8 s$") as raised:
        complete(prompt="Hi", model="m", timeout=8)
    assert raised.value.may_be_billed
    assert fake.lived() == {"program", "child"}
    assert not Path(fake.call["folder"]).parent.exists()


def test_complete__drip(fake: FakeClaude, complete: Complete) -> None:
    """A trickle of output does not extend the timeout."""
    fake.does("drip")
    with pytest.raises(ProviderTimeout):
        complete(prompt="Hi", model="m", timeout=5)
    assert fake.lived() == {"program"}


@pytest.mark.parametrize("situation", ["answer", "flood"])
def test_complete__output_too_large(fake: FakeClaude, complete: Complete, situation: str) -> None:
    """Output above the limit is refused, whether it is complete or endless."""
    fake.does(situation, json.dumps(RESULT | {"result": "x" * 20_000_000}))
    with pytest.raises(InvalidAnswer, match=r"^the answer is larger than 16,777,216 bytes$"):
        complete(prompt="Hi", model="m", timeout=60)
    assert fake.lived() == {"program"}


async def test_acomplete__cancelled(fake: FakeClaude) -> None:
    """If the awaiting task is cancelled, the whole process group is ended, and the folder is removed."""
    fake.does("hang")
    task = asyncio.create_task(ClaudeCodeCLIProvider().acomplete(prompt="Hi", model="m"))
    assert await asyncio.to_thread(fake.wait_for_life)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert fake.lived() >= {"program"}
    assert not Path(fake.call["folder"]).parent.exists()


@pytest.mark.parametrize("fault", [TimeoutError("soft limit"), ConnectionError("soft limit"), OSError(5, "I/O error")])
def test_complete__signal_handler(fake: FakeClaude, monkeypatch: pytest.MonkeyPatch, fault: OSError) -> None:
    """An exception that a signal handler raises during the run does not mean that the CLI was not started."""

    def interrupt(seconds: float) -> None:
        assert fake.wait_for_life()
        raise fault

    fake.does("hang")
    monkeypatch.setattr(subprocess_runner.time, "sleep", interrupt)
    with pytest.raises(type(fault), match=str(fault.args[-1])):
        ClaudeCodeCLIProvider().complete(prompt="Hi", model="m")
    assert fake.lived() >= {"program"}
    assert not Path(fake.call["folder"]).parent.exists()


def test_complete__no_space(
    fake: FakeClaude, complete: Complete, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without a writable folder for temporary files, the CLI is not started."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(AccessDenied, match=r"could not be run \(No such file or directory\): .+ TMPDIR is writable$"):
        complete(prompt="Hi", model="m")


async def test_acomplete__side_by_side(fake: FakeClaude) -> None:
    """Calls on one event loop wait concurrently."""
    fake.does("hang")
    calls = [ClaudeCodeCLIProvider().acomplete(prompt="Hi", model="m", timeout=8) for _ in range(6)]
    async with asyncio.timeout(40):
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ProviderTimeout] * 6


def test_complete__fault(fake: FakeClaude, complete: Complete) -> None:
    """An error that the CLI reports is raised, with what was spent."""
    fake.does("answer", json.dumps(RESULT | {"is_error": True, "result": "Not logged in"}), exit_code=1)
    with pytest.raises(AccessDenied, match="Not logged in") as raised:
        complete(prompt="Hi", model="m")
    assert raised.value.usage == SPENT


@pytest.mark.parametrize(
    ("details", "kind", "words"),
    [
        (
            {"exit_code": 3, "stderr": "error: unknown option '--tools'"},
            AccessDenied,
            "exit code 3: error: unknown option '--tools'",
        ),
        ({"signal": signal.SIGKILL}, RequestInterrupted, "signal 9: "),
    ],
)
def test_complete__no_result(
    fake: FakeClaude, complete: Complete, details: dict[str, Any], kind: type[ProviderError], words: str
) -> None:
    """The error for a CLI without a result says how it ended. The outcome of a killed one is unknown."""
    fake.does("answer", "", **details)
    with pytest.raises(kind) as raised:
        complete(prompt="Hi", model="m")
    assert str(raised.value) == f"the Claude Code CLI ended with {words}"


def test_complete__schema(fake: FakeClaude, complete: Complete) -> None:
    """With a schema, the answer is the value that the CLI validated, as JSON."""
    fake.does("answer", json.dumps(RESULT | {"stop_reason": "tool_use", "structured_output": {"city": "Bergen"}}))
    assert complete(prompt="Hi", model="m", schema=SCHEMA) == answered('{"city": "Bergen"}')
    assert (fake.call["argv"][-2], json.loads(fake.call["argv"][-1])) == ("--json-schema", SCHEMA)


def test_complete__schema_too_long(fake: FakeClaude, complete: Complete) -> None:
    """A schema that is too long for an argument is rejected with the reason."""
    with pytest.raises(RequestRejected, match="too long for the Claude Code CLI, which takes 128 KiB: shorten it$"):
        complete(prompt="Hi", model="m", schema={**SCHEMA, "title": "x" * 200_000})


@pytest.mark.parametrize("binary", ["no-such-program", "/no/such/program", "", None, "/etc/passwd", "/tmp"])
def test_complete__no_binary(complete: Complete, agent: Callable[..., None], binary: str | None) -> None:
    """If the binary is not a program, the error names the setting, in the call and in the check."""
    agent(CLI_BINARY=binary)
    with pytest.raises(AccessDenied, match=r"set STAPEL_AGENT\['CLI_BINARY'\] to its path") as raised:
        complete(prompt="Hi", model="m")
    assert ClaudeCodeCLIProvider().configuration_error() == str(raised.value)


@pytest.mark.parametrize("content", ["#!/no/such/interpreter\n", "\x00no program"])
def test_complete__broken_binary(fake: FakeClaude, complete: Complete, content: str) -> None:
    """If the binary is an executable file but not a program, the error names the setting."""
    fake.binary.write_text(content)
    with pytest.raises(AccessDenied, match=r"could not be run \(.+\): set STAPEL_AGENT\['CLI_BINARY'\]"):
        complete(prompt="Hi", model="m")


def test_configuration_error__binary_is_there(fake: FakeClaude) -> None:
    """If the program exists, the check reports nothing."""
    assert ClaudeCodeCLIProvider().configuration_error() is None


def test_configuration_error__on_the_path(
    fake: FakeClaude, agent: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bare name is searched for on PATH, which may contain relative folders."""
    agent(CLI_BINARY="claude")
    monkeypatch.chdir(fake.binary.parent)
    monkeypatch.setenv("PATH", f".:{os.environ['PATH']}")
    assert ClaudeCodeCLIProvider().configuration_error() is None
    assert WAYS["sync"](prompt="Hi", model="m") == answered()


@pytest.mark.parametrize(
    ("effort", "flag", "thinks"),
    [
        (None, [], False),
        ("none", [], False),
        ("minimal", [], False),
        ("low", ["--effort", "low"], False),
        ("high", ["--effort", "high"], True),
        ("max", ["--effort", "max"], True),
    ],
)
def test_complete__effort(
    fake: FakeClaude, complete: Complete, effort: str | None, flag: list[str], thinks: bool
) -> None:
    """The CLI's flag sets the effort. From medium up, the model may think."""
    complete(prompt="Hi", model="m", effort=effort)
    arguments = fake.call["argv"]
    assert arguments[arguments.index("--system-prompt-file") + 2 :] == flag
    assert ("CLAUDE_CODE_DISABLE_THINKING" not in fake.call["environment"]) is thinks


def test_complete__effort_that_the_cli_does_not_know(fake: FakeClaude, complete: Complete) -> None:
    """If the CLI does not know the flag, the call is repeated without it, and later calls omit it."""
    fake.does("answer", stdout="", stderr="error: unknown option '--effort'", exit_code=1)
    with pytest.raises(ParameterRefused):
        complete(prompt="Hi", model="m", effort="high")
    fake.does("answer")
    complete(prompt="Hi", model="m", effort="high")
    assert "--effort" not in fake.call["argv"]


# https://github.com/anthropics/claude-code-action/issues/1005
@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("API Error: 400 output_config.effort: Extra inputs are not permitted", ParameterRefused),
        ("API Error: 400 This model does not support the effort parameter.", ParameterRefused),
        ("API Error: 400 messages: at least one message is required", RequestRejected),
        ("API Error: 404 effort", RequestRejected),
    ],
)
def test_complete__effort_that_the_api_refuses(
    fake: FakeClaude, complete: Complete, words: str, kind: type[RequestRejected]
) -> None:
    """If a cloud refuses the effort that the CLI sends for the flag, the call is repeated without it, and counted."""
    stdout = json.dumps(RESULT | {"is_error": True, "result": words})
    fake.does("answer", stdout=stdout, exit_code=1)
    with pytest.raises(RequestRejected) as raised:
        complete(prompt="Hi", model="m", effort="high")
    fault = raised.value
    assert (type(fault), str(fault), fault.usage) == (kind, f"HTTP {words[11:14]}: {words}", SPENT)


def test_acomplete__effort_refused_to_parallel_calls(fake: FakeClaude) -> None:
    """Each of several calls is told that its flag was refused, although the first has recorded that."""
    fake.does("answer", stdout="", stderr="error: unknown option '--effort'", exit_code=1)

    async def ask() -> list[Any]:
        calls = (ClaudeCodeCLIProvider().acomplete(prompt="Hi", model="m", effort="high") for _ in range(3))
        return await asyncio.gather(*calls, return_exceptions=True)

    assert [type(fault) for fault in asyncio.run(ask())] == [ParameterRefused] * 3


def test_complete__error_beside_a_warning_about_effort(fake: FakeClaude, complete: Complete) -> None:
    """A CLI that has started did not refuse the flag, whatever it warns of: the call is not repeated."""
    stdout = json.dumps(RESULT | {"is_error": True, "result": "API Error: Overloaded", "usage": {}})
    fake.does("answer", stdout, stderr="warning: effort 'high' is experimental", exit_code=1)
    with pytest.raises(ProviderUnavailable) as raised:
        complete(prompt="Hi", model="m", effort="high")
    assert raised.value.may_be_billed
