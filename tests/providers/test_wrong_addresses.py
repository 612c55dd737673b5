"""A base URL that leads elsewhere: the failure says what was asked, who answered, and which setting to mend."""

import json
import socket

import pytest

from tests.scripted_server import Reply, ScriptedServer

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

TITLE = b"<title lang='en'> Welcome &amp; sk-secret-0123456789 \n nginx! </title>"
PAGE = b"<!DOCTYPE html><html><head>\n" + TITLE + b"</head></html>"
MEND = "set OPENAI_COMPAT_BASE_URL to the part of the API's URL before /chat/completions"


@pytest.fixture
def reason(facade, agent):
    """Why a call fails at a server that gives one reply."""

    def call(reply, provider="openai-compat", path="/api"):
        with ScriptedServer(reply) as server:
            setting = "OPENAI_COMPAT_BASE_URL" if provider == "openai-compat" else "ANTHROPIC_BASE_URL"
            agent(**{setting: server.url + path, "ANTHROPIC_API_KEY": "a-key-of-tests", "RETRIES": 0})
            return facade.complete("say", "small", provider=provider)["reason"]

    return call


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(PAGE, status=404), "HTTP 404: an HTML page, 'Welcome & [redacted] nginx!'"),
        (Reply(b"404 page not found", status=404), "HTTP 404: 404 page not found"),
        (Reply.of({"detail": "Not Found"}, status=404), "HTTP 404: Not Found"),
        (Reply.of({"detail": "Method Not Allowed"}, status=405), "HTTP 405: Method Not Allowed"),
    ],
    ids=["page", "text", "json", "405"],
)
def test_openai_compat__nothing_there(reason, reply, said):
    """Where there is no such path the failure names it, and the form that the setting must have."""
    assert reason(reply) == f"rejected: {said}; the request went to '/api/chat/completions': {MEND}"


@pytest.mark.parametrize("text", ["The model `m` does not exist", "model 'm' not found, try pulling it first"])
def test_openai_compat__no_such_model(reason, text):
    """A model that the API does not know is not blamed on the address."""
    assert reason(Reply.of({"error": {"message": text}}, status=404)) == f"rejected: HTTP 404: {text}"


def test_openai_compat__a_page_for_an_answer(reason):
    """A login or a start page, which says 200, is told by its title."""
    assert reason(Reply(PAGE)) == (f"invalid_answer: the answer is an HTML page, 'Welcome & [redacted] nginx!'; {MEND}")


def test_openai_compat__a_page_of_a_gateway(reason):
    """Of any other status the title is told, without advice: the address may be right."""
    assert reason(Reply(PAGE, status=502)) == "overloaded: HTTP 502: an HTML page, 'Welcome & [redacted] nginx!'"


@pytest.mark.parametrize(
    "page",
    [
        b"<html>" + b"<title>" * 50_000,
        b"<!doctype html><title>" + b"x" * 10**6,
        b"<html><title></title>",
        b"<html>" * 10,
    ],
    ids=["titles", "long", "empty", "none"],
)
def test_openai_compat__hostile_page(reason, page):
    """A page of any form costs little, and makes a short reason."""
    assert len(reason(Reply(page, status=404))) < 700


@pytest.mark.sdk
def test_anthropic__nothing_there(reason):
    """The same of a gateway in front of the Anthropic API."""
    assert reason(Reply(PAGE, status=404), provider="anthropic", path="/wrong").endswith(
        "; set ANTHROPIC_BASE_URL to the part of the API's URL before /v1/messages"
    )
    known = json.dumps({"type": "error", "error": {"type": "not_found_error", "message": "model: m"}}).encode()
    assert reason(Reply(known, status=404), provider="anthropic") == "rejected: HTTP 404: model: m"


@pytest.mark.parametrize(
    ("provider", "setting"),
    [
        ("openai-compat", "OPENAI_COMPAT_BASE_URL"),
        pytest.param("anthropic", "ANTHROPIC_BASE_URL", marks=pytest.mark.sdk),
    ],
)
def test_nobody_listens(facade, agent, provider, setting):
    """A refused connection names the address and the setting that it is from."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    agent(**{setting: f"http://{address}/v1", "ANTHROPIC_API_KEY": "a-key-of-tests", "RETRIES": 0})
    reason = facade.complete("say", "small", provider=provider)["reason"]
    assert reason.startswith(f"unreachable: the provider cannot be reached at {address}, set in {setting} (")
    assert "refused" in reason or "connection attempts failed" in reason


def test_no_such_host(facade, agent):
    """A name that nobody knows is told as it is set."""
    agent(OPENAI_COMPAT_BASE_URL="http://no-such-host.invalid/v1", RETRIES=0)
    reason = facade.complete("say", "small", provider="openai-compat")["reason"]
    assert "cannot be reached at no-such-host.invalid, set in OPENAI_COMPAT_BASE_URL (" in reason
