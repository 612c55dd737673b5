"""The smallest files of each accepted type, and their facts."""

from base64 import b64encode
from hashlib import sha256

from stapel_agent.images import InlineImage

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02"
    "0000000b4944415478da6364f80f00010501012718e3660000000049454e44ae426082"
)
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
WEBP = b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"
FILES = {"image/png": PNG, "image/jpeg": JPEG, "image/gif": GIF, "image/webp": WEBP}


def encoded(content: bytes) -> str:
    return b64encode(content).decode()


def inline(content: bytes, media_type: str, url: str | None = None) -> InlineImage:
    """What a provider gets for this file."""
    return InlineImage(encoded(content), media_type, len(content), sha256(content).hexdigest(), url)


PNG_B64 = encoded(PNG)
PNG_DATA = {"data_b64": PNG_B64}
PNG_IMAGE = inline(PNG, "image/png")
PNG_SHA256 = PNG_IMAGE.digest
