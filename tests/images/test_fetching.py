"""With IMAGE_FETCH, linked images are fetched through stapel-core's guard, within the deadline, and reveal nothing."""

import gc
import http.client
import socket
import threading
import time
from hashlib import sha256
from urllib.parse import urlsplit

import pytest
from stapel_core.net import safe_fetch

from stapel_agent.images import LinkedImage
from stapel_agent.models import PromptLog
from stapel_agent.providers.base import LlmProvider
from tests.image_samples import GIF, JPEG, PNG, PNG_DATA, PNG_IMAGE, inline
from tests.scripted_server import Reply, ScriptedServer

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

HOST = "https://93.184.216.34"  # a public address: no name is looked up
LINK = f"{HOST}/cats/1.png?X-Signature=c0ffee"
PLAIN = f"{HOST}/cats/1.png"

NOT_GIVEN = "could not be fetched: its server returned an error"
NOT_PUBLIC = "could not be fetched: its host has no public address"
NO_HTTPS = "could not be fetched: its server redirects to a URL without https"
TOO_OFTEN = "could not be fetched: it redirects too many times"
TOO_LARGE = "is larger than 5,242,880 bytes (IMAGE_MAX_BYTES): send a smaller one"
UNREACHABLE = "could not be fetched: its server is unreachable or closed the connection"
NO_IMAGE = "is not one of image/png, image/jpeg, image/gif, image/webp: convert it to one of them"


@pytest.fixture
def server(monkeypatch, agent):
    """The server that the guard reaches for any allowed public address. It returns a PNG."""
    with ScriptedServer(Reply(PNG, headers={"Content-Type": "image/png"})) as scripted:

        def connect(host, ip, port, path, **options):
            address = urlsplit(scripted.url)
            connection = http.client.HTTPConnection(address.hostname, address.port, timeout=options["timeout"])
            try:
                connection.request("GET", path, headers={"Host": host, "Accept": options["accept"]})
                return connection.getresponse()
            finally:
                if connection.sock:
                    connection.sock.close()  # as soon as the answer is read

        monkeypatch.setattr(safe_fetch, "_open", connect)
        agent(IMAGE_FETCH=True)
        yield scripted


def refusal(facade, url: str, **options) -> str:
    answer = facade.complete("What is it?", "small", images=[PNG_DATA, {"url": url}], **options)
    assert (answer["status"], PromptLog.objects.count()) == ("failure", 0)
    return answer["reason"]


def test_fetch__sent_along(facade, server, scripted_model):
    """The provider gets the fetched bytes instead of the link. The row has the origin and the content of the image."""
    server.replies = [Reply(PNG), Reply(GIF)]
    images = [{"url": LINK}, {"data_b64": inline(JPEG, "image/jpeg").data_b64}, {"url": LINK}]
    assert facade.complete("What is it?", "small", images=images)["status"] == "ok"
    (request,) = scripted_model.requests
    first, second, third = request.images
    assert {first, third} == {inline(PNG, "image/png", LINK), inline(GIF, "image/gif", LINK)}
    assert second == inline(JPEG, "image/jpeg")
    assert [sent.path for sent in server.requests] == ["/cats/1.png?X-Signature=c0ffee"] * 2
    assert PromptLog.objects.get().metadata["images"]["items"][0] == {
        **first.description,
        "url": PLAIN,
        "url_sha256": sha256(LINK.encode()).hexdigest(),
    }


def test_fetch__by_default_the_endpoint_does(facade, server, scripted_model, agent):
    """If the setting is not True, the image is not fetched."""
    for setting in (False, "yes", None):
        agent(IMAGE_FETCH=setting)
        facade.complete("What is it?", "small", images=[{"url": LINK}])
    assert [request.images for request in scripted_model.requests] == [(LinkedImage(LINK),)] * 3
    assert server.requests == []


def test_fetch__cached_by_content(facade, server, scripted_model, agent):
    """The same bytes are the same question, whatever the signature. Other bytes at the URL are another question."""
    agent(CACHE_LOOKUP={"llm_facade": True})
    server.replies = [Reply(PNG), Reply(PNG), Reply(GIF)]
    for link in (LINK, LINK + "2", LINK):
        facade.complete("What is it?", "small", images=[{"url": link}])
    facade.complete("What is it?", "small", images=[PNG_DATA])
    assert [request.images[0].media_type for request in scripted_model.requests] == ["image/png", "image/gif"]


def test_fetch__type_by_its_bytes(facade, server, scripted_model):
    """The media type that the server states is ignored, whether it is right or wrong."""
    server.replies = [
        Reply(PNG, headers={"Content-Type": "text/html"}),
        Reply(b"<svg/>", headers={"Content-Type": "image/png"}),
    ]
    facade.complete("What is it?", "small", images=[{"url": LINK}])
    assert scripted_model.requests[0].images == (inline(PNG, "image/png", LINK),)
    PromptLog.objects.all().delete()
    assert refusal(facade, LINK) == f"rejected: images[1] {NO_IMAGE}"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(b"", status=404), NOT_GIVEN),
        (Reply(b"", status=302), NOT_GIVEN),
        (Reply(b"", status=302, headers={"Location": "https://169.254.169.254/latest/meta-data"}), NOT_PUBLIC),
        (Reply(b"", status=302, headers={"Location": "http://93.184.216.34/1.png"}), NO_HTTPS),
        (Reply(b"", status=302, headers={"Location": "/1.png"}), TOO_OFTEN),
        (Reply(PNG, content_length=6_000_000, ending="close"), TOO_LARGE),
        (Reply(raw=b"HTTP/1.1 200 OK\r\n\r\n" + PNG + bytes(6_000_000), ending="close"), TOO_LARGE),
        (Reply(raw=b"secret banner\r\n", ending="close"), UNREACHABLE),
        (Reply(PNG, ending="reset", content_length=90), UNREACHABLE),
    ],
)
def test_fetch__refused(facade, server, scripted_model, reply, reason):
    """An image that cannot be fetched is a failure without a row. The reason reveals nothing about the address."""
    server.replies = [reply]
    assert refusal(facade, LINK) == f"rejected: images[1] {reason}"
    assert scripted_model.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/1.png",
        "https://10.1.2.3:8443/1.png",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/1.png",
        "https://[::ffff:127.0.0.1]/1.png",
        "https://0x7f000001/1.png",
        "https://localhost/1.png",
        "https://alice:hunter2@127.0.0.1/1.png",
        "https://no-such-host.invalid/1.png",
    ],
)
def test_fetch__private_address(facade, server, scripted_model, caplog, url):
    """A private host is never connected to, and looks like one that does not exist."""
    assert refusal(facade, url) == f"rejected: images[1] {NOT_PUBLIC}"
    assert (server.requests, scripted_model.requests, "hunter2" in caplog.text) == ([], [], False)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "[fec0::1]",
            "[fec0::1%1]",
            "[3fff::1]",
            "[::ffff:192.0.0.192]",
            "[64:ff9b::192.0.0.192]",
            "[2002:c000:c0::]",
        ),
        *("192.0.0.192", "192.88.99.1", "168.63.129.16"),
    ],
)
def test_fetch__reserved_address(facade, agent, monkeypatch, scripted_model, address):
    """Nothing is sent to an address that no public host has."""
    connected = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: connected.append(address))
    agent(IMAGE_FETCH=True)
    assert refusal(facade, f"https://{address}/1.png") == f"rejected: images[1] {NOT_PUBLIC}"
    assert connected == []


@pytest.mark.parametrize("options", [{"provider": "nobody"}, {"provider": "blind"}])
def test_fetch__nobody_to_ask(facade, server, agent, options):
    """Nothing is fetched for a request that no provider can take."""
    agent(PROVIDERS={"blind": LlmProvider})
    assert "blind" in refusal(facade, LINK, **options) or "nobody" in refusal(facade, LINK, **options)
    assert server.requests == []


def test_fetch__all_at_once(facade, server, scripted_model):
    """The images of a request are fetched concurrently."""
    server.replies = [Reply(PNG, gate=threading.Barrier(3))]
    answer = facade.complete("What is it?", "small", images=[{"url": LINK}] * 3)
    assert (answer["status"], len(server.requests)) == ("ok", 3)


@pytest.mark.parametrize("reply", [Reply(PNG, trickle="body", pause=1), Reply(PNG, content_length=90, ending="hang")])
def test_fetch__within_the_deadline(facade, server, scripted_model, agent, reply):
    """A server that trickles or falls silent delays nobody beyond the deadline."""
    agent(DEADLINE=1)
    server.replies = [reply]
    started_at = time.monotonic()
    reason = refusal(facade, LINK)
    assert time.monotonic() - started_at < 50
    assert reason == "timeout: the images could not be fetched in time (DEADLINE is 1 s)"
    assert scripted_model.requests == []


@pytest.mark.parametrize(
    "reply",
    [
        Reply(PNG * 100, trickle="body", pause=1),
        Reply(PNG, trickle="head", pause=1),
        Reply(PNG, content_length=90, ending="hang"),
        Reply(PNG, thinking=60),
    ],
    ids=["body", "head", "silent-body", "silent"],
)
def test_fetch__leaves_nothing_behind(facade, server, scripted_model, agent, reply):
    """Soon after the deadline, no thread and no socket of a fetch is left, whatever its server does."""
    agent(DEADLINE=1)
    server.replies = [reply]
    answer = facade.complete("What is it?", "small", images=[{"url": LINK}] * 5)
    assert answer["reason"] == "timeout: the images could not be fetched in time (DEADLINE is 1 s)"
    deadline = time.monotonic() + 100
    while fetching() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert fetching() == []
    gc.collect()  # an open socket raises a warning here


def fetching() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "stapel-agent-call"]


def test_fetch__first_fault_ends_it(facade, server, scripted_model):
    """An image that cannot be fetched is reported at once, even if others are still under way."""
    server.replies = [Reply(PNG, content_length=90, ending="hang")]
    images = [{"url": LINK}, {"url": "https://127.0.0.1/"}]
    started_at = time.monotonic()
    answer = facade.complete("What is it?", "small", images=images)
    assert answer["reason"] == f"rejected: images[1] {NOT_PUBLIC}"
    assert time.monotonic() - started_at < 50


def test_fetch__retries_fetch_nothing_anew(facade, server, scripted_model):
    """An image is fetched once per request, however often the provider is asked."""
    scripted_model.script("{}", '{"a": 1}')
    schema = {"type": "object", "required": ["a"]}
    answer = facade.complete_json("What is it?", "small", schema=schema, images=[{"url": LINK}])
    assert (answer["result"], len(scripted_model.requests), len(server.requests)) == ({"a": 1}, 2, 1)
    assert PNG_IMAGE.digest == scripted_model.requests[1].images[0].digest
