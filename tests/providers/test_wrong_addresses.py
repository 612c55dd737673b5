"""With a wrong base URL, the failure says what was requested, who answered, and which setting to fix."""

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
    """The reason of a call to a server with one reply."""

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
    """If the path does not exist, the failure names it and a valid form of the setting."""
    assert reason(reply) == f"rejected: {said}; the request went to '/api/chat/completions': {MEND}"


def test_openai_compat__nothing_at_an_encoded_path(reason):
    """The failure names the path as it was sent, without the query."""
    said = reason(Reply(b"nothing", status=404), path="/a%2Fb?api-version=1")
    assert said == f"rejected: HTTP 404: nothing; the request went to '/a%2Fb/chat/completions': {MEND}"


@pytest.mark.parametrize("text", ["The model `m` does not exist", "model 'm' not found, try pulling it first"])
def test_openai_compat__no_such_model(reason, text):
    """An unknown model does not blame the address. The failure names the setting with the models."""
    said = reason(Reply.of({"error": {"message": text}}, status=404))
    assert said == f"rejected: HTTP 404: {text}; set OPENAI_COMPAT_MODELS to models of this endpoint"


def test_openai_compat__no_path(reason):
    """If the base URL has no path, the failure says which one most APIs have."""
    said = reason(Reply.of({"detail": "Not Found"}, status=404), path="/")
    request = "the request went to '/chat/completions'"
    assert said == f"rejected: HTTP 404: Not Found; {request}: {MEND}, which ends in /v1 for most APIs"


def test_openai_compat__a_page_for_an_answer(reason):
    """A login or start page with status 200 is reported by its title."""
    assert reason(Reply(PAGE)) == (f"invalid_answer: the answer is an HTML page, 'Welcome & [redacted] nginx!'; {MEND}")


def test_openai_compat__a_page_of_a_gateway(reason):
    """With any other status, the title is reported without advice, because the address may be right."""
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
    """A page of any form is read quickly and gives a short reason."""
    assert len(reason(Reply(page, status=404))) < 700


@pytest.mark.sdk
def test_anthropic__nothing_there(reason):
    """A gateway in front of the Anthropic API that has nothing at the address is reported with the fix."""
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
    """A refused connection names the address and its setting."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    agent(**{setting: f"http://{address}/v1", "ANTHROPIC_API_KEY": "a-key-of-tests", "RETRIES": 0})
    reason = facade.complete("say", "small", provider=provider)["reason"]
    assert reason.startswith(f"unreachable: the provider cannot be reached at {address}, set in {setting} (")
    assert "refused" in reason or "connection attempts failed" in reason


def test_no_such_host(facade, agent):
    """An unknown host name is reported as it is configured."""
    agent(OPENAI_COMPAT_BASE_URL="http://no-such-host.invalid/v1", RETRIES=0)
    reason = facade.complete("say", "small", provider="openai-compat")["reason"]
    assert "cannot be reached at no-such-host.invalid, set in OPENAI_COMPAT_BASE_URL (" in reason
