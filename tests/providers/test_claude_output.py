"""The output of the Claude Code CLI: its answers, and the errors that it reports, hides or causes."""

import json
from decimal import Decimal
from typing import Any

import pytest

from stapel_agent.exceptions import (
    AccessDenied,
    AnswerInterrupted,
    AnswerMissing,
    AnswerRefused,
    InvalidAnswer,
    OutOfCredit,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    ProviderUnreachable,
    RateLimited,
    RequestInterrupted,
    RequestRejected,
)
from stapel_agent.providers.base import ProviderResult
from stapel_agent.providers.claude_output import read_output
from stapel_agent.providers.wire.optional_fields import OptionalFields
from stapel_agent.providers.wire.subprocess_runner import Outcome
from stapel_agent.types import Usage

from .claude_result import RESULT, SPENT, answered


def printed(result: dict[str, Any], *events: dict[str, Any], tools: list[str] | None = None) -> str:
    """Everything that the CLI prints: its events, the result last."""
    return json.dumps([{"type": "system", "subtype": "init", "tools": tools or []}, *events, result])


def message(identity: str, *texts: str, model: str = "claude-x") -> dict[str, Any]:
    """The event of a message from the model."""
    content = [{"type": "text", "text": text} for text in texts]
    return {"type": "assistant", "message": {"id": identity, "model": model, "content": content}}


def read(stdout: str, *, stderr: str = "", exit_code: int = 0, structured: bool = False) -> ProviderResult:
    return read_output(
        Outcome(exit_code, stdout.encode(), stderr.encode()), structured=structured, optional_fields=OptionalFields()
    )


def test_read_output__result_alone() -> None:
    """Text, disjoint token counts and the cost are read from one object."""
    assert read(json.dumps(RESULT)) == answered()


def test_read_output__events() -> None:
    """A list of all events gives the same."""
    assert read(printed(RESULT, message("1", "Hello."))) == answered()


@pytest.mark.parametrize("result", ["I think. ", "Hello.", "I think. Hello.", " Hello.\n"])
def test_read_output__message_in_several_events(result: str) -> None:
    """The parts of one message are one text, whichever of them the CLI prints as the result."""
    events = [message("1", "I think. "), message("1"), message("1", "Hello.")]
    assert read(printed(RESULT | {"result": result}, *events)) == answered("I think. Hello.")


def test_read_output__result_of_its_own() -> None:
    """A result that is in no message is the text."""
    assert read(printed(RESULT, message("1", "Something else."))) == answered()


LATER: list[dict[str, Any]] = [
    {"type": "system", "subtype": "hook_response", "output": "bye"},
    {"type": "assistant", "message": {"id": "1", "content": [{"type": "text", "text": " You."}]}},
]


@pytest.mark.parametrize("before", ["", "Using node v22\n", "nvm [22] {lts}:\n\n", '{"level": "info"}\n'])
@pytest.mark.parametrize("after", ["", "\n", "\nbye [1]\n"])
@pytest.mark.parametrize("separator", [None, "\n"])
def test_read_output__wrapper(before: str, after: str, separator: str | None) -> None:
    """Lines of a wrapper around the JSON, and events after the result, lose neither text nor figures."""
    events = [message("1", "Hello."), RESULT, *LATER]
    stdout = json.dumps(events) if separator is None else separator.join(map(json.dumps, events))
    assert read(f"{before}{stdout}{after}") == answered("Hello. You.")


def test_read_output__title_of_a_terminal() -> None:
    """A wrapper's output without a line break is not part of the JSON."""
    assert read("\x1b]0;claude\x07" + printed(RESULT)) == answered()


def test_read_output__wrapper_before_json_of_several_lines() -> None:
    """JSON on several lines is found below the line of a wrapper."""
    assert read("Using node v22\n" + json.dumps([RESULT], indent=2)) == answered()


@pytest.mark.parametrize("text", ["", " \n"])
def test_read_output__blank(text: str) -> None:
    """A blank text is not an answer."""
    with pytest.raises(AnswerMissing, match="^the answer contains no text$") as raised:
        read(json.dumps(RESULT | {"result": text}))
    assert raised.value.usage == SPENT


def test_read_output__not_utf8() -> None:
    """Output that is not UTF-8 is read as far as possible."""
    stdout = json.dumps(RESULT).encode().replace(b"Hello.", b"H\xffllo.")
    assert read_output(Outcome(0, stdout, b""), structured=False, optional_fields=OptionalFields()) == answered(
        "H\ufffdllo."
    )


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
def test_read_output__finish_reason(stdout: str, result: ProviderResult) -> None:
    """The finish reason is found, even if the CLI reports it as an error or hides it."""
    assert read(stdout, exit_code=int('"is_error": true' in stdout)) == result


ODD_FIGURES: dict[str, tuple[dict[str, Any], ProviderResult]] = {
    "no usage": ({"usage": None}, ProviderResult("Hello.", cost_usd=Decimal("0.0125"))),
    "usage is a list": ({"usage": [1]}, ProviderResult("Hello.", cost_usd=Decimal("0.0125"))),
    "odd counts": (
        {"usage": {"input_tokens": "7", "output_tokens": -1, "cache_read_input_tokens": "many"}},
        ProviderResult("Hello.", 7, None, cache_read_tokens=None, cost_usd=Decimal("0.0125")),
    ),
    "cost is a word": ({"total_cost_usd": "free"}, answered(cost_usd=None)),
    "cost is not a number": ({"total_cost_usd": float("nan")}, answered(cost_usd=None)),
    "cost is endless": ({"total_cost_usd": float("inf")}, answered(cost_usd=None)),
    "cost is negative": ({"total_cost_usd": -1}, answered(cost_usd=None)),
}


@pytest.mark.parametrize(("changes", "result"), ODD_FIGURES.values(), ids=ODD_FIGURES)
def test_read_output__odd_figures(changes: dict[str, Any], result: ProviderResult) -> None:
    """Impossible figures never break an answer."""
    assert read(json.dumps(RESULT | changes)) == result


def test_read_output__cache_writes_by_their_lifetime() -> None:
    """If the sum of the cache writes is missing, it is that of its parts."""
    parts = {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 100}
    usage = RESULT["usage"] | {"cache_creation_input_tokens": None, "cache_creation": parts}  # type: ignore[operator]
    assert read(json.dumps(RESULT | {"usage": usage})) == answered(cache_write_tokens=400, cache_write_1h_tokens=100)


def test_read_output__figure_of_many_digits() -> None:
    """A number that is too long for an int does not break an answer."""
    stdout = json.dumps(RESULT).replace('"output_tokens": 7', f'"output_tokens": {"9" * 5000}')
    assert read(stdout) == answered(output_tokens=2**31 - 1)


@pytest.mark.parametrize("figure", [10**25, -(10**19), 10**299])
def test_read_output__large_integer_of_the_answer(figure: int) -> None:
    """Numbers in an answer to a schema are not the CLI's figures, and stay as they are."""
    stdout = json.dumps(RESULT | {"structured_output": {"wei": figure}})
    assert json.loads(read(stdout, structured=True).text) == {"wei": figure}


def failed(text: str, **changes: Any) -> dict[str, Any]:
    """An error as the CLI reports it."""
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
    "overloaded, no status": (
        failed("API Error: Overloaded"),
        ProviderUnavailable,
        "the Claude Code CLI failed: API Error: Overloaded",
    ),
    "unreachable": (
        failed("API Error: Unable to connect to API (ConnectionRefused)"),
        ProviderUnreachable,
        "the Claude Code CLI failed: API Error: Unable to connect to API (ConnectionRefused)",
    ),
    "reset": (
        failed("API Error: Unable to connect to API (ECONNRESET)"),
        RequestInterrupted,
        "the Claude Code CLI failed: API Error: Unable to connect to API (ECONNRESET)",
    ),
    "some connection error": (
        failed("API Error: Connection error."),
        RequestInterrupted,
        "the Claude Code CLI failed: API Error: Connection error.",
    ),
    "timeout": (
        failed("API Error: Request timed out."),
        ProviderTimeout,
        "the Claude Code CLI failed: API Error: Request timed out.",
    ),
    "a gateway's status in the text": (
        failed("API Error: 504 upstream"),
        RequestInterrupted,
        "HTTP 504: API Error: 504 upstream",
    ),
    "a status in the text": (
        failed("API Error: 529 Overloaded."),
        ProviderUnavailable,
        "HTTP 529: API Error: 529 Overloaded.",
    ),
    "unknown model": (
        failed("There's an issue with the selected model (m).", api_error_status=404),
        RequestRejected,
        "HTTP 404: There's an issue with the selected model (m).",
    ),
    "a status after a cloud's model": (
        failed("API Error (us.anthropic.claude-x-v1:0): 429 Too many tokens"),
        RateLimited,
        "HTTP 429: API Error (us.anthropic.claude-x-v1:0): 429 Too many tokens",
    ),
    "a status after a model with a date or a context window": (
        failed("API Error (claude-x@20250929[1m]): 429 Too many tokens"),
        RateLimited,
        "HTTP 429: API Error (claude-x@20250929[1m]): 429 Too many tokens",
    ),
    "unknown model, no status": (
        failed("There's an issue with the selected model (m)."),
        RequestRejected,
        "the Claude Code CLI failed: There's an issue with the selected model (m).",
    ),
    "refused, no stop reason": (
        failed("API Error: Claude Code is unable to respond, which appears to violate our Usage Policy."),
        AnswerRefused,
        "the Claude Code CLI failed: "
        "API Error: Claude Code is unable to respond, which appears to violate our Usage Policy.",
    ),
    "filtered, no status": (
        failed("API Error: Output blocked by content filtering policy"),
        AnswerRefused,
        "the Claude Code CLI failed: API Error: Output blocked by content filtering policy",
    ),
    "disabled organization": (
        failed("Your ANTHROPIC_API_KEY belongs to a disabled organization"),
        AccessDenied,
        "the Claude Code CLI failed: Your ANTHROPIC_API_KEY belongs to a disabled organization",
    ),
    "prompt too long": (
        failed("Prompt is too long"),
        RequestRejected,
        "the Claude Code CLI failed: Prompt is too long",
    ),
    "absurd status": (
        failed("Odd.", api_error_status="many"),
        RequestInterrupted,
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
        RequestInterrupted,
        "the Claude Code CLI failed: error_during_execution ['it broke']",
    ),
}


@pytest.mark.parametrize("earlier", [[], [message("0", "Hel")]])
def test_read_output__error_that_no_field_states(earlier: list[dict[str, Any]]) -> None:
    """What the CLI itself wrote in place of the model is an error, not an answer."""
    words = "API Error: 400 output_config.effort: Extra inputs are not permitted"
    result = RESULT | {"result": words, "stop_reason": "stop_sequence", "usage": {}, "total_cost_usd": 0}
    with pytest.raises(RequestRejected, match=f"^HTTP 400: {words}$"):
        read(printed(result, *earlier, message("1", words, model="<synthetic>")))


@pytest.mark.parametrize(("result", "kind", "words"), REPORTED_FAULTS.values(), ids=REPORTED_FAULTS)
def test_read_output__reported_fault(result: dict[str, Any], kind: type[ProviderError], words: str) -> None:
    """An error of the CLI has a type that decides what happens next, and one short line without secrets."""
    with pytest.raises(ProviderError) as raised:
        read(json.dumps(result), exit_code=1)
    assert (type(raised.value), str(raised.value), raised.value.usage) == (kind, words, None)


def billed(result: dict[str, Any], **printout: Any) -> bool:
    """Whether the call may be billed that ended with this fault."""
    with pytest.raises(ProviderError) as raised:
        read(json.dumps(result) if result else "", exit_code=1, **printout)
    return raised.value.may_be_billed


MAYBE_BILLED = (
    *("API Error: This request would exceed your rate limit", "API Error: Rate limit reached"),
    *("API Error: Request timed out.", "API Error: Connection error."),
    *("API Error: Unable to connect to API (ECONNRESET)", "API Error: Overloaded", "API Error: Service unavailable"),
    *("API Error: Output blocked by content filtering policy", "This appears to violate our Usage Policy"),
    *("API Error: Internal server error", "API Error: Stream ended without receiving any events", ""),
)
NOTHING_SENT = (
    *("Credit balance is too low", "Invalid API key · Fix external API key", "Please run /login · API Error: 1"),
    *("Your organization does not have access to Claude.", "Claude AI usage limit reached|1760000000"),
    *("You've hit your weekly limit · resets 5pm", "Your session limit reached ∙ resets 3am"),
    *("Could not load credentials from any providers", "Could not load the default credentials"),
    *("The security token included in the request is expired", "This organization has been disabled."),
    *("Token is expired. To refresh this SSO session run 'aws sso login'", "Extra usage is required for 1M context"),
    *("There's an issue with the selected model (m).", "Your key belongs to a disabled organization"),
    *("Not logged in · Please run /login", "error: unknown option '--tools'", "Prompt is too long"),
    *("exec: node: No such file or directory", "Error: Input must be provided either through stdin or ..."),
    *("API Error: Unable to connect to API (ConnectionRefused)", "API Error: Unable to connect: certificate expired"),
)


@pytest.mark.parametrize("words", MAYBE_BILLED + NOTHING_SENT)
def test_read_output__error_without_a_status(words: str) -> None:
    """An error without a status may come after the answer began: its words say whether it may be billed."""
    expected = words in MAYBE_BILLED
    assert billed(failed(words)) is expected
    assert billed({}, stderr=words) is expected


@pytest.mark.parametrize(("status", "expected"), [(401, False), (429, False), (500, False), (529, False), (504, True)])
def test_read_output__error_with_a_status(status: int, expected: bool) -> None:
    """A status comes before an answer, which has not begun: it decides, whatever the words are."""
    assert billed(failed("API Error: Overloaded", api_error_status=status)) is expected


def test_read_output__error_after_the_start_of_an_answer() -> None:
    """What the answer stated at its start is kept: all of the input. Its output is unknown."""
    begun = message("1", "Half of")
    begun["message"]["usage"] = {"input_tokens": 25, "cache_read_input_tokens": 5, "output_tokens": 1}
    own = message("2", "API Error: Overloaded", model="<synthetic>")
    own["message"]["usage"] = {"input_tokens": 0, "output_tokens": 0}
    with pytest.raises(ProviderUnavailable) as raised:
        read(printed(failed("API Error: Overloaded", total_cost_usd=0), begun, own), exit_code=1)
    assert (raised.value.usage, raised.value.text) == (Usage(25, cache_read_tokens=5), "Half of")
    assert raised.value.usage.unknown == {"output_tokens"}


def test_read_output__paid_fault() -> None:
    """A failed answer keeps what was spent and what the model wrote."""
    result = {**RESULT, "subtype": "error_max_structured_output_retries", "is_error": True, "errors": ["5 attempts"]}
    del result["result"]
    with pytest.raises(InvalidAnswer, match="gave up") as raised:
        read(printed(result, message("1", "I cannot.")), exit_code=1)
    assert (raised.value.usage, raised.value.text) == (SPENT, "I cannot.")


EXITS: dict[str, tuple[dict[str, Any], type[ProviderError], str]] = {
    "no output": (
        {"stdout": "", "exit_code": 3},
        RequestInterrupted,
        "the Claude Code CLI ended with exit code 3: ",
    ),
    "words on stderr": (
        {"stdout": "", "stderr": "error: unknown option '--tools'\n", "exit_code": 1},
        AccessDenied,
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
        {"stdout": "", "exit_code": -9},
        RequestInterrupted,
        "the Claude Code CLI ended with signal 9: ",
    ),
    "a signal to the program of a wrapper": (
        {"stdout": "", "stderr": "Killed", "exit_code": 137},
        RequestInterrupted,
        "the Claude Code CLI ended with exit code 137: Killed",
    ),
    "a signal, after words of another kind": (
        {"stdout": "", "stderr": "rate limit reached", "exit_code": -15},
        RequestInterrupted,
        "the Claude Code CLI ended with signal 15: rate limit reached",
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


@pytest.mark.parametrize(("printout", "kind", "words"), EXITS.values(), ids=EXITS)
def test_read_output__no_result(printout: dict[str, Any], kind: type[ProviderError], words: str) -> None:
    """The error for a CLI without a result says how it ended and what it printed."""
    with pytest.raises(ProviderError) as raised:
        read(**printout)
    assert (type(raised.value), str(raised.value)) == (kind, words)


def test_read_output__result_before_a_failure() -> None:
    """If the CLI fails after a result, there is no answer, but the result was paid for."""
    with pytest.raises(RequestInterrupted, match=r"^the Claude Code CLI ended with exit code 2: panic$") as raised:
        read(json.dumps(RESULT), stderr="panic", exit_code=2)
    assert (raised.value.usage, raised.value.text) == (SPENT, "Hello.")


def test_read_output__broken_off() -> None:
    """A stream that ended early leaves a result without a stop reason and without token counts."""
    result = RESULT | {"result": "Hel", "stop_reason": None, "usage": {}}
    with pytest.raises(AnswerInterrupted, match=r"^the answer ended before it was complete$") as raised:
        read(printed(result, message("1", "Hel")))
    assert raised.value.text == "Hel"


def test_read_output__structured() -> None:
    """With a schema, the answer is the value that the CLI validated, as JSON. More turns are normal."""
    result = RESULT | {"result": "Done.", "stop_reason": "tool_use", "structured_output": {"city": "Łódź", "n": 10**12}}
    events = [message("1", "Let me see."), message("2", "Done.")]
    stdout = printed(result, *events, tools=["StructuredOutput"])
    assert read(stdout, structured=True) == answered('{"city": "Łódź", "n": 1000000000000}')


def test_read_output__structured_not_used() -> None:
    """If the model still answered in prose, the prose is the answer, and the verb validates it."""
    assert read(printed(RESULT, tools=["StructuredOutput"]), structured=True) == answered()


def test_read_output__schema_ignored() -> None:
    """A schema that the CLI silently dropped is an error."""
    with pytest.raises(RequestRejected, match="ignored the schema") as raised:
        read(printed(RESULT, tools=[]), structured=True)
    assert raised.value.usage == SPENT
