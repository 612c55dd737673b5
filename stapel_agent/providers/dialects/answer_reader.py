"""Reads an answer of `/chat/completions` according to its dialect."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from stapel_agent.column_ranges import MAX_TOKEN_COUNT
from stapel_agent.exceptions import AnswerMissing, InvalidAnswer, ProviderError, ProviderUnavailable
from stapel_agent.parsing import parse_json_response
from stapel_agent.prices import conditions_of
from stapel_agent.providers.base import ProviderResult
from stapel_agent.providers.wire.error_response import PAGE, excerpt, stated_fault, stated_status
from stapel_agent.providers.wire.finish_reasons import finish_reason, refusal_category
from stapel_agent.providers.wire.optional_fields import OptionalFields, refused_by
from stapel_agent.providers.wire.vendor_json import decoded, mapping
from stapel_agent.types import Usage

from .choice import content_text, first_choice, refusal_text
from .dialect import Dialect, Fields
from .error_codes import MINIMAX
from .streamed_answer import streamed_answer
from .usage_fields import read_usage, read_web_searches
from .vendors import OPENAI

FIGURE_DIGITS = 20

ERROR_FIELDS = ("code", "error_code", "message", "msg", "detail", "error_msg", "errors")
CUT_OFF = frozenset({"length", "content_filter"})
SUCCESS = frozenset({"0", "200", "ok", "success", "true"})
"""The values of `code` and `status` that say there is no error."""


def read_answer(
    body: bytes,
    dialect: Dialect = OPENAI,
    fix: str = "",
    token_cap: int = MAX_TOKEN_COUNT,
    optional_fields: tuple[OptionalFields, ...] = (),
) -> ProviderResult:
    """Return the result of a 200 answer. Raises ProviderError, with the usage, if the answer is not usable.

    `fix` is the fix to show if a web page answers instead of the API. An answer of `token_cap` tokens without a finish
    reason is truncated. `optional_fields` are those that the call omits if the answer refuses them.
    """
    answer = _parsed(body, dialect, fix)
    usage = read_usage(answer.get("usage"), dialect.usage)
    choice = first_choice(answer)
    message = mapping(choice.get("message"))
    text = content_text(message.get("content"))
    word = _finish_word(choice, dialect)
    is_cut_off = not word and usage.output_tokens >= token_cap
    reason = "length" if is_cut_off else finish_reason(word, dialect.finish_reasons)
    if stated := _stated_error(answer, choice, is_finished=bool(text and word and reason != "interrupted")):
        codes = dialect.error_codes if "base_resp" not in answer else {**MINIMAX, **dialect.error_codes}
        fault = stated_fault(stated, own_codes=codes, address_fix=fix)
        raise _kept(refused_by(optional_fields, fault, HTTPStatus.BAD_REQUEST, json.dumps(stated)), usage, text)
    if refusal := refusal_text(message):
        return ProviderResult(refusal, **usage.figures, finish_reason="content_filter")
    if reason == "interrupted":
        raise _kept(ProviderUnavailable(f"the provider interrupted the answer: {word}"), usage, text)
    if not text.strip() and reason not in ("length", "content_filter"):
        text = _json_in_reasoning(message)
        if not text:
            raise _kept(_gap(answer, message), usage, None)
    searches = read_web_searches(answer.get("usage"), dialect.usage)
    metadata = {**_refused_category(choice), **conditions_of(answer), **searches}
    return ProviderResult(text, **usage.figures, finish_reason=reason, metadata=metadata)


def stated_usage(body: bytes, dialect: Dialect = OPENAI) -> Usage:
    """Return the tokens that a body states, even that of an error: a vendor that states tokens bills them."""
    return read_usage(mapping(decoded(body, FIGURE_DIGITS)).get("usage"), dialect.usage)


def _kept(fault: ProviderError, usage: Usage, text: str | None) -> ProviderError:
    fault.usage, fault.text = usage, text or None
    return fault


def _parsed(body: bytes, dialect: Dialect, fix: str) -> Fields:
    answer = decoded(body, FIGURE_DIGITS)
    if isinstance(answer, list) and mapping(next(iter(answer), None)).get("error"):
        return mapping(answer[0])
    if isinstance(answer, dict):
        return answer
    if streamed := streamed_answer(body, FIGURE_DIGITS, dialect.usage):
        return streamed
    said = excerpt(body)
    if said.startswith(PAGE):
        raise InvalidAnswer(f"the answer is {said}; {fix}" if fix else f"the answer is {said}")
    raise InvalidAnswer(f"the answer is not a JSON object: {said!r}")


def _finish_word(choice: Fields, dialect: Dialect) -> Any:
    """Return why the model stopped. OpenRouter may say "stop" although its vendor says that the answer is not whole."""
    word, native = choice.get("finish_reason"), choice.get("native_finish_reason")
    if finish_reason(word, dialect.finish_reasons) != "stop":
        return word
    return native if finish_reason(native) in CUT_OFF else word


def _stated_error(answer: Fields, choice: Fields, *, is_finished: bool) -> Fields | None:
    """Return what states an error inside a 200 answer, or None. MiniMax reports it as a separate status.

    Some gateways state an error beside every answer, but only an answer that did not finish has no reason.
    """
    if choice.get("error"):
        return {"error": choice["error"]}
    if is_finished:
        return None
    if not choice and _is_an_error(answer):
        return answer
    status = mapping(answer.get("base_resp"))
    error = answer.get("error") or (status if status.get("status_code") else None)
    return {"error": error} if error else None


def _is_an_error(answer: Fields) -> bool:
    """Whether an answer without choices is an error: it states a code or a message, and no success."""
    if answer.get("error"):
        return True
    outcomes = {str(answer.get(name)).lower() for name in ("code", "status")}
    if answer.get("success") in (True, "true") or not outcomes.isdisjoint(SUCCESS):
        return False
    stated = (answer.get(name) for name in ERROR_FIELDS)
    return any(value and isinstance(value, str | int | list) for value in stated) or bool(stated_status(answer))


def _gap(answer: Mapping[str, Any], message: Mapping[str, Any]) -> ProviderError:
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return InvalidAnswer("the answer has no choices")
    if message.get("tool_calls"):
        return InvalidAnswer("the answer calls a tool, although none was offered")
    return AnswerMissing("the answer contains no text")


def _json_in_reasoning(message: Mapping[str, Any]) -> str:
    """Return JSON found in the thinking: vLLM puts it there if its parser waits for the end of the thinking."""
    for name in ("reasoning_content", "reasoning"):
        thoughts = message.get(name)
        if isinstance(thoughts, str) and thoughts.strip():
            value, prose = parse_json_response(thoughts)
            if value is not None and prose is None:
                return thoughts
    return ""


def _refused_category(choice: Mapping[str, Any]) -> dict[str, str]:
    """Return the category that the vendor's filter found, as reported by Azure."""
    results = mapping(choice.get("content_filter_results"))
    found = (str(name) for name, result in results.items() if mapping(result).get("filtered") is True)
    return refusal_category(next(found, None))
