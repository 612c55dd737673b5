"""Bodies that a peer compresses although it was asked not to: unpacked within the size limit, or refused."""

from __future__ import annotations

import zlib

from stapel_agent.exceptions import AnswerInterrupted, InvalidAnswer

from . import limits

REQUEST_HEADERS = {"Accept-Encoding": "identity"}
WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""What zlib is told for each coding that is unpacked. Others, and several in a row, would need a limit of their own."""


def unpacked(body: bytes, coding: str) -> bytes:
    """`body` without its Content-Encoding. Raises InvalidAnswer where it is too large, or coded in another way."""
    name = coding.strip().lower()
    if name in ("", "identity"):
        return body
    if name not in WINDOW_BITS:
        raise InvalidAnswer(f"the answer has the content coding {coding[:40]!r}, and none was asked for")
    decoder = zlib.decompressobj(WINDOW_BITS[name])
    try:
        content = decoder.decompress(body, limits.MAX_ANSWER_BYTES + 1)
    except zlib.error as fault:
        raise AnswerInterrupted(f"the answer cannot be unpacked ({fault})") from None
    limits.SizeLimit().count(content)
    if not decoder.eof:
        raise AnswerInterrupted("the answer broke off before its compressed content ended")
    return content
