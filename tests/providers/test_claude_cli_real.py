"""The real Claude Code CLI against a loopback server: what it sends, and what it leaves on the host."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from stapel_agent.exceptions import (
    AccessDenied,
    AnswerInterrupted,
    InvalidAnswer,
    OutOfCredit,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    ProviderUnreachable,
    RateLimited,
    RequestRejected,
)
from stapel_agent.providers.base import ProviderResult
from stapel_agent.types import Usage
from tests.providers.message_stream import (
    MESSAGE_STOP,
    error_document,
    error_event,
    event,
    message,
    message_delta,
    message_start,
    stream,
    text_block,
)
from tests.providers.test_claude_cli import WAYS, Complete
from tests.scripted_server import Reply, Request, ScriptedServer

BINARY = (
    shutil.which(os.environ.get("CLAUDE_CLI_BINARY", "/tmp/claude-cli/node_modules/.bin/claude"))
    or shutil.which("claude")
    or ""
)

pytestmark = [
    pytest.mark.cli,
    pytest.mark.skipif(not BINARY, reason="no Claude Code CLI: set CLAUDE_CLI_BINARY to its path"),
]

MODEL = "claude-haiku-4-5"
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {"day": {"type": "string", "format": "date"}},
    "required": ["day"],
}


class MessagesServer(ScriptedServer):
    """Answers the HEAD request with which the CLI opens its connection, outside of the script."""

    def reply_to(self, request: Request) -> Reply:
        return super().reply_to(request) if request.method == "POST" else Reply()


Serve = Callable[..., ScriptedServer]


@pytest.fixture(params=sorted(WAYS))
def complete(request: pytest.FixtureRequest) -> Complete:
    """`complete()`, and `acomplete()` on an event loop."""
    return WAYS[request.param]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, agent: Callable[..., None]) -> Path:
    """A home folder for the CLI, with a user's settings, memory, command and MCP server."""
    for name in list(os.environ):
        if name.startswith(("ANTHROPIC_", "CLAUDE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-a-dummy-key")
    agent(CLI_BINARY=BINARY, CLI_TIMEOUT=60)
    settings = tmp_path / ".claude"
    (settings / "commands").mkdir(parents=True)
    (settings / "commands" / "greet.md").write_text("a private command")
    (settings / "CLAUDE.md").write_text("a private memory")
    hook = {"type": "command", "command": f"touch {tmp_path}/hooked"}
    hooks = {name: [{"hooks": [hook]}] for name in ("SessionStart", "UserPromptSubmit")}
    (settings / "settings.json").write_text(json.dumps({"hooks": hooks}))
    server = {"command": "touch", "args": [f"{tmp_path}/served"]}
    (tmp_path / ".claude.json").write_text(json.dumps({"mcpServers": {"private": server}}))
    return tmp_path


@pytest.fixture
def serve(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start the server that the CLI calls, with these replies."""
    servers = []

    def start(*replies: Reply) -> ScriptedServer:
        server = MessagesServer(*replies).__enter__()
        servers.append(server)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        return server

    yield start
    for server in servers:
        server.__exit__()


def tool_call(arguments: dict[str, Any]) -> Reply:
    """An answer that calls the tool by which the CLI implements structured output."""
    block = {"type": "tool_use", "id": "toolu_1", "name": "StructuredOutput", "input": {}}
    delta = {"type": "input_json_delta", "partial_json": json.dumps(arguments)}
    return stream(
        message_start(),
        event("content_block_start", index=0, content_block=block),
        event("content_block_delta", index=0, delta=delta),
        event("content_block_stop", index=0),
        message_delta("tool_use"),
        MESSAGE_STOP,
    )


def cut_off(text: str, identity: str) -> Reply:
    """An answer that was cut off at the token cap."""
    start = message_start().replace(b"msg_1", identity.encode())
    return stream(start, text_block(text), message_delta("max_tokens"), MESSAGE_STOP)


def survivors(home: Path) -> list[str]:
    """The other processes with `home` as their home folder."""
    mark = f"HOME={home}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0") and folder.name != str(os.getpid()):
                found.append(folder.name)
        except OSError:
            continue
    return found


def test_real__whole_call(serve: Serve, home: Path, complete: Complete) -> None:
    """One request is sent: the prompt, the cap, the system prompt, no tools, no thinking, nothing of the user's.

    The home folder then contains neither prompt nor answer, and no process is left.
    """
    server = serve(stream(message("a marked", " answer")))
    result = complete(prompt="a marked prompt", model=MODEL, system_prompt="a marked system prompt", max_tokens=777)
    assert result == ProviderResult("a marked answer", input_tokens=25, output_tokens=15, cost_usd=result.cost_usd)
    assert result.cost_usd > 0
    (request,) = server.requests
    body = request.json
    texts = [block["text"] for block in body["messages"][0]["content"]]
    assert (request.path, request.headers["x-api-key"]) == ("/v1/messages?beta=true", "sk-ant-a-dummy-key")
    assert (body["model"], body["max_tokens"], body["tools"], body["stream"]) == (MODEL, 777, [], True)
    assert ("thinking" in body, len(body["messages"]), texts[-1]) == (False, 1, "a marked prompt")
    assert body["system"][-1]["text"] == "a marked system prompt"
    assert b"a private" not in request.body
    assert not (home / "hooked").exists()
    assert not (home / "served").exists()
    kept = [path.read_text(errors="replace") for path in home.rglob("*") if path.is_file()]
    assert len(kept) > 3
    assert not [text for text in kept if "a marked" in text]
    assert survivors(home) == []


PROMPTS = {
    "of 1 MB": "prompt é " * 100_000,
    "like an option": "--dangerously-skip-permissions",
    "with white space around": " \n x \n",
    "a word that asks for thinking": "ultrathink about it",
}


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_real__prompt(serve: Serve, prompt: str) -> None:
    """Any prompt arrives at the model unchanged, beside a large system prompt."""
    server = serve(stream(message("Hello.")))
    system_prompt = "s" * 200_000
    assert WAYS["sync"](prompt=prompt, model=MODEL, system_prompt=system_prompt).text == "Hello."
    (request,) = server.requests
    texts = [block["text"] for block in request.json["messages"][0]["content"]]
    assert texts[-1] == prompt
    assert len(texts) == 2  # the CLI adds the date
    assert request.json["system"][-1]["text"] == system_prompt


def test_real__prompt_like_a_file_name(serve: Serve, home: Path) -> None:
    """The name of a file in a prompt stays a name: its content is not sent.

    Without a system prompt, the model gets only the line in which the CLI names itself.
    """
    server = serve(stream(message("Hello.")))
    (home / "secret.txt").write_text("the secret itself")
    WAYS["sync"](prompt=f"@{home}/secret.txt What is in it?", model=MODEL)
    (request,) = server.requests
    assert f"@{home}/secret.txt".encode() in request.body
    assert b"the secret itself" not in request.body
    assert len("".join(block["text"] for block in request.json["system"])) < 200


@pytest.mark.parametrize("prompt", ["/config verbose=true", "/greet", "/no-such-command"])
def test_real__prompt_like_a_command(serve: Serve, home: Path, prompt: str) -> None:
    """A command of the CLI in a prompt is sent to the model, not executed."""
    server = serve(stream(message("Hello.")))
    settings = (home / ".claude" / "settings.json").read_text()
    assert WAYS["sync"](prompt=prompt, model=MODEL).text == "Hello."
    (request,) = server.requests
    assert request.json["messages"][0]["content"][-1]["text"].strip() == prompt
    assert (home / ".claude" / "settings.json").read_text() == settings


def test_real__blank_prompt(serve: Serve) -> None:
    """The CLI refuses an empty prompt and says why."""
    server = serve(stream(message("Hello.")))
    with pytest.raises(RequestRejected, match="Input must be provided"):
        WAYS["sync"](prompt="", model=MODEL)
    assert server.requests == []


def test_real__structured(serve: Serve) -> None:
    """A schema is the input of a tool that the model must call. Its arguments are the answer."""
    server = serve(tool_call({"day": "2024-02-29"}))
    result = WAYS["sync"](prompt="Hi", model=MODEL, schema=SCHEMA)
    assert (json.loads(result.text), result.finish_reason) == ({"day": "2024-02-29"}, "stop")
    (tool,) = server.requests[0].json["tools"]
    assert tool["name"] == "StructuredOutput"
    assert tool["input_schema"] == {
        "type": "object",
        "properties": {"day": {"type": "string", "description": 'JSON Schema: {"format": "date"}'}},
        "required": ["day"],
    }


def test_real__structured_mismatch(serve: Serve) -> None:
    """The CLI returns arguments that break the schema to the model. The corrected ones are the answer."""
    server = serve(tool_call({"day": 29}), tool_call({"day": "2024-02-29"}))
    result = WAYS["sync"](prompt="Hi", model=MODEL, schema=SCHEMA)
    assert (json.loads(result.text), result.output_tokens, len(server.requests)) == ({"day": "2024-02-29"}, 30, 2)


def test_real__structured_never(serve: Serve) -> None:
    """The CLI gives up if the model never satisfies the schema."""
    serve(tool_call({"day": 29}))
    with pytest.raises(InvalidAnswer, match="gave up") as raised:
        WAYS["sync"](prompt="Hi", model=MODEL, schema=SCHEMA)
    assert raised.value.usage


def test_real__schema_ignored(serve: Serve) -> None:
    """The CLI silently drops a schema that its validator cannot read. Here it is an error."""
    serve(stream(message("Hello.")))
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": r"\-"}}}
    with pytest.raises(RequestRejected, match="ignored the schema"):
        WAYS["sync"](prompt="Hi", model=MODEL, schema=schema)


def test_real__cut_off_and_continued(serve: Serve) -> None:
    """The CLI asks a truncated model to continue and reports the last part. Here the answer is truncated."""
    server = serve(cut_off('{"a": [1,', "msg_1"), stream(message("2]}").replace(b"msg_1", b"msg_2")))
    result = WAYS["sync"](prompt="Hi", model=MODEL)
    assert (result.finish_reason, result.text, result.output_tokens) == ("length", '{"a": [1,2]}', 30)
    assert len(server.requests) == 2


def test_real__cut_off_for_good(serve: Serve) -> None:
    """A model that is truncated each time is a truncated answer too."""
    serve(*(cut_off("la ", f"msg_{number}") for number in range(1, 9)))
    result = WAYS["sync"](prompt="Hi", model=MODEL)
    assert (result.finish_reason, result.text.strip("la ")) == ("length", "")


def test_real__refusal(serve: Serve) -> None:
    """A refusal is reported as a refusal."""
    serve(stream(message_start(), text_block("I"), message_delta("refusal"), MESSAGE_STOP))
    assert WAYS["sync"](prompt="Hi", model=MODEL).finish_reason == "content_filter"


def test_real__broken_off(serve: Serve) -> None:
    """A stream that ends between a text and its stop reason is not an answer."""
    serve(stream(message_start(), text_block("Half of"), ending="close"))
    with pytest.raises(AnswerInterrupted, match="ended before") as raised:
        WAYS["sync"](prompt="Hi", model=MODEL)
    assert raised.value.text == "Half of"


def test_real__error_in_the_stream(serve: Serve) -> None:
    """A text that ends in an error is a failure that may be billed. The CLI does not retry it without streaming."""
    begun = text_block("Half of").removesuffix(event("content_block_stop", index=0))
    server = serve(stream(message_start(), begun, error_event("overloaded_error", "Overloaded")))
    with pytest.raises(ProviderUnavailable, match="Overloaded") as raised:
        WAYS["sync"](prompt="Hi", model=MODEL)
    assert raised.value.may_be_billed
    assert len(server.requests) == 1


def test_real__error_before_the_text(serve: Serve) -> None:
    """The CLI itself repeats a request whose stream fails before a text. The cost is that of all of them."""
    server = serve(stream(message_start(), error_event("overloaded_error", "Overloaded")))
    with pytest.raises(ProviderUnavailable, match="Overloaded") as raised:
        WAYS["sync"](prompt="Hi", model=MODEL)
    assert raised.value.may_be_billed
    assert raised.value.usage.cost_usd == len(server.requests) * Decimal("0.00003")


def test_real__error_after_a_block(serve: Serve) -> None:
    """After a whole block of text, the CLI prints the text and the input. Both are kept."""
    server = serve(stream(message_start(), text_block("Half of"), error_event("overloaded_error", "Overloaded")))
    with pytest.raises(ProviderUnavailable, match="Overloaded") as raised:
        WAYS["sync"](prompt="Hi", model=MODEL)
    assert (raised.value.text, raised.value.usage) == ("Half of", Usage(25))
    assert len(server.requests) == 1


REFUSALS: dict[str, tuple[int, str, str, type[ProviderError]]] = {
    "wrong key": (401, "authentication_error", "invalid x-api-key", AccessDenied),
    "no credit": (400, "invalid_request_error", "Your credit balance is too low to access the API.", OutOfCredit),
    "unknown model": (404, "not_found_error", "model: m", RequestRejected),
    "rate limit": (429, "rate_limit_error", "too many requests", RateLimited),
    "overloaded": (529, "overloaded_error", "Overloaded", ProviderUnavailable),
}


@pytest.mark.parametrize(("status", "kind", "words", "fault"), REFUSALS.values(), ids=REFUSALS)
def test_real__refused(serve: Serve, status: int, kind: str, words: str, fault: type[ProviderError]) -> None:
    """An error of the API raises the exception for its status, at once."""
    server = serve(Reply.of(error_document(kind, words), status=status, headers={"retry-after": "1"}))
    with pytest.raises(ProviderError) as raised:
        WAYS["sync"](prompt="Hi", model=MODEL)
    assert (type(raised.value), raised.value.may_be_billed) == (fault, False)
    assert str(raised.value).startswith(f"HTTP {status}: ")
    assert len(server.requests) <= 2  # the CLI asks what an unknown model is


def test_real__not_logged_in(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A CLI without credentials is reported as such."""
    serve(stream(message("Hello.")))
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(AccessDenied, match="Not logged in"):
        WAYS["sync"](prompt="Hi", model=MODEL)


def test_real__unreachable(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An API that cannot be reached is a temporary error."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    with pytest.raises(ProviderUnreachable, match="Unable to connect"):
        WAYS["sync"](prompt="Hi", model=MODEL)


def test_real__timeout(serve: Serve, home: Path, complete: Complete) -> None:
    """At the timeout, the real CLI ends with everything that it started."""
    serve(stream(message_start(), content_length=1_000_000, ending="hang"))
    with pytest.raises(ProviderTimeout):
        complete(prompt="Hi", model=MODEL, timeout=3)
    assert survivors(home) == []
