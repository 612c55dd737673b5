"""Turns the output of the Claude Code CLI (`--output-format json --verbose`) into an answer or an exception."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cached_property
from typing import Any

from stapel_agent.column_ranges import token_count
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
from stapel_agent.types import Usage

from .base import ProviderResult
from .wire.cache_writes import cache_writes
from .wire.error_response import classify, excerpt
from .wire.error_rules import CONTENT_FILTER, EMPTY_ACCOUNT, words
from .wire.finish_reasons import finish_reason, refusal_category
from .wire.optional_fields import OptionalFields
from .wire.subprocess_runner import Outcome
from .wire.vendor_json import decoded, mapping

FIRST_OBJECT = re.compile(rb"\A.*?(?=[\[{]\s*[{\"])", re.DOTALL)
TOKEN_LIMIT = re.compile(r"exceeded the \d+ output token maximum|reached its context window limit")

# For errors without an HTTP status. The last column says whether the vendor may bill the request: it checks the account
# before an answer begins. "Unable to connect to API (ECONNRESET)" may come after the request was sent, so the codes of
# broken connections are before the words for failed ones.
EXCEPTION_BY_WORDS: tuple[tuple[re.Pattern[str], type[ProviderError], bool], ...] = (
    (EMPTY_ACCOUNT, OutOfCredit, False),
    (CONTENT_FILTER, AnswerRefused, True),
    (words(r"violate our usage policy"), AnswerRefused, True),
    (words(r"/login|not logged in|api key|authenticat|oauth|access to claude"), AccessDenied, False),
    (words(r"disabled organization|organization has been disabled"), AccessDenied, False),
    (words(r"load (?:the default )?credentials|security token|sso (?:session|login)"), AccessDenied, False),
    (words(r"unknown option|command not found|no such file or directory"), AccessDenied, False),
    (words(r"rate.?limit"), RateLimited, True),
    # Of a subscription.
    (words(r"limit reached|(?:hit|reached) your .{0,40}limit|extra usage is required"), RateLimited, False),
    (words(r"too (?:long|large)|exceeds 10MB|input must be provided"), RequestRejected, False),
    (words(r"issue with the selected model"), RequestRejected, False),
    (words(r"timed? ?out|ETIMEDOUT"), ProviderTimeout, True),
    (
        words(r"ECONNRESET|EPIPE|ECONNABORTED|socket hang up|ConnectionClosed|connection was closed"),
        RequestInterrupted,
        True,
    ),
    (words(r"unable to connect|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|certificate"), ProviderUnreachable, False),
    (words(r"overloaded|service unavailable|at capacity"), ProviderUnavailable, True),
)
STATUS = words(r"\bAPI Error(?: \([^\s()]{1,200}\))?:? \(?([45]\d\d)\b")
"""The HTTP status in an error message, after a cloud's model. Earlier versions of the CLI do not state it elsewhere."""
SHELL_SIGNALS = range(129, 160)
"""The exit codes of a wrapper whose program was ended by a signal."""

SYNTHETIC = "<synthetic>"
OWN_FINISH_REASONS = {"tool_use": "stop"}
"""The CLI implements a schema as a tool, and the use of that tool is the answer."""
ANSWER_DIGITS = 300
"""Not only for token counts: an answer to a schema is part of the CLI's JSON."""


def read_output(outcome: Outcome, *, structured: bool, optional_fields: OptionalFields) -> ProviderResult:
    """Return the answer in `outcome`. Raises ProviderError.

    `structured` says whether the CLI got a schema. `optional_fields` are those that the call omits if they are refused.
    """
    report = Report(outcome.stdout, structured=structured)
    finish_reason = report.finish_reason
    if finish_reason not in ("length", "content_filter") and (
        fault := report.fault(optional_fields) or _exit_fault(outcome) or report.gap()
    ):
        fault.usage, fault.text = report.usage or report.begun or None, report.text or report.written or None
        raise fault
    text = report.text if finish_reason == "stop" else report.written or report.text  # unknown reason: all text
    return ProviderResult(text, **report.usage.figures, finish_reason=finish_reason, metadata=report.metadata)


def has_started(outcome: Outcome) -> bool:
    """Whether the CLI accepted its arguments and printed an event, so that it may have sent the request."""
    return bool(_events(outcome.stdout))


class Report:
    """The events of one run, including the result. Without `--verbose`, the result is the only event."""

    def __init__(self, stdout: bytes, *, structured: bool) -> None:
        self._stdout = stdout
        self._structured = structured
        self._events = _events(stdout)
        last = self._events[-1] if self._events else {}
        self._result = next((event for event in reversed(self._events) if event.get("type") == "result"), last)

    @property
    def usage(self) -> Usage:
        return replace(_usage(self._result.get("usage")), cost_usd=self._result.get("total_cost_usd"))

    @property
    def begun(self) -> Usage:
        """The tokens that the last message stated at its start: all of its input, and an unknown part of its output."""
        messages = [mapping(event.get("message")) for event in self._events if event.get("type") == "assistant"]
        stated = [usage for message in messages if (usage := _usage(message.get("usage")))]
        return replace(stated[-1], output_tokens=0, unknown=frozenset({"output_tokens"})) if stated else Usage()

    @property
    def text(self) -> str:
        """The answer. With a schema, the JSON that the CLI validated."""
        if self._structured and "structured_output" in self._result:
            return json.dumps(self._result["structured_output"], ensure_ascii=False)
        text = self._result.get("result")
        if not isinstance(text, str) or self._is_error:
            return ""
        # If a message comes in several events, the CLI may print only one of them as the result.
        return self.written if text.strip() in self.written else text

    @property
    def written(self) -> str:
        """All text that the model wrote, even if it is not an answer."""
        return "".join(self._messages.values())

    @property
    def finish_reason(self) -> str:
        # The CLI asks a truncated model to continue, and prints only the last part as the result.
        continued = len(self._messages) > 1 and not self._structured
        if continued or (self._is_error and TOKEN_LIMIT.search(self._notice())):
            return "length"
        return finish_reason(self._result.get("stop_reason"), OWN_FINISH_REASONS)

    @property
    def metadata(self) -> dict[str, str]:
        return refusal_category(mapping(self._result.get("stop_details")).get("category"))

    def fault(self, optional_fields: OptionalFields) -> ProviderError | None:
        """Return the exception for an error that the CLI reports."""
        if not self._is_error:
            return None
        notice = excerpt(self._notice())
        stated = STATUS.search(notice)
        status = token_count(self._result.get("api_error_status")) or token_count(stated and stated[1])
        if 400 <= status < 600:
            return optional_fields.refusal_or(classify(status, notice), status, notice)
        if str(self._result.get("subtype")).startswith("error_max_"):
            return InvalidAnswer(f"the Claude Code CLI gave up: {notice}")
        return _fault_by_words(notice, "the Claude Code CLI failed")

    def gap(self) -> ProviderError | None:
        """Return the exception if the result is not an answer although the CLI reports no error."""
        if not self.text and not isinstance(self._result.get("result"), str):
            return InvalidAnswer(f"the Claude Code CLI printed no result: {excerpt(self._stdout)!r}")
        if self._structured and self._tools() == []:
            return RequestRejected("the Claude Code CLI ignored the schema: use only JavaScript patterns in it")
        if self._result.get("stop_reason", "") is None and not self.usage.output_tokens:
            return AnswerInterrupted("the answer ended before it was complete")
        return None if self.text.strip() else AnswerMissing("the answer contains no text")

    @property
    def _is_error(self) -> bool:
        is_stated = bool(self._result.get("is_error")) or str(self._result.get("subtype")).startswith("error")
        return is_stated or self._last_author == SYNTHETIC

    @property
    def _last_author(self) -> object:
        """The model of the last message. The CLI itself writes the message of an error, under the name SYNTHETIC."""
        messages = (event.get("message") for event in reversed(self._events) if event.get("type") == "assistant")
        return mapping(next(messages, None)).get("model")

    def _notice(self) -> str:
        """Return the CLI's error message."""
        errors = self._result.get("errors") or []
        return str(self._result.get("result") or f"{self._result.get('subtype')} {errors}")

    def _tools(self) -> object:
        """Return the tools offered to the model. A schema that the CLI accepted is one of them."""
        return next((event.get("tools") for event in self._events if event.get("subtype") == "init"), None)

    @cached_property
    def _messages(self) -> dict[str, str]:
        """The text of each message of the model, by message id. A message may come in several events."""
        messages: dict[str, list[str]] = {}
        for event in self._events:
            message = mapping(event.get("message"))
            if event.get("type") == "assistant" and message.get("model") != SYNTHETIC:
                for text in _texts(message.get("content")):
                    messages.setdefault(str(message.get("id")), []).append(text)
        return {identity: "".join(texts) for identity, texts in messages.items()}


def _events(stdout: bytes) -> list[dict[str, Any]]:
    """Return the events: from one JSON text, or from separate lines mixed with the lines of a wrapper."""
    printed = decoded(stdout, ANSWER_DIGITS)
    if printed is not None:
        return _objects(printed)
    lines = [event for line in stdout.splitlines() for event in _objects(decoded(line, ANSWER_DIGITS))]
    # A wrapper's line may also end without a line break, and the JSON may have several lines.
    return lines or _objects(decoded(FIRST_OBJECT.sub(b"", stdout, count=1), ANSWER_DIGITS))


def _objects(printed: object) -> list[dict[str, Any]]:
    return [event for event in (printed if isinstance(printed, list) else [printed]) if isinstance(event, dict)]


def _texts(content: object) -> list[str]:
    blocks = [mapping(block) for block in (content if isinstance(content, list) else [])]
    return [block["text"] for block in blocks if isinstance(block.get("text"), str)]


def _exit_fault(outcome: Outcome) -> ProviderError | None:
    """Return the exception for a CLI that ended without a result. Unless it says why, it may have sent the request."""
    if outcome.exit_code == 0:
        return None
    code = outcome.exit_code
    ending = f"the Claude Code CLI ended with {f'exit code {code}' if code > 0 else f'signal {-code}'}"
    notice = excerpt(outcome.stderr) or excerpt(outcome.stdout)
    was_killed = code < 0 or code in SHELL_SIGNALS
    return RequestInterrupted(f"{ending}: {notice}") if was_killed else _fault_by_words(notice, ending)


def _fault_by_words(notice: str, happened: str) -> ProviderError:
    """Return the exception for an error without a status."""
    rules = (rule for rule in EXCEPTION_BY_WORDS if rule[0].search(notice))
    _, exception, may_be_billed = next(rules, (None, RequestInterrupted, True))
    fault = exception(f"{happened}: {notice}")
    fault.may_be_billed = may_be_billed
    return fault


def _usage(stated: object) -> Usage:
    figures = mapping(stated)
    split = mapping(figures.get("cache_creation"))
    for_minutes, for_an_hour = (split.get(f"ephemeral_{time}_input_tokens", 0) for time in ("5m", "1h"))
    return Usage(
        input_tokens=figures.get("input_tokens"),  # type: ignore[arg-type]
        output_tokens=figures.get("output_tokens"),  # type: ignore[arg-type]
        cache_read_tokens=figures.get("cache_read_input_tokens", 0),
        cache_write_tokens=cache_writes(figures.get("cache_creation_input_tokens", 0), for_minutes, for_an_hour),
        cache_write_1h_tokens=for_an_hour,
        thinking_tokens=mapping(figures.get("output_tokens_details")).get("thinking_tokens", 0),
    )
