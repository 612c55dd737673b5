"""Reads an answer of `/chat/completions` by the table of its dialect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import reduce
from typing import Any

from stapel_agent.exceptions import InvalidAnswer, ProviderError, ProviderUnavailable
from stapel_agent.figures import token_count
from stapel_agent.providers.base import ProviderResult
from stapel_agent.providers.wire.status_codes import PAGE, classify, excerpt
from stapel_agent.providers.wire.vendor_json import decoded, mapping
from stapel_agent.types import Usage

from .dialect import Dialect
from .table import OPENAI

FIGURE_DIGITS = 20


def read_answer(body: bytes, dialect: Dialect = OPENAI, fix: str = "") -> ProviderResult:
    """What a 200 answer says. Raises a ProviderError, with what was paid, for one that says nothing usable.

    `fix` is what to do where a web page answers in place of the API.
    """
    answer = _parsed(body, fix)
    usage = read_usage(answer.get("usage"), dialect)
    choice = _first_choice(answer, body, usage)
    message = mapping(choice.get("message"))
    word = str(choice.get("finish_reason"))
    refusal = message.get("refusal")
    if refusal and isinstance(refusal, str):
        return ProviderResult(refusal, **asdict(usage), finish_reason="content_filter")
    text = _text(message.get("content"))
    finish_reason = dialect.finish_reasons.get(word, "stop")
    if finish_reason == "interrupted":
        raise ProviderUnavailable(f"the provider broke the answer off: {word}", usage=usage, text=text)
    if text is None and finish_reason == "stop":
        what = "asks for a tool, though none was offered" if message.get("tool_calls") else "holds no text"
        raise InvalidAnswer(f"the answer {what}", usage=usage)
    return ProviderResult(text or "", **asdict(usage), finish_reason=finish_reason)


def read_usage(reported: object, dialect: Dialect) -> Usage:
    """The tokens and the cost that the answer's `usage` states."""
    fields = dialect.usage
    prompt = _tokens(reported, fields.prompt)
    output = _tokens(reported, fields.completion)
    cached = min(_tokens(reported, fields.cache_read), prompt)
    thinking = min(_tokens(reported, fields.thinking), output)
    cost = next((found for path in fields.cost_usd if (found := value_at(reported, path)) is not None), None)
    return Usage(prompt - cached, output, thinking, cached, cost_usd=cost)


def value_at(document: object, path: str) -> Any:
    """What stands at the dotted `path` of a JSON value; None where nothing does."""
    return reduce(lambda part, name: mapping(part).get(name), path.split("."), document)


def _tokens(reported: object, paths: tuple[str, ...]) -> int:
    return next((count for path in paths if (count := token_count(value_at(reported, path)))), 0)


def _parsed(body: bytes, fix: str) -> dict[str, Any]:
    answer = decoded(body, FIGURE_DIGITS)
    if isinstance(answer, dict):
        return answer
    said = excerpt(body)
    if said.startswith(PAGE):
        raise InvalidAnswer(f"the answer is {said}; {fix}" if fix else f"the answer is {said}")
    raise InvalidAnswer(f"the answer is no JSON object: {said!r}")


def _first_choice(answer: Mapping[str, Any], body: bytes, usage: Usage) -> Mapping[str, Any]:
    choices = answer.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return choices[0]
    if answer.get("error"):
        raise _stated_fault(answer["error"], body, usage)
    raise InvalidAnswer("the answer has no choices", usage=usage)


def _stated_fault(error: object, body: bytes, usage: Usage) -> ProviderError:
    """The fault of an answer that says 200 on the outside and an error inside."""
    status = token_count(mapping(error).get("code"))
    if 400 <= status < 600:
        fault = classify(status, excerpt(body))
    else:
        fault = InvalidAnswer(f"the answer is an error: {excerpt(body)}")
    fault.usage = usage
    return fault


def _text(content: object) -> str | None:
    if isinstance(content, list):
        parts = [mapping(part) for part in content]
        texts = [part.get("text") for part in parts if part.get("type") == "text"]
        return "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else None
