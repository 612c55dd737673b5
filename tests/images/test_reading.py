"""Which images of a prompt are accepted, what a provider gets, and what the ledger stores."""

import json
import tracemalloc
from hashlib import sha256

import pytest
from stapel_core.comm import call
from stapel_core.comm.exceptions import SchemaValidationError

from stapel_agent import services
from stapel_agent.exceptions import InvalidImage, ProviderUnavailable
from stapel_agent.images import InlineImage, LinkedImage, described, read_images
from stapel_agent.images.reading import inline_image
from stapel_agent.models import PromptLog
from stapel_agent.providers.base import LlmProvider, ProviderResult
from stapel_agent.testing import ModelRequest
from tests.image_samples import FILES, GIF, JPEG, PNG, PNG_B64, PNG_DATA, PNG_IMAGE, PNG_SHA256, encoded, inline
from tests.rows import each_row
from tests.scripted_chain import rows, scripted_chain
from tests.test_views import MOUNTS, AgentClient

pytestmark = pytest.mark.any_database

LIMIT = 5 * 1024 * 1024
ASKED = {"prompt": "What is it?", "model": "small"}
LINK = "https://cdn.example/cats/1.png"
SIGNED = "https://alice:hunter2@cdn.example:8443/cats/1.png;token=c0ffee?X-Signature=c0ffee#top"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
NOT_BASE64 = "'data_b64' is not standard base64 (RFC 4648): send it padded, without line breaks, spaces or data: prefix"
NO_IMAGE = "is not one of image/png, image/jpeg, image/gif, image/webp: convert it to one of them"
MISDECLARED = "is of type image/png, but 'mime' differs: correct it or leave it out"
NO_HTTPS = "has a URL that does not begin with 'https://': send an https URL, or 'data_b64' instead"
BAD_HOST = "has a URL with an invalid host or port: correct it"
NOT_ASCII = "has a URL with spaces or non-ASCII characters: percent-encode them"

REFUSED = [
    ({"data_b64": ""}, NO_IMAGE),
    ({"data_b64": encoded(SVG)}, NO_IMAGE),
    ({"data_b64": encoded(SVG), "mime": "image/svg+xml"}, NO_IMAGE),
    ({"data_b64": encoded(b"%PDF-1.7 " + PNG), "mime": "image/png"}, NO_IMAGE),
    ({"data_b64": encoded(b"RIFF\x1a\x00\x00\x00WAVEfmt ")}, NO_IMAGE),
    ({"data_b64": encoded(b"BM" + bytes(60))}, NO_IMAGE),
    ({"data_b64": PNG_B64[:40] + "\n" + PNG_B64[40:]}, NOT_BASE64),
    ({"data_b64": PNG_B64 + "\n"}, NOT_BASE64),
    ({"data_b64": " " + PNG_B64}, NOT_BASE64),
    ({"data_b64": "data:image/png;base64," + PNG_B64}, NOT_BASE64),
    ({"data_b64": encoded(JPEG + b"\xff").rstrip("=")[:-1]}, NOT_BASE64),
    ({"data_b64": PNG_B64.replace("+", "-")}, NOT_BASE64),
    ({"data_b64": "\ud800\u00e9\x00"}, NOT_BASE64),
    ({"data_b64": PNG_B64, "mime": "image/jpeg"}, MISDECLARED),
    ({"data_b64": PNG_B64, "mime": "text/html"}, MISDECLARED),
    ({"data_b64": PNG_B64, "mime": ""}, MISDECLARED),
    ({"url": "http://cdn.example/1.png"}, NO_HTTPS),
    ({"url": "data:image/png;base64," + PNG_B64}, NO_HTTPS),
    ({"url": "file:///etc/passwd"}, NO_HTTPS),
    ({"url": "//cdn.example/1.png"}, NO_HTTPS),
    ({"url": "https:///1.png"}, "has a URL without a host: correct it"),
    ({"url": "https://[::1/1.png"}, BAD_HOST),
    ({"url": "https://cdn.example:99999/"}, BAD_HOST),
    ({"url": "https://cdn.example/a b.png"}, NOT_ASCII),
    ({"url": "https://cdn.example/\n1.png"}, NOT_ASCII),
    ({"url": "https://b\u00fccher.example/1.png"}, NOT_ASCII),
    ({"url": "\ud800"}, NOT_ASCII),
    ({"url": ""}, NOT_ASCII),
    (
        {"url": "https://cdn.example/" + "x" * 1_000_000},
        "has a URL of 1,000,020 characters, more than 8,192: send 'data_b64' instead",
    ),
]

A_LIST = "images must be a list of {'url': ...} or {'data_b64': ...}, not "
FORM = "must be a dict with 'url', or with 'data_b64' and an optional 'mime'"
BOTH = "images[0] has both 'url' and 'data_b64': send one of them"
NEITHER = "images[0] has neither 'url' nor 'data_b64': send one of them"

SHAPELESS = [
    ("text", f"{A_LIST}str"),
    ({"url": LINK}, f"{A_LIST}dict"),
    ([LINK], f"images[0] {FORM}, not str"),
    ([None], f"images[0] {FORM}, not NoneType"),
    ([{}], NEITHER),
    ([{"mime": "image/png"}], NEITHER),
    ([{"url": None}], NEITHER),
    ([{"data_b64": 5}], "images[0] has a 'data_b64' of the type int: it must be a string"),
    ([{"url": LINK, **PNG_DATA}], BOTH),
    ([{"url": LINK, **PNG_DATA, "mime": "image/png"}], BOTH),
    ([{"url": LINK, "mime": "image/png"}], "images[0] has 'mime' beside 'url': leave 'mime' out, it is for 'data_b64'"),
    ([{**PNG_DATA, "detail": "high"}], f"images[0] has the unknown key 'detail': it {FORM}"),
    ([{5: "high", **PNG_DATA}], f"images[0] has the unknown key '5': it {FORM}"),
    ([PNG_DATA] * 21, "a request may have at most 20 images, not 21: send fewer"),
]

TAKEN = [[], [PNG_DATA], [{**PNG_DATA, "mime": "image/png"}, {"url": LINK}], [PNG_DATA] * 20]


@pytest.fixture
def service(settings) -> AgentClient:
    """Another service, with its key, and a host that accepts large bodies."""
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = None
    return AgentClient(headers={"X-API-KEY": settings.SERVICE_API_KEY})


@pytest.mark.parametrize("media_type", FILES)
@pytest.mark.parametrize("declared", [False, True])
def test_read__type_by_its_first_bytes(media_type, declared):
    """The first bytes of a file decide its type, whether or not the type is declared, in any case."""
    given = {"data_b64": encoded(FILES[media_type]), **({"mime": media_type.upper()} if declared else {})}
    assert read_images([given], LIMIT) == (inline(FILES[media_type], media_type),)


def test_read__keeps_the_callers_own_string():
    """The data is not copied: the caller's string is sent."""
    (image,) = read_images([PNG_DATA], LIMIT)
    assert image.data_b64 is PNG_B64


@each_row(REFUSED)
def test_read__refused(given, reason):
    """An invalid image is refused, with its position and the fix."""
    with pytest.raises(InvalidImage) as raised:
        read_images([PNG_DATA, given], LIMIT)
    assert (str(raised.value), raised.value.__context__ and raised.value.__cause__) == (f"images[1] {reason}", None)


@each_row(SHAPELESS)
def test_read__shapeless(given, message):
    """A value that is not a list of images is refused too, with the fix."""
    with pytest.raises(InvalidImage) as raised:
        read_images(given, LIMIT)
    assert str(raised.value) == message


@pytest.mark.parametrize("given", [None, [], ()])
def test_read__none(given):
    """No images, an empty list and None are the same."""
    assert read_images(given, LIMIT) == ()


@pytest.mark.parametrize("surplus", [0, 1, 2])
def test_read__limit_to_the_byte(surplus):
    """An image at the limit is accepted. One byte more is refused, whatever the padding."""
    limit = len(PNG) + surplus
    assert read_images([{"data_b64": encoded(PNG + bytes(surplus))}], limit)[0].size == limit
    with pytest.raises(InvalidImage, match=rf"^images\[0\] is larger than {limit} bytes \(IMAGE_MAX_BYTES\)"):
        read_images([{"data_b64": encoded(PNG + bytes(surplus + 1))}], limit)


def test_read__hundred_megabytes():
    """An image that is much too large is refused before it is decoded, so it costs no memory."""
    data_b64 = "A" * (100 * 1024 * 1024)
    tracemalloc.start()
    with pytest.raises(InvalidImage, match="is larger than 5,242,880 bytes"):
        read_images([{"data_b64": data_b64}], LIMIT)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_repr__without_data():
    """A repr contains neither the bytes nor the URL."""
    told = repr([*read_images([PNG_DATA, {"url": SIGNED}], LIMIT), inline_image(PNG, url=SIGNED)])
    assert (PNG_B64 in told, "hunter2" in told, "c0ffee" in told) == (False, False, False)
    assert f"media_type='image/png', size={len(PNG)}, digest='{PNG_SHA256}'" in told


@pytest.mark.django_db
def test_provider__gets_images(facade, scripted_model):
    """A provider gets the images in order. Without images, the keyword is not passed."""
    webp = inline(FILES["image/webp"], "image/webp")
    facade.complete("What is it?", "small", images=[PNG_DATA, {"url": SIGNED}, webp])
    facade.complete("What is it?", "small")
    assert [request.images for request in scripted_model.requests] == [(PNG_IMAGE, LinkedImage(SIGNED), webp), ()]


@pytest.mark.django_db
def test_provider__schema_and_images(facade, scripted_model):
    """Structured output works with images, and the repeated question after a mismatch has them too."""
    schema = {"type": "object", "required": ["animal"]}
    scripted_model.script("{}", '{"animal": "cat"}')
    answer = facade.complete_json("What is it?", "small", schema=schema, images=[PNG_DATA])
    assert answer["result"] == {"animal": "cat"}
    assert [(request.schema, request.images) for request in scripted_model.requests] == [(schema, (PNG_IMAGE,))] * 2


class Blind(LlmProvider):
    """Supports neither images nor any undeclared keyword."""

    def complete(self, *, prompt, model, system_prompt=None):
        return ProviderResult("{}")


@pytest.mark.django_db
@pytest.mark.real_model
@pytest.mark.parametrize("name", ["blind", "claude-code"])
def test_provider__without_support(facade, agent, name):
    """A provider that does not support images is not asked, and no row is written. Without images, it is asked."""
    agent(PROVIDERS={"blind": Blind})
    assert facade.complete("What is it?", "small", provider=name, images=[PNG_DATA]) == {
        "status": "failure",
        "failure": "rejected",
        "reason": f"rejected: provider {name!r} does not support images: choose one that does, or send none",
    }
    assert PromptLog.objects.count() == 0
    assert facade.complete("What is it?", "small", provider="blind", images=[])["status"] == "ok"


@pytest.mark.django_db
def test_provider__fallback_without_support(facade, agent):
    """A fallback that does not support images is skipped if the request has images, and asked if it has none.

    The reason says that it was skipped.
    """
    scripted_chain(agent, first=ProviderUnavailable("down"), second="{}")
    agent(PROVIDERS={**services.agent_settings.PROVIDERS, "second": Blind}, RETRIES=0)
    skipped = "skipped, 'second': provider 'second' does not support images: choose one that does, or send none"
    assert facade.complete_json("What is it?", "small", images=[PNG_DATA])["reason"] == f"overloaded: down ({skipped})"
    assert facade.complete_json("What is it?", "small")["status"] == "ok"
    assert [name for name, *_ in rows()] == ["first", "first", "second"]


@pytest.mark.django_db
def test_provider__cannot_be_constructed(agent):
    """The error of a broken provider is reported, with or without images."""

    class Unmakeable(LlmProvider):
        def __init__(self):
            raise OSError

    agent(PROVIDERS={"unmakeable": Unmakeable})
    answer = services.complete("What is it?", "small", provider="unmakeable", images=[PNG_DATA])
    assert answer["reason"] == "provider_bug: provider 'unmakeable' raised OSError"


@pytest.mark.django_db
@pytest.mark.parametrize(("given", "reason"), {reason: (given, reason) for given, reason in REFUSED}.values())
def test_surfaces__refuse_alike(facade, scripted_model, service, given, reason):
    """Invalid data is a failure over comm and in Python, and a 400 at both mounts. It costs nothing."""
    told = f"images[0] {reason}"
    failure = {"status": "failure", "failure": "rejected", "reason": f"rejected: {told}"}
    assert facade.complete_json("What is it?", "small", images=[given]) == failure
    assert call("llm.complete", {**ASKED, "images": [given]}) == failure
    for mount in MOUNTS:
        answer = service.ask("complete", {**ASKED, "images": [given]}, mount=mount)
        assert (answer.status_code, answer.json()) == (
            400,
            {
                "localizable_error": "error.400.invalid_image",
                "error": f"An image cannot be sent: {told}",
                "params": {"reason": told},
                "error_language": "en",
            },
        )
    assert (scripted_model.requests, PromptLog.objects.count()) == ([], 0)


@pytest.mark.django_db
@pytest.mark.parametrize("given", SHAPELESS)
def test_surfaces__same_schema_errors(facade, scripted_model, service, given):
    """An invalid payload raises over comm, is a field's 400 over HTTP, and is a failure in Python."""
    with pytest.raises(SchemaValidationError):
        call("llm.complete", {**ASKED, "images": given})
    answer = service.ask("complete", {**ASKED, "images": given})
    assert (answer.status_code, answer.json()["params"]["field"][:6]) == (400, "images")
    assert facade.complete("What is it?", "small", images=given)["status"] == "failure"
    assert (scripted_model.requests, PromptLog.objects.count()) == ([], 0)


@pytest.mark.django_db
@pytest.mark.parametrize("images", TAKEN)
def test_surfaces__take_alike(scripted_model, service, images):
    """Every surface accepts a valid image, and the provider gets the same."""
    asked = {**ASKED, "images": images}
    answers = [call("llm.complete", asked), services.complete_json("What is it?", "small", images=images)]
    answers += [service.ask("complete", asked, mount=mount).json() for mount in MOUNTS]
    assert [answer["status"] for answer in answers] == ["ok"] * 4
    assert len({request.images for request in scripted_model.requests}) == 1
    assert len(scripted_model.requests[0].images) == len(images)


@pytest.mark.django_db
def test_surfaces__too_many(service):
    """The error for twenty-one images has their number, and does not quote them."""
    with pytest.raises(SchemaValidationError) as raised:
        call("llm.complete", {**ASKED, "images": [{"data_b64": "A" * 1_000_000}] * 21})
    assert str(raised.value) == "payload for 'llm.complete' violates schema: 21 items are too many, 20 are allowed"
    assert services.complete("What is it?", "small", images=[PNG_DATA] * 21)["reason"] == (
        "rejected: a request may have at most 20 images, not 21: send fewer"
    )
    error = service.ask("complete", {**ASKED, "images": [PNG_DATA] * 21}).json()
    assert error["params"]["detail"] == {"images": ["21 items are too many, 20 are allowed"]}


@pytest.mark.django_db
def test_surfaces__fault_quotes_no_megabytes():
    """Neither the exception for an invalid payload nor its traceback contains the images."""
    images = [{"url": LINK, "data_b64": "A" * 1_000_000}]
    with pytest.raises(SchemaValidationError) as raised:
        call("llm.complete", {**ASKED, "images": images, "unknown": "B" * 1_000_000})
    told = f"{raised.value} {raised.value.__cause__}"
    assert (len(told) < 10_000, "A" * 60 in told, "B" * 60 in told) == (True, False, False)


@pytest.mark.django_db
def test_surfaces__limit_is_not_a_number(facade, scripted_model, service, agent):
    """A wrong setting is a failure that names it, also over HTTP, and only for requests with images."""
    agent(IMAGE_MAX_BYTES="5 MB")
    failure = {
        "status": "failure",
        "failure": "rejected",
        "reason": "rejected: STAPEL_AGENT['IMAGE_MAX_BYTES'] must be a number, not '5 MB'",
    }
    assert facade.complete_json("What is it?", "small", images=[PNG_DATA]) == failure
    answer = service.ask("complete", {**ASKED, "images": [PNG_DATA]})
    assert (answer.status_code, answer.json()) == (200, failure)
    assert service.ask("complete", ASKED).json()["status"] == "ok"


@pytest.mark.django_db
def test_row__data(facade, scripted_model):
    """The row has the number, types, sizes and digests of the images, but not their bytes."""
    facade.complete("What is it?", "small", images=[PNG_DATA, {"data_b64": encoded(GIF)}], metadata={"case": 7})
    row = PromptLog.objects.get()
    assert row.metadata == {
        "provider": "anthropic",
        "case": 7,
        "images": {
            "count": 2,
            "items": [
                {"type": "image/png", "size": len(PNG), "sha256": PNG_SHA256},
                {"type": "image/gif", "size": len(GIF), "sha256": sha256(GIF).hexdigest()},
            ],
        },
    }
    assert PNG_B64[:30] not in json.dumps(PromptLog.objects.values().get(), default=str)


@pytest.mark.django_db
def test_row__url(scripted_model):
    """A URL is stored without its secret parts, with a digest of the whole URL."""
    services.complete("What is it?", "small", images=[{"url": SIGNED}])
    row = PromptLog.objects.values().get()
    kept = {"url": "https://cdn.example:8443/cats/1.png", "url_sha256": sha256(SIGNED.encode()).hexdigest()}
    assert row["metadata"]["images"] == {"count": 1, "items": [kept]}
    assert not any(secret in json.dumps(row, default=str) for secret in ("alice", "hunter2", "c0ffee", "#top"))


@pytest.mark.django_db
def test_row__without_images(scripted_model):
    """The row of a request without images does not mention any."""
    services.complete("say", "small", images=[])
    assert PromptLog.objects.get().metadata == {"provider": "anthropic"}


@pytest.mark.django_db
def test_row__while_the_provider_thinks(scripted_model):
    """The pending row already describes the images."""
    seen = []
    scripted_model.script(lambda request: seen.append(PromptLog.objects.get()) or "{}")
    services.complete("What is it?", "small", images=[PNG_DATA])
    assert (seen[0].status, seen[0].metadata["images"]["count"]) == ("pending", 1)


@pytest.mark.django_db
def test_failure__without_data(scripted_model, caplog):
    """If an exception quotes the images, neither the log nor the row has them in full."""
    scripted_model.script(ValueError("nothing of it"))
    services.complete("What is it?", "small", images=[PNG_DATA, {"url": SIGNED}])
    assert "Traceback" in caplog.text
    assert (PNG_B64[:30] in caplog.text, "hunter2" in caplog.text) == (False, False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("images", "reused"),
    [
        ([PNG_DATA, {"url": LINK}], True),
        ([{**PNG_DATA, "mime": "image/png"}, {"url": LINK}], True),
        ([{"url": LINK}, PNG_DATA], False),
        ([PNG_DATA], False),
        ([PNG_DATA, {"url": LINK + "?2"}], False),
        ([{"data_b64": encoded(GIF)}, {"url": LINK}], False),
        (None, False),
    ],
)
def test_cache__key_has_the_images(facade, scripted_model, agent, images, reused):
    """An answer is reused only for the same images in the same order."""
    agent(CACHE_LOOKUP={"llm_facade": True})
    facade.complete("What is it?", "small", images=[PNG_DATA, {"url": LINK}])
    facade.complete("What is it?", "small", images=images)
    assert len(scripted_model.requests) == (1 if reused else 2)


@pytest.mark.django_db
def test_cache__key_without_images_is_as_before(scripted_model):
    """Requests without images keep the cache keys of existing ledgers."""
    services.complete("say", "small", images=[])
    services.complete("say", "small")
    assert len(set(PromptLog.objects.values_list("cache_key", flat=True))) == 1


def test_described__is_json():
    """The description in the ledger can be written as JSON."""
    images = (PNG_IMAGE, LinkedImage(LINK), inline(PNG, "image/png", url=LINK))
    kept = described(images)
    assert json.loads(json.dumps(kept)) == kept
    assert kept["items"][2] == {**kept["items"][0], **kept["items"][1]}


def test_types__are_frozen():
    """A provider can hash and compare the images that it gets."""
    assert {InlineImage("", "image/png", 0, "a"), LinkedImage(LINK)} == {
        LinkedImage(LINK),
        InlineImage("", "image/png", 0, "a"),
    }
    assert ModelRequest("p", "m").images == ()
