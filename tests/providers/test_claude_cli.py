"""The Claude Code CLI: how it is called, how it is ended, and what is read out of what it prints."""

import asyncio
import json
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stapel_agent.exceptions import (
    AccessDenied,
    InvalidAnswer,
    OutOfCredit,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
)
from stapel_agent.providers.base import ProviderResult
from stapel_agent.providers.claude_cli import ClaudeCodeCLIProvider
from stapel_agent.types import Usage

A_WHILE = 20
"""Seconds within which everything that ends by itself has ended."""

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
RESULT = {
    "type": "result",
    "subtype": "success",
    "is_error": False,
    "api_error_status": None,
    "num_turns": 1,
    "result": "Hello.",
    "stop_reason": "end_turn",
    "total_cost_usd": 0.0125,
    "usage": {
        "input_tokens": 11,
        "output_tokens": 7,
        "cache_read_input_tokens": 3,
        "cache_creation_input_tokens": 5,
        "service_tier": "standard",
    },
}
SPENT = Usage(input_tokens=11, output_tokens=7, cache_read_tokens=3, cache_write_tokens=5)


def printed(result: dict[str, Any], *events: dict[str, Any], tools: list[str] | None = None) -> str:
    """What the CLI prints in all: its events, the result last."""
    return json.dumps([{"type": "system", "subtype": "init", "tools": tools or []}, *events, result])


def message(identity: str, *texts: str, model: str = "claude-x") -> dict[str, Any]:
    """The event of a message from the model."""
    content = [{"type": "text", "text": text} for text in texts]
    return {"type": "assistant", "message": {"id": identity, "model": model, "content": content}}


def answered(text: str = "Hello.", **changes: Any) -> ProviderResult:
    """What is read out of RESULT."""
    usage = {"input_tokens": 11, "output_tokens": 7, "cache_read_tokens": 3, "cache_write_tokens": 5}
    return ProviderResult(text, **{**usage, "metadata": {"total_cost_usd": 0.0125}, **changes})


Complete = Callable[..., ProviderResult]
WAYS: dict[str, Complete] = {
    "sync": lambda **arguments: ClaudeCodeCLIProvider().complete(**arguments),
    "async": lambda **arguments: asyncio.run(ClaudeCodeCLIProvider().acomplete(**arguments)),
}


@pytest.fixture(params=sorted(WAYS))
def complete(request: pytest.FixtureRequest) -> Complete:
    """`complete()`, once as it is and once as `acomplete()` on an event loop."""
    return WAYS[request.param]


class FakeClaude:
    """Sets what the fake CLI does, and tells how it was called."""

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
        """Who was there. Fails if one of them still is."""
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


def test_complete__answer(fake: FakeClaude, complete: Complete) -> None:
    """Text, disjoint token buckets and the cost are read out of the one object that the CLI prints."""
    assert complete(prompt="Hi", model="m") == answered()


def test_complete__events(fake: FakeClaude, complete: Complete) -> None:
    """The same out of the list of all events, one message of which may come in several."""
    events = [message("1", "I think."), message("1", "Hello.")]
    fake.does("answer", printed(RESULT, *events))
    assert complete(prompt="Hi", model="m") == answered()


def test_complete__call(fake: FakeClaude, complete: Complete, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole call: no tools, no session, no settings, an empty private folder, and nothing said in the arguments."""
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
    """A cloud's credentials reach the CLI where it is told to use that cloud, and only there."""
    monkeypatch.setenv(name, "value")
    seen = []
    for setting in ("", "1"):
        monkeypatch.setenv(switch, setting)
        WAYS["sync"](prompt="Hi", model="m")
        seen.append(fake.call["environment"].get(name))
    assert seen == [None, "value"]


def test_complete__settings(fake: FakeClaude, complete: Complete, agent: Callable[..., None]) -> None:
    """The cap is MAX_TOKENS where the call names none, and CLI_TIMEOUT bounds it, both read at call time."""
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
    """Whatever the prompt is, it arrives on standard input as it is."""
    assert complete(prompt=prompt, model="m") == answered()
    assert fake.call["prompt"] == prompt


def test_complete__prompt_like_a_command(fake: FakeClaude, complete: Complete) -> None:
    """What the CLI would take for a command of its own is told apart by a line break."""
    complete(prompt="/config verbose=true", model="m")
    assert fake.call["prompt"] == "\n/config verbose=true"


def test_complete__lone_surrogate(fake: FakeClaude, complete: Complete) -> None:
    """What is no text is replaced, in the prompt and in the system prompt."""
    complete(prompt="a\ud800b", model="m", system_prompt="c\udfffd")
    assert (fake.call["prompt"], fake.call["system_prompt"]) == ("a?b", "c?d")


@pytest.mark.parametrize("system_prompt", ["s" * 200_000, None, ""], ids=["of 200 KB", "none", "empty"])
def test_complete__system_prompt(fake: FakeClaude, complete: Complete, system_prompt: str | None) -> None:
    """A system prompt goes by file; without one, an empty file takes the place of the CLI's own prompt."""
    complete(prompt="Hi", model="m", system_prompt=system_prompt)
    assert fake.call["system_prompt"] == (system_prompt or "")


@pytest.mark.parametrize("situation", ["speak_first", "read_nothing", "abandon"])
def test_complete__streams(fake: FakeClaude, complete: Complete, situation: str) -> None:
    """It does not matter when the CLI reads and prints, nor who keeps its output open after it."""
    text = "x" * 1_000_000
    fake.does(situation, json.dumps(RESULT | {"result": text}))
    assert complete(prompt="y" * 1_000_000, model="m", timeout=60) == answered(text)
    assert fake.lived() == ({"program", "child"} if situation == "abandon" else {"program"})


def test_complete__timeout(fake: FakeClaude, complete: Complete) -> None:
    """At the timeout the whole process group is ended, also a child that ignores SIGTERM, and the folder is gone."""
    fake.does("hang")
    with pytest.raises(ProviderTimeout, match=r"^no complete answer within 2 s$"):
        complete(prompt="Hi", model="m", timeout=2)
    assert fake.lived() == {"program", "child"}
    assert not Path(fake.call["folder"]).parent.exists()


def test_complete__drip(fake: FakeClaude, complete: Complete) -> None:
    """A byte now and then does not prolong the time."""
    fake.does("drip")
    with pytest.raises(ProviderTimeout):
        complete(prompt="Hi", model="m", timeout=1)
    assert fake.lived() == {"program"}


@pytest.mark.parametrize("situation", ["answer", "flood"])
def test_complete__output_too_large(fake: FakeClaude, complete: Complete, situation: str) -> None:
    """Output over the limit is refused, whether it is complete or has no end."""
    fake.does(situation, json.dumps(RESULT | {"result": "x" * 20_000_000}))
    with pytest.raises(InvalidAnswer, match=r"^the answer is larger than 16,777,216 bytes$"):
        complete(prompt="Hi", model="m", timeout=60)
    assert fake.lived() == {"program"}


async def test_acomplete__cancelled(fake: FakeClaude) -> None:
    """With the awaiting task the whole process group is ended, and the folder is gone."""
    fake.does("hang")
    task = asyncio.create_task(ClaudeCodeCLIProvider().acomplete(prompt="Hi", model="m"))
    assert await asyncio.to_thread(fake.wait_for_life)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert fake.lived() >= {"program"}
    assert not Path(fake.call["folder"]).parent.exists()


async def test_acomplete__side_by_side(fake: FakeClaude) -> None:
    """Calls on one event loop wait at the same time."""
    fake.does("hang")
    calls = [ClaudeCodeCLIProvider().acomplete(prompt="Hi", model="m", timeout=3) for _ in range(4)]
    async with asyncio.timeout(10):
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ProviderTimeout] * 4


def test_complete__not_utf8(fake: FakeClaude, complete: Complete) -> None:
    """Output that is no UTF-8 is read as far as it is."""
    fake.does("answer", json.dumps(RESULT).replace("Hello.", "H\xffllo."))
    assert complete(prompt="Hi", model="m") == answered("H\ufffdllo.")


FINISHES: dict[str, tuple[str, ProviderResult]] = {
    "stop sequence": (json.dumps(RESULT | {"stop_reason": "stop_sequence"}), answered()),
    "no stop reason": (json.dumps({"result": "Hello."}), ProviderResult("Hello.")),
    "null stop reason": (json.dumps(RESULT | {"stop_reason": None}), answered()),
    "cut off": (json.dumps(RESULT | {"stop_reason": "max_tokens"}), answered(finish_reason="length")),
    "cut off, and told to go on": (
        printed(RESULT, message("1", "Hel"), message("2", "Hello.")),
        answered("HelHello.", finish_reason="length"),
    ),
    "cut off for good": (
        printed(
            RESULT
            | {
                "is_error": True,
                "result": "API Error: Claude's response exceeded the 32000 output token maximum. To configure ...",
                "stop_reason": "stop_sequence",
            },
            message("1", "Hel"),
            message("2", "API Error: ...", model="<synthetic>"),
        ),
        answered("Hel", finish_reason="length"),
    ),
    "context window full": (
        json.dumps(RESULT | {"is_error": True, "result": "API Error: The model has reached its context window limit."}),
        answered("", finish_reason="length"),
    ),
    "refused": (
        printed(RESULT | {"is_error": True, "result": "API Error: ... our Usage Policy", "stop_reason": "refusal"}),
        answered("", finish_reason="content_filter"),
    ),
}


@pytest.mark.parametrize(("stdout", "result"), FINISHES.values(), ids=FINISHES)
def test_complete__finish_reason(fake: FakeClaude, complete: Complete, stdout: str, result: ProviderResult) -> None:
    """Why the model stopped is told, also where the CLI makes an error of it or hides it."""
    fake.does("answer", stdout, exit_code=int('"is_error": true' in stdout))
    assert complete(prompt="Hi", model="m") == result


ODD_FIGURES: dict[str, tuple[dict[str, Any], ProviderResult]] = {
    "no usage": ({"usage": None}, ProviderResult("Hello.", metadata={"total_cost_usd": 0.0125})),
    "usage is a list": ({"usage": [1]}, ProviderResult("Hello.", metadata={"total_cost_usd": 0.0125})),
    "odd counts": (
        {"usage": {"input_tokens": "7", "output_tokens": -1, "cache_read_input_tokens": "many"}},
        ProviderResult("Hello.", input_tokens=7, metadata={"total_cost_usd": 0.0125}),
    ),
    "cost is a word": ({"total_cost_usd": "free"}, answered(metadata={})),
    "cost is not a number": ({"total_cost_usd": float("nan")}, answered(metadata={})),
    "cost is endless": ({"total_cost_usd": float("inf")}, answered(metadata={})),
    "cost is negative": ({"total_cost_usd": -1}, answered(metadata={})),
}


@pytest.mark.parametrize(("changes", "result"), ODD_FIGURES.values(), ids=ODD_FIGURES)
def test_complete__odd_figures(
    fake: FakeClaude, complete: Complete, changes: dict[str, Any], result: ProviderResult
) -> None:
    """Figures that cannot be never break an answer."""
    fake.does("answer", json.dumps(RESULT | changes))
    assert complete(prompt="Hi", model="m") == result


def test_complete__figure_of_many_digits(fake: FakeClaude, complete: Complete) -> None:
    """Nor does one too long for an int."""
    fake.does("answer", json.dumps(RESULT).replace('"output_tokens": 7', f'"output_tokens": {"9" * 5000}'))
    assert complete(prompt="Hi", model="m") == answered(output_tokens=0)


def failed(text: str, **changes: Any) -> dict[str, Any]:
    """How the CLI reports an error."""
    return RESULT | {"is_error": True, "result": text, "stop_reason": "stop_sequence", "usage": {}} | changes


REPORTED_FAULTS: dict[str, tuple[dict[str, Any], type[ProviderError], str]] = {
    "wrong key": (
        failed("Invalid API key · Fix external API key", api_error_status=401),
        AccessDenied,
        "HTTP 401: Invalid API key · Fix external API key",
    ),
    "wrong key, no status": (
        failed("Invalid API key · Please run /login"),
        AccessDenied,
        "the Claude Code CLI failed: Invalid API key · Please run /login",
    ),
    "not logged in": (
        failed("Not logged in · Please run /login", api_error_status=None),
        AccessDenied,
        "the Claude Code CLI failed: Not logged in · Please run /login",
    ),
    "no credit": (
        failed("Credit balance is too low", api_error_status=400),
        OutOfCredit,
        "HTTP 400: Credit balance is too low",
    ),
    "no credit, no status": (
        failed("Credit balance is too low"),
        OutOfCredit,
        "the Claude Code CLI failed: Credit balance is too low",
    ),
    "rate limit": (
        failed("API Error: Request rejected (429) · too fast", api_error_status=429),
        RateLimited,
        "HTTP 429: API Error: Request rejected (429) · too fast",
    ),
    "usage limit, no status": (
        failed("Claude AI usage limit reached|1760000000"),
        RateLimited,
        "the Claude Code CLI failed: Claude AI usage limit reached|1760000000",
    ),
    "own limit, no status": (
        failed("You've hit your weekly limit · resets 5pm"),
        RateLimited,
        "the Claude Code CLI failed: You've hit your weekly limit · resets 5pm",
    ),
    "overloaded": (
        failed("API Error: 529 Overloaded.", api_error_status=529),
        ProviderUnavailable,
        "HTTP 529: API Error: 529 Overloaded.",
    ),
    "unreachable": (
        failed("API Error: Unable to connect to API (ConnectionRefused)"),
        ProviderUnavailable,
        "the Claude Code CLI failed: API Error: Unable to connect to API (ConnectionRefused)",
    ),
    "unknown model": (
        failed("There's an issue with the selected model (m).", api_error_status=404),
        RequestRejected,
        "HTTP 404: There's an issue with the selected model (m).",
    ),
    "prompt too long": (
        failed("Prompt is too long"),
        RequestRejected,
        "the Claude Code CLI failed: Prompt is too long",
    ),
    "absurd status": (
        failed("Odd.", api_error_status="many"),
        ProviderUnavailable,
        "the Claude Code CLI failed: Odd.",
    ),
    "several lines and a key": (
        failed("Bad\n\n  header: sk-ant-api03-abcdefgh", api_error_status=400),
        RequestRejected,
        "HTTP 400: Bad header: [redacted]",
    ),
    "a very long text": (
        failed("x" * 5000, api_error_status=500),
        ProviderUnavailable,
        f"HTTP 500: {'x' * 300}",
    ),
    "turns": (
        {"type": "result", "subtype": "error_max_turns", "is_error": True, "errors": ["Reached 3 turns"]},
        InvalidAnswer,
        "the Claude Code CLI gave up: error_max_turns ['Reached 3 turns']",
    ),
    "turns, from a CLI that sees no error in it": (
        {"type": "result", "subtype": "error_max_turns", "is_error": False},
        InvalidAnswer,
        "the Claude Code CLI gave up: error_max_turns []",
    ),
    "execution": (
        {"type": "result", "subtype": "error_during_execution", "is_error": True, "errors": ["it broke"]},
        ProviderUnavailable,
        "the Claude Code CLI failed: error_during_execution ['it broke']",
    ),
}


@pytest.mark.parametrize(("result", "kind", "words"), REPORTED_FAULTS.values(), ids=REPORTED_FAULTS)
def test_complete__reported_fault(
    fake: FakeClaude, complete: Complete, result: dict[str, Any], kind: type[ProviderError], words: str
) -> None:
    """An error that the CLI reports says by its type what happens next, on one short line without secrets."""
    fake.does("answer", json.dumps(result, ensure_ascii=True), exit_code=1)
    with pytest.raises(ProviderError) as raised:
        complete(prompt="Hi", model="m")
    assert (type(raised.value), str(raised.value), raised.value.usage) == (kind, words, None)


def test_complete__paid_fault(fake: FakeClaude, complete: Complete) -> None:
    """What was spent on a failed answer, and what the model wrote, is kept."""
    result = {**RESULT, "subtype": "error_max_structured_output_retries", "is_error": True, "errors": ["5 attempts"]}
    del result["result"]
    fake.does("answer", printed(result, message("1", "I cannot.")), exit_code=1)
    with pytest.raises(InvalidAnswer, match="gave up") as raised:
        complete(prompt="Hi", model="m")
    assert (raised.value.usage, raised.value.text) == (SPENT, "I cannot.")


EXITS: dict[str, tuple[dict[str, Any], type[ProviderError], str]] = {
    "no output": (
        {"stdout": "", "exit_code": 3},
        ProviderUnavailable,
        "the Claude Code CLI ended with exit code 3: ",
    ),
    "words on stderr": (
        {"stdout": "", "stderr": "error: unknown option '--tools'\n", "exit_code": 1},
        ProviderUnavailable,
        "the Claude Code CLI ended with exit code 1: error: unknown option '--tools'",
    ),
    "words on stdout": (
        {"stdout": "Invalid API key, Please run /login\n", "exit_code": 1},
        AccessDenied,
        "the Claude Code CLI ended with exit code 1: Invalid API key, Please run /login",
    ),
    "a blank prompt": (
        {"stdout": "", "stderr": "Error: Input must be provided either through stdin or ...", "exit_code": 1},
        RequestRejected,
        "the Claude Code CLI ended with exit code 1: Error: Input must be provided either through stdin or ...",
    ),
    "a signal": (
        {"stdout": "", "signal": signal.SIGKILL},
        ProviderUnavailable,
        "the Claude Code CLI ended with signal 9: ",
    ),
    "no JSON": (
        {"stdout": "Hello.\nYou."},
        InvalidAnswer,
        "the Claude Code CLI printed no result: 'Hello. You.'",
    ),
    "half of the JSON": (
        {"stdout": '[{"type": "result", "result": "Hel'},
        InvalidAnswer,
        """the Claude Code CLI printed no result: '[{"type": "result", "result": "Hel'""",
    ),
    "JSON of another shape": (
        {"stdout": '{"result": {"a": 1}}'},
        InvalidAnswer,
        """the Claude Code CLI printed no result: '{"result": {"a": 1}}'""",
    ),
    "an empty list": (
        {"stdout": "[]"},
        InvalidAnswer,
        "the Claude Code CLI printed no result: '[]'",
    ),
    "a number": (
        {"stdout": "5"},
        InvalidAnswer,
        "the Claude Code CLI printed no result: '5'",
    ),
    "deep nesting": (
        {"stdout": "[" * 100_000},
        InvalidAnswer,
        f"the Claude Code CLI printed no result: '{'[' * 300}'",
    ),
}


@pytest.mark.parametrize(("situation", "kind", "words"), EXITS.values(), ids=EXITS)
def test_complete__no_result(
    fake: FakeClaude, complete: Complete, situation: dict[str, Any], kind: type[ProviderError], words: str
) -> None:
    """A CLI that ends without a result is a fault that tells how it ended and what it said."""
    fake.does("answer", **situation)
    with pytest.raises(ProviderError) as raised:
        complete(prompt="Hi", model="m")
    assert (type(raised.value), str(raised.value)) == (kind, words)


def test_complete__result_before_a_failure(fake: FakeClaude, complete: Complete) -> None:
    """A result counts for nothing when the CLI fails after it; but it was paid."""
    fake.does("answer", stderr="panic", exit_code=2)
    with pytest.raises(ProviderUnavailable, match=r"^the Claude Code CLI ended with exit code 2: panic$") as raised:
        complete(prompt="Hi", model="m")
    assert (raised.value.usage, raised.value.text) == (SPENT, "Hello.")


def test_complete__broken_off(fake: FakeClaude, complete: Complete) -> None:
    """A stream that ended early leaves a result without a reason to stop, and without a count."""
    fake.does("answer", printed(RESULT | {"result": "Hel", "stop_reason": None, "usage": {}}, message("1", "Hel")))
    with pytest.raises(InvalidAnswer, match=r"^the answer broke off before its end$") as raised:
        complete(prompt="Hi", model="m")
    assert raised.value.text == "Hel"


def test_complete__no_text(fake: FakeClaude, complete: Complete) -> None:
    """An answer without a text is none."""
    fake.does("answer", json.dumps(RESULT | {"result": ""}))
    with pytest.raises(InvalidAnswer, match=r"^the answer holds no text$") as raised:
        complete(prompt="Hi", model="m")
    assert raised.value.usage == SPENT


def test_complete__structured(fake: FakeClaude, complete: Complete) -> None:
    """With a schema, the answer is the value that the CLI has checked, as JSON; further turns are part of the way."""
    result = RESULT | {"result": "Done.", "stop_reason": "tool_use", "structured_output": {"city": "Łódź", "n": 10**12}}
    events = [message("1", "Let me see."), message("2", "Done.")]
    fake.does("answer", printed(result, *events, tools=["StructuredOutput"]))
    assert complete(prompt="Hi", model="m", schema=SCHEMA) == answered('{"city": "Łódź", "n": 1000000000000}')
    assert json.loads(fake.call["argv"][-1]) == SCHEMA
    assert fake.call["argv"][-2] == "--json-schema"


def test_complete__structured_not_used(fake: FakeClaude, complete: Complete) -> None:
    """Where the model has answered in words all the same, the words are the answer, for the verb to judge."""
    fake.does("answer", printed(RESULT, tools=["StructuredOutput"]))
    assert complete(prompt="Hi", model="m", schema=SCHEMA) == answered()


def test_complete__schema_ignored(fake: FakeClaude, complete: Complete) -> None:
    """A schema that the CLI has silently dropped is a fault."""
    fake.does("answer", printed(RESULT, tools=[]))
    with pytest.raises(RequestRejected, match="ignored the schema") as raised:
        complete(prompt="Hi", model="m", schema=SCHEMA)
    assert raised.value.usage == SPENT


SCHEMAS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "what it knows stays": (
        {"type": "object", "properties": {"$schema": {"enum": ["format", {"format": 1}]}}, "$defs": {"not": {}}},
        {"type": "object", "properties": {"$schema": {"enum": ["format", {"format": 1}]}}, "$defs": {"not": {}}},
    ),
    "the dialect is dropped": (
        {"$schema": "https://json-schema.org/draft/2020-12/schema", **SCHEMA},
        SCHEMA,
    ),
    "what it does not know is told": (
        {"type": "object", "properties": {"day": {"type": "string", "format": "date", "description": "When."}}},
        {
            "type": "object",
            "properties": {"day": {"type": "string", "description": 'When. JSON Schema: {"format": "date"}'}},
        },
    ),
    "also deep down": (
        {"type": "object", "anyOf": [{"items": {"additionalProperties": {"nullable": True}}}]},
        {
            "type": "object",
            "anyOf": [{"items": {"additionalProperties": {"description": 'JSON Schema: {"nullable": true}'}}}],
        },
    ),
    "items after a prefix are told with it": (
        {"type": "object", "properties": {"a": {"prefixItems": [{"type": "string"}], "items": False}}},
        {
            "type": "object",
            "properties": {
                "a": {"description": 'JSON Schema: {"prefixItems": [{"type": "string"}], "items": false}'},
            },
        },
    ),
}


@pytest.mark.parametrize(("schema", "argument"), SCHEMAS.values(), ids=SCHEMAS)
def test_complete__schema(
    fake: FakeClaude, complete: Complete, schema: dict[str, Any], argument: dict[str, Any]
) -> None:
    """The CLI is given a schema in the words that its validator knows."""
    complete(prompt="Hi", model="m", schema=schema)
    assert json.loads(fake.call["argv"][-1]) == argument


UNFIT_SCHEMAS: dict[str, tuple[dict[str, Any], str]] = {
    "an array at the root": ({"type": "array"}, 'needs a schema with "type": "object" at its root'),
    "no type at the root": ({"anyOf": [{"type": "object"}]}, 'needs a schema with "type": "object" at its root'),
    "no JSON": ({"type": "object", "default": {1, 2}}, r"cannot be written as JSON \(TypeError\)"),
    "too long": ({"type": "object", "title": "x" * 200_000}, "too long for the Claude Code CLI, which takes 128 KiB"),
}


@pytest.mark.parametrize(("schema", "words"), UNFIT_SCHEMAS.values(), ids=UNFIT_SCHEMAS)
def test_complete__unfit_schema(fake: FakeClaude, complete: Complete, schema: dict[str, Any], words: str) -> None:
    """A schema that cannot be handed to the CLI is rejected with the reason."""
    with pytest.raises(RequestRejected, match=words):
        complete(prompt="Hi", model="m", schema=schema)


@pytest.mark.parametrize("binary", ["no-such-program", "/no/such/program", "", None, "/etc/passwd", "/tmp"])
def test_complete__no_binary(complete: Complete, agent: Callable[..., None], binary: str | None) -> None:
    """What is no program is a fault that names the setting, at the call and at check time."""
    agent(CLI_BINARY=binary)
    with pytest.raises(ProviderUnavailable, match=r"set STAPEL_AGENT\['CLI_BINARY'\] to its path") as raised:
        complete(prompt="Hi", model="m")
    assert ClaudeCodeCLIProvider().configuration_error() == str(raised.value)


@pytest.mark.parametrize("content", ["#!/no/such/interpreter\n", "\x00no program"])
def test_complete__broken_binary(fake: FakeClaude, complete: Complete, content: str) -> None:
    """A file that is marked as a program, and is none, is a fault that names the setting too."""
    fake.binary.write_text(content)
    with pytest.raises(ProviderUnavailable, match=r"could not be run \(.+\): set STAPEL_AGENT\['CLI_BINARY'\]"):
        complete(prompt="Hi", model="m")


def test_configuration_error__binary_is_there(fake: FakeClaude) -> None:
    """There is nothing to report where the program is there."""
    assert ClaudeCodeCLIProvider().configuration_error() is None


def test_configuration_error__on_the_path(
    fake: FakeClaude, agent: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bare name is looked for on PATH, where the folder may be relative."""
    agent(CLI_BINARY="claude")
    monkeypatch.chdir(fake.binary.parent)
    monkeypatch.setenv("PATH", f".:{os.environ['PATH']}")
    assert ClaudeCodeCLIProvider().configuration_error() is None
    assert WAYS["sync"](prompt="Hi", model="m") == answered()
