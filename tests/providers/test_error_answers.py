"""Vendors' error answers, as documented or reported, and the failure that each becomes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stapel_agent.exceptions import OutOfCredit, ProviderError
from stapel_agent.providers.base import ProviderResult
from stapel_agent.providers.dialects import DIALECTS, OPENAI, read_answer
from stapel_agent.providers.wire.error_response import classify, error_codes, excerpt
from stapel_agent.providers.wire.error_rules import EXCEPTION_BY_NAME, RULES
from tests.rows import every_row

BODIES = json.loads((Path(__file__).parent / "errors" / "bodies.json").read_text(encoding="utf-8"))


def body_of(answer: dict[str, Any]) -> bytes:
    """The body on the wire: JSON, or the text of a page."""
    body = answer["body"]
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def fault_of(answer: dict[str, Any]) -> ProviderError:
    """The exception for the answer, by the vendor's dialect if only that knows its codes."""
    dialect = DIALECTS.get(answer.get("dialect", ""), OPENAI)
    body = body_of(answer)
    if answer["status"] == 200:
        with pytest.raises(ProviderError) as raised:
            read_answer(body, dialect)
        return raised.value
    return classify(answer["status"], excerpt(body), codes=error_codes(body), own_codes=dialect.error_codes)


def test_error_answer__failure() -> None:
    """Each real body becomes the failure that decides what happens next."""
    with every_row() as row:
        for answer in BODIES:
            with row(answer):
                assert fault_of(answer).failure == answer["failure"]


def test_error_answer__words_alone() -> None:
    """If a gateway keeps the message and drops the codes, the message gives the same failure."""
    by_words = [body for body in BODIES if body["status"] != 200 and "dialect" not in body and not body.get("by_code")]
    assert by_words
    with every_row() as row:
        for answer in by_words:
            with row(answer):
                message = excerpt(body_of(answer))
                assert classify(answer["status"], message).failure == answer["failure"]


SIMILAR = [
    (503, "The free tier model is temporarily not available.", "overloaded"),
    (429, "Your request has been flagged for exceeding rate limits.", "rate_limited"),
    (429, "You have reached your API request limit per minute.", "rate_limited"),
    (429, "Not enough quota for requests per minute.", "rate_limited"),
    (400, "The request is flagged as streaming, but stream_options is missing.", "rejected"),
    (401, "You have limited access to this content. Sign in.", "auth"),
    (400, "The content you provided has a type that is blocked.", "rejected"),
    (500, "Could not refresh authentication credentials.", "overloaded"),
]


def test_error_answer__similar_words() -> None:
    """Words that are only similar to those of a rule do not decide."""
    with every_row() as row:
        for status, message, failure in SIMILAR:
            with row(message):
                assert classify(status, message).failure == failure


WITHOUT_ERROR = [
    ({"object": "error", "message": "The model is overloaded", "type": "server_error", "code": 503}, "overloaded"),
    ({"code": 50505, "message": "Model service overloaded. Please try again later.", "data": None}, "overloaded"),
    ({"code": 429, "message": "Too many requests"}, "rate_limited"),
    ({"code": "429", "msg": "Slow down"}, "rate_limited"),
    ({"error_code": 336501, "error_msg": "Rate limit reached for RPM"}, "rate_limited"),
    ({"code": 1113, "msg": "Your account is in arrears", "success": False}, "out_of_credit"),
    ({"success": 0, "message": "The model is overloaded"}, "overloaded"),
    ([{"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}], "overloaded"),
    ({"status": 503, "error": "Service Unavailable"}, "overloaded"),
    (
        {"success": False, "errors": [{"code": 3040, "message": "No capacity: overloaded"}], "result": None},
        "overloaded",
    ),
    ({"status": 401}, "auth"),
    ({"choices": [], "type": "rate_limit_error", "message": "Slow down"}, "rate_limited"),
    ({"detail": "No such deployment"}, "invalid_answer"),
    # https://github.com/XpressAI/xaibo/pull/36
    ({"code": "rate_limit_daily", "message": "Error code: 429 - {'error': {'message': 'x'}}"}, "rate_limited"),
    ({"message": "Request failed with status code 503"}, "overloaded"),
    ({"message": "error code: 1015"}, "invalid_answer"),
    ({"error": {"message": "Could not fetch https://x.example/a.png: status code 403"}}, "invalid_answer"),
    # https://github.com/sam-dumont/immich-video-memory-generator/issues/914
    ({"code": 500, "msg": "404 NOT_FOUND", "success": False}, "rejected"),
    ({"code": 500, "msg": "the image is at an invalid url"}, "overloaded"),
]


def test_answer__error_without_a_field_of_its_own() -> None:
    """A body without choices that states a code or a message is an error, and is read by the same rules."""
    with every_row() as row:
        for body, failure in WITHOUT_ERROR:
            with row(body):
                fault = fault_of({"status": 200, "body": body})
                assert (fault.failure, "no choices" in str(fault)) == (failure, False)


NO_ERRORS = [
    {"choices": []},
    {"code": 200, "msg": "success", "data": {"choices": []}},
    {"success": True, "message": "done"},
    {"success": 1, "message": "done"},
    {"base_resp": {"status_code": 0, "status_msg": "success"}},
    {"model": "m", "message": {"role": "assistant", "content": "429"}, "done": True},
    {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "429"}]},
    {"object": "response", "status": "completed", "error": None, "output": []},
]


def test_answer__without_choices_and_error() -> None:
    """The answer of another API, or one that states success, is not an error of the vendor."""
    with every_row() as row:
        for body in NO_ERRORS:
            with row(body):
                assert str(fault_of({"status": 200, "body": body})) == "the answer has no choices"


def test_rules__each_has_a_body() -> None:
    """Each rule of the table is needed by a body."""
    unused = [
        rule
        for rule in RULES
        if not any(
            rule.holds(answer["status"], excerpt(body), error_codes(body))
            for answer in BODIES
            for body in [body_of(answer)]
        )
    ]
    assert unused == []


@pytest.mark.parametrize("name", DIALECTS)
def test_dialects__error_codes(name: str) -> None:
    """The codes of a dialect map to failures."""
    assert set(DIALECTS[name].error_codes.values()) <= EXCEPTION_BY_NAME.keys()


def test_dialects__codes_of_their_own() -> None:
    """A code of one vendor is in its dialect, and means nothing to another."""
    own_codes = DIALECTS["zai"].error_codes
    with every_row() as row:
        for code, expected in own_codes.items():
            with row(code):
                codes = frozenset({code})
                assert classify(400, "", codes=codes, own_codes=own_codes).failure == expected
                assert classify(400, "", codes=codes).failure == "rejected"


def test_minimax__codes_of_a_dialect() -> None:
    """A code in a dialect of the host takes precedence over that of MiniMax."""
    body = json.dumps({"base_resp": {"status_code": 2056, "status_msg": "usage limit exceeded"}}).encode()
    with pytest.raises(OutOfCredit):
        read_answer(body, replace(OPENAI, error_codes={"2056": "out_of_credit"}))


HOSTILE = [
    b"",
    b"{",
    b"[" * 200_000,
    b'{"error": ' * 10_000,
    b'{"code": "' + b"9" * 10**6 + b'"}',
    b'{"code": null}',
    b"7",
]


@pytest.mark.parametrize("body", HOSTILE, ids=lambda body: body[:12].decode())
def test_error_codes__hostile(body: bytes) -> None:
    """A body of any size and depth is read, and only short words count as codes."""
    assert error_codes(body) == frozenset()


@pytest.mark.parametrize("name", ["code", "type", "status", "reason", "error_code", "error_type", "status_code"])
@pytest.mark.parametrize("missing", [0, 2])
def test_error_codes__of_each_field(name: str, missing: int) -> None:
    """A code is found in each field that vendors have for it, even if the end of the body is missing."""
    body = json.dumps({"error": {name: "Quota.Daily"}})
    assert error_codes(body[: len(body) - missing]) == {"quota.daily", "quota"}


@pytest.mark.parametrize("refusal", [{"a": 1}, True, "", None])
def test_answer__refusal_is_not_a_text(refusal: object) -> None:
    """Only a text is a refusal."""
    message = {"content": "Yes", "refusal": refusal}
    body = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()
    assert read_answer(body) == ProviderResult("Yes", finish_reason="stop")
