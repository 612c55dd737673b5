"""How long the real clients wait before a retry, and how often they ask, against a real server."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest

from stapel_agent.models import PromptLog
from stapel_agent.providers.wire.retry_after import LONGEST_IN_A_BODY, retry_after, stated_wait
from tests.conftest import Facade
from tests.scripted_chain import recorded_waits
from tests.scripted_server import Reply, ScriptedServer

from .message_stream import error_document, error_event, message, message_start, stream, text_block, unfinished_stream

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

BACKOFF = [0.5, 1.0]
"""The delays before two retries if the server states none."""


@dataclass(frozen=True)
class Vendor:
    """A built-in provider, and how its server answers."""

    name: str
    url_setting: str
    answer: Reply

    def refusal(self, status: int, **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Reply.of(error_document("some_error", "so it is"), status=status, headers=named)


OPENAI = Vendor(
    "openai-compat",
    "OPENAI_COMPAT_BASE_URL",
    Reply.of({"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}),
)
ANTHROPIC = Vendor("anthropic", "ANTHROPIC_BASE_URL", stream(message("Hello")))


@pytest.fixture(params=[OPENAI, pytest.param(ANTHROPIC, marks=pytest.mark.sdk)], ids=["openai-compat", "anthropic"])
def vendor(request: pytest.FixtureRequest) -> Vendor:
    """Each vendor whose API uses HTTP."""
    return request.param


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The delays between attempts in seconds, at the maximum of the jitter. No test waits for them."""
    monkeypatch.setattr(random, "uniform", lambda low, high: high)
    return recorded_waits(monkeypatch)


Exchange = Callable[..., tuple[dict[str, Any], int]]


@pytest.fixture
def exchange(facade: Facade, agent: Callable[..., None]) -> Exchange:
    """One call to a server with these replies: the answer, and the number of requests."""

    def call(vendor: Vendor, *replies: Reply, **keys: Any) -> tuple[dict[str, Any], int]:
        with ScriptedServer(*replies) as server:
            agent(**{vendor.url_setting: server.url, "ANTHROPIC_API_KEY": "sk-ant-test", "CLI_TIMEOUT": 60, **keys})
            answer = facade.complete("say", "small", provider=vendor.name)
        return answer, len(server.requests)

    return call


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry_After": "7"}, [7, 7]),
        ({"Retry_After": " 7.5 "}, [7.5, 7.5]),
        ({"Retry_After": "0"}, []),
        ({"retry_after_ms": "1500"}, [1.5, 1.5]),
        ({"retry_after_ms": "1500", "Retry_After": "7"}, [1.5, 1.5]),
        ({"Retry_After": "Wed, 21 Oct 2015 07:28:00 GMT"}, []),
        ({"Retry_After": "-5"}, []),
        ({}, BACKOFF),
        ({"Retry_After": "soon"}, BACKOFF),
    ],
    ids=repr,
)
def test_retry_after__each_form(vendor, exchange, waits, headers, expected):
    """A wait that the server states is used. An invalid one is ignored, and the backoff applies."""
    refusal = vendor.refusal(429, **headers)
    answer, requests = exchange(vendor, refusal, refusal, vendor.answer)
    assert (answer["status"], answer["result"], requests, waits) == ("ok", "Hello", 3, expected)


@pytest.mark.parametrize("hours", [0, 5, -8])
def test_retry_after__date(vendor, exchange, waits, hours):
    """A date is converted to seconds from now, in any time zone."""
    moment = datetime.now(UTC) + timedelta(seconds=58)
    stated = moment.astimezone(timezone(timedelta(hours=hours)))
    form = format_datetime(stated) if hours else format_datetime(moment, usegmt=True)
    answer, _ = exchange(vendor, vendor.refusal(503, Retry_After=form), vendor.answer)
    assert answer["result"] == "Hello"
    assert 5 < waits[0] <= 58  # a busy machine is slow


@pytest.mark.parametrize("status", [409, 429, 500, 502, 503, 529])
def test_retry_after__of_each_status(vendor, exchange, waits, status):
    """The header counts with every status that is retried."""
    answer, requests = exchange(vendor, vendor.refusal(status, Retry_After="3"), vendor.answer)
    assert (answer["result"], requests, waits) == ("Hello", 2, [3])


@pytest.mark.parametrize(("status", "requests", "expected"), [(503, 2, [4]), (429, 2, [4]), (400, 1, [])])
def test_retry_after__of_an_error_that_broke_off(vendor, exchange, waits, status, requests, expected):
    """The headers of an error decide its meaning and the wait, whatever happens to its body."""
    broken = Reply(b'{"err', status=status, headers={"Retry-After": "4"}, content_length=999, ending="close")
    assert exchange(vendor, broken, vendor.answer)[1] == requests
    assert waits == expected


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "250", "retry-after": "3"}, 0.25),
        ({"retry-after-ms": "", "retry-after": "3"}, 3),
        ({"retry-after-ms": "soon", "retry-after": "3"}, 3),
        ({"retry-after-ms": "nan", "retry-after": "3"}, 3),
        ({"retry-after": "86401"}, 86401),
        ({"retry-after": "31622401"}, None),
        ({"retry-after": "-inf"}, 0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00"}, 0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 +9999"}, None),
        *(
            ({"retry-after": text}, None)
            for text in ("", "\x00", "nan", "inf", "1e300", "9" * 400, "Wed, 21 Oct 99999 07:28:00 GMT")
        ),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, None),
        ({"retry-after-ms": "soon"}, None),
        ({}, None),
    ],
    ids=repr,
)
def test_retry_after__read(headers, seconds):
    """The readable header counts."""
    assert retry_after(headers) == seconds


RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.074824224s"}
LIMIT = "Rate limit reached for gpt-5 in organization org-x on requests per min (RPM): Limit 3, Used 3, Requested 1."
STATED = {
    "gemini, as data": (
        [{"error": {"code": 429, "message": "quota", "details": [{"a": 1}, RETRY_INFO]}}],
        34.074824224,
    ),
    "gemini, in words": ({"error": {"message": f"{'x' * 400}\nPlease retry in 34.07s."}}, 34.07),
    "gemini, wrapped": ({"error": {"message": json.dumps({"error": {"details": [RETRY_INFO]}})}}, 34.074824224),
    "openai, seconds": ({"error": {"message": f"{LIMIT} Please try again in 20s. Visit https://x"}}, 20),
    "openai, minutes": ({"error": {"message": f"{LIMIT} Please try again in 6m0s. Visit https://x"}}, 360),
    "openai, hours": ({"error": {"message": f"{LIMIT} Please try again in 1h2m3.5s."}}, 3723.5),
    "openai, milliseconds": ({"error": {"message": f"{LIMIT} Please try again in 644ms."}}, 0.644),
    "groq": ({"error": {"message": "Rate limit reached for model `x`. Please try again in 7.66s. Need more?"}}, 7.66),
    "groq, per day": ({"error": {"message": "Used 97050. Please try again in 9m38.016s. Need more?"}}, 578.016),
    "azure": ({"error": {"code": "429", "message": "of your tier. Please retry after 26 seconds. Go to x"}}, 26),
    "azure, a day": ({"error": {"code": "429", "message": "Please retry after 86400 seconds. Go to x"}}, 86400),
    "azure, old": ({"error": {"code": "429", "message": "Rate limit is exceeded. Try again in 30 seconds."}}, 30),
    "kimi": ({"error": {"message": "max organization RPM: 3, please try again after 1 seconds"}}, 1),
    "minutes and seconds": ({"error": "retry in 1 minute 30 sec"}, 90),
    "minutes, and seconds": ({"error": "retry in 1 minute, and 30 seconds"}, 90),
    "github": ({"error": {"message": "Please wait 10 hours 58 minutes before trying again."}}, 39480),
    "none": ({"error": {"message": "Please try again later."}}, None),
    "no unit": ({"error": {"message": "Please try again in 20"}}, None),
    "another unit": ({"error": {"message": "Please try again in 20 months"}}, None),
    "more than a day": ({"error": {"message": "Please try again in 20 days"}}, None),
    "many digits": ({"error": {"message": f"Please try again in {'9' * 5000}s"}}, None),
    "other words": ({"error": {"message": "You asked for 20 seconds of video."}}, None),
    "another type": ([{"error": {"details": [{"retryDelay": {"seconds": 34}}]}}], None),
}


@pytest.mark.parametrize("case", STATED)
def test_stated_wait__each_form(case):
    """A wait that is only in the body is read, in each vendor's words and units."""
    body, seconds = STATED[case]
    assert stated_wait(json.dumps(body)) == pytest.approx(seconds)
    assert stated_wait(json.dumps(body, indent=2).encode()) == pytest.approx(seconds)


@pytest.mark.parametrize("case", ["gemini, as data", "openai, seconds", "groq", "azure", "kimi"])
def test_stated_wait__is_waited(vendor, exchange, waits, case):
    """A client waits as long as the body says."""
    body, seconds = STATED[case]
    answer, requests = exchange(vendor, Reply.of(body, status=429), vendor.answer)
    assert (answer["result"], requests, waits) == ("Hello", 2, [pytest.approx(seconds)])


def test_stated_wait__header_first(vendor, exchange, waits):
    """A header takes precedence over the body."""
    refusal = Reply.of(STATED["azure"][0], status=429, headers={"Retry-After": "3"})
    assert exchange(vendor, refusal, vendor.answer)[0]["result"] == "Hello"
    assert waits == [3]


def test_stated_wait__of_an_error_inside_an_answer(exchange, waits):
    """A wait in an error inside a choice counts too."""
    error = {"code": 429, "message": "Rate limited upstream. Please try again in 5s."}
    inside = Reply.of({"choices": [{"finish_reason": "error", "message": {"content": ""}, "error": error}]})
    assert exchange(OPENAI, inside, OPENAI.answer)[0]["result"] == "Hello"
    assert waits == [5]


@pytest.mark.parametrize(
    "body",
    [
        b"\xff" * 10**6,
        "retry in " * 200_000,
        "retry in " + "1m" * 500_000,
        '"retryDelay": "' * 100_000,
        "try again in " + "1" * 10**6,
    ],
    ids=["bytes", "words", "parts", "fields", "digits"],
)
def test_stated_wait__hostile(body):
    """A body of any size is read quickly, and states no wait of more than a day."""
    wait = stated_wait(body)
    assert wait is None or wait <= LONGEST_IN_A_BODY


# --- how often a client asks


@pytest.mark.parametrize(("keys", "times"), [({"RETRIES": 0}, 1), ({}, 3)])
def test_retry__clients_have_none_of_their_own(vendor, exchange, keys, times):
    """A client asks once per attempt: each has a row, and there are no more requests than rows."""
    answer, requests = exchange(vendor, vendor.refusal(529), **keys)
    assert answer["reason"].startswith("overloaded: HTTP 529")
    assert (requests, PromptLog.objects.filter(status="failure").count()) == (times, times)


@pytest.mark.parametrize("status", [301, 400, 401, 402, 403, 404, 413, 422, 501, 504, 505, 520, 524, 525])
def test_retry__never(vendor, exchange, waits, status):
    """A permanent error is not retried, even if the server states a wait."""
    _, requests = exchange(vendor, vendor.refusal(status, Retry_After="1"), vendor.answer)
    assert (requests, waits) == (1, [])


SAID = [message_start(), text_block("Hel")]
OVERLOADED = error_event("overloaded_error", "Overloaded")


@pytest.mark.sdk
@pytest.mark.parametrize(
    ("reply", "reason", "comment", "times"),
    [
        (stream(OVERLOADED), "overloaded: HTTP 529: Overloaded", None, 3),
        (stream(error_event("rate_limit_error", "slow")), "rate_limited: HTTP 429: slow", None, 3),
        (stream(error_event("invalid_request_error", "no")), "rejected: HTTP 400: no", None, 1),
        (stream(message_start(), OVERLOADED), "overloaded: HTTP 529: Overloaded", None, 1),
        (stream(*SAID, OVERLOADED), "overloaded: HTTP 529: Overloaded", "Hel", 1),
        (stream(*SAID), "invalid_answer: the answer ended before it was complete", "Hel", 1),
        (unfinished_stream(*SAID, ending="close"), "invalid_answer: the answer is incomplete", "Hel", 1),
    ],
    ids=["overloaded", "limit", "rejected", "billed", "half", "no end", "cut off"],
)
def test_retry__anthropic_stream(exchange, reply, reason, comment, times):
    """An error inside a stream is retried like any other, until a part of the answer has arrived."""
    answer, requests = exchange(ANTHROPIC, reply)
    assert answer["reason"].startswith(reason)
    assert (answer.get("comment"), requests) == (comment, times)


@pytest.mark.parametrize("code", [429, 503])
def test_retry__openai_error_inside_an_answer(exchange, code):
    """A 200 with an error in the body is retried if its code allows it, and cost nothing."""
    inside = {"error": {"message": "so it is", "code": code}}
    assert exchange(OPENAI, Reply.of(inside), OPENAI.answer)[1] == 2
    paid = Reply(json.dumps({**inside, "usage": {"prompt_tokens": 3}}).encode())
    assert exchange(OPENAI, paid, OPENAI.answer)[1] == 1
