"""Reads and validates the images of a request. Does not import Django."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any
from urllib.parse import SplitResult, urlsplit

from stapel_agent.exceptions import InvalidImage, InvalidRequest
from stapel_agent.types import Image, InlineImage, LinkedImage

MAX_IMAGES = 20
URL_LENGTH = 8192
"""Maximum length of a URL, which servers commonly accept."""

SIGNATURES = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
}
"""The media types that vendors accept, with the first bytes of their files."""
TYPES = ", ".join(SIGNATURES)
TOO_LARGE = "is larger than {:,} bytes (IMAGE_MAX_BYTES): send a smaller one"
FIELDS = ("url", "data_b64", "mime")
FORM = "must be a dict with 'url', or with 'data_b64' and an optional 'mime'"


def read_images(given: Any, max_bytes: Any) -> tuple[Image, ...]:
    """The images of a request: a list of `{"url"}` or `{"data_b64", "mime"?}`. Raises InvalidImage.

    Images that are already read are returned unchanged.
    """
    if given is None:
        return ()
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        raise InvalidImage(
            f"images must be a list of {{'url': ...}} or {{'data_b64': ...}}, not {type(given).__name__}"
        )
    if given and not isinstance(max_bytes, int | float):
        raise InvalidRequest(f"STAPEL_AGENT['IMAGE_MAX_BYTES'] must be a number, not {max_bytes!r}")
    if len(given) > MAX_IMAGES:
        raise InvalidImage(f"a request may have at most {MAX_IMAGES} images, not {len(given):,}: send fewer")
    return tuple(_read(position, item, max_bytes) for position, item in enumerate(given))


def inline_image(content: bytes, *, url: str) -> InlineImage:
    """Make an image of these bytes. Raises InvalidImage if they are not an image."""
    return _inline_image(b64encode(content).decode("ascii"), content, url)


def described(images: Sequence[Image]) -> dict[str, Any]:
    """Describe `images` for the ledger, without their bytes and the secret parts of URLs."""
    return {"count": len(images), "items": [image.description for image in images]}


@contextmanager
def numbered(position: int) -> Iterator[None]:
    """Add the image's position to an InvalidImage raised in the block."""
    try:
        yield
    except InvalidImage as fault:
        raise InvalidImage(fault.reason, position) from None


def _read(position: int, item: Any, max_bytes: float) -> Image:
    if isinstance(item, InlineImage | LinkedImage):
        return item
    with numbered(position):
        given = _fields(item)
        if "data_b64" in given:
            return _read_data(given["data_b64"], given.get("mime"), max_bytes)
        return LinkedImage(_checked_url(given["url"]))


def _fields(item: Any) -> dict[str, str]:
    """The fields of an image that are not None: either `url` alone, or `data_b64` with an optional `mime`."""
    if not isinstance(item, Mapping):
        raise InvalidImage(f"{FORM}, not {type(item).__name__}")
    given = {name: value for name, value in item.items() if value is not None}
    for name, value in given.items():
        if name not in FIELDS:
            raise InvalidImage(f"has the unknown key {str(name)[:50]!r}: it {FORM}")
        if not isinstance(value, str):
            raise InvalidImage(f"has a {name!r} of the type {type(value).__name__}: it must be a string")
    match "url" in given, "data_b64" in given:
        case True, True:
            raise InvalidImage("has both 'url' and 'data_b64': send one of them")
        case False, False:
            raise InvalidImage("has neither 'url' nor 'data_b64': send one of them")
        case True, False if "mime" in given:
            raise InvalidImage("has 'mime' beside 'url': leave 'mime' out, it is for 'data_b64'")
    return given


def _read_data(data_b64: str, declared_type: str | None, max_bytes: float) -> InlineImage:
    # Check before decoding, so that too large an image does not take twice the memory.
    if len(data_b64) * 3 // 4 - data_b64[-2:].count("=") > max_bytes:
        raise InvalidImage(TOO_LARGE.format(max_bytes))
    try:
        content = b64decode(data_b64, validate=True)
    except ValueError:
        raise InvalidImage(
            "'data_b64' is not standard base64 (RFC 4648): send it padded, without line breaks, spaces or data: prefix"
        ) from None
    image = _inline_image(data_b64, content)
    if declared_type is not None and declared_type.lower() != image.media_type:
        raise InvalidImage(f"is of type {image.media_type}, but 'mime' differs: correct it or leave it out")
    return image


def _inline_image(data_b64: str, content: bytes, url: str | None = None) -> InlineImage:
    media_type = next((name for name, signature in SIGNATURES.items() if signature.match(content)), None)
    if media_type is None:
        raise InvalidImage(f"is not one of {TYPES}: convert it to one of them")
    return InlineImage(data_b64, media_type, len(content), sha256(content).hexdigest(), url)


def _checked_url(url: str) -> str:
    if len(url) > URL_LENGTH:
        raise InvalidImage(f"has a URL of {len(url):,} characters, more than {URL_LENGTH:,}: send 'data_b64' instead")
    if not re.fullmatch("[!-~]+", url):
        raise InvalidImage("has a URL with spaces or non-ASCII characters: percent-encode them")
    if not url.lower().startswith("https://"):
        raise InvalidImage("has a URL that does not begin with 'https://': send an https URL, or 'data_b64' instead")
    if not _split(url).hostname:
        raise InvalidImage("has a URL without a host: correct it")
    return url


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise InvalidImage("has a URL with an invalid host or port: correct it") from None
    return parts
