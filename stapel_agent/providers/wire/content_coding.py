"""Decompresses bodies that a server compressed although it was asked not to, within the size limit."""

from __future__ import annotations

import zlib

from stapel_agent.exceptions import AnswerInterrupted, InvalidAnswer
from stapel_agent.redaction import redact_start

from . import attempt_limits

CODING_LENGTH = 40
REQUEST_HEADERS = {"Accept-Encoding": "identity"}
WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""The zlib window of each supported coding. Others, and combined codings, would need a separate size limit."""


START_LENGTH = 64 * 1024
PIECE_LENGTH = 512


def unpacked_start(body: bytes, coding: str) -> bytes:
    """Return what can be decompressed of the start of `body`, which may be incomplete or corrupt."""
    name = coding.strip().lower()
    if name not in WINDOW_BITS:
        return b""
    decoder, start = zlib.decompressobj(WINDOW_BITS[name]), b""
    try:
        for place in range(0, min(len(body), START_LENGTH), PIECE_LENGTH):
            start += decoder.decompress(body[place : place + PIECE_LENGTH], START_LENGTH - len(start) or 1)
            if len(start) >= START_LENGTH:
                break
    except zlib.error:
        pass
    return start[:START_LENGTH]


def unpacked(body: bytes, coding: str) -> bytes:
    """Return `body` without its Content-Encoding. Raises InvalidAnswer if it is too large or the coding is unknown."""
    name = coding.strip().lower()
    if name in ("", "identity"):
        return body
    if name not in WINDOW_BITS:
        raise InvalidAnswer(
            f"the answer has the content coding {redact_start(coding, CODING_LENGTH)!r}, although none was requested"
        )
    decoder = zlib.decompressobj(WINDOW_BITS[name])
    try:
        content = decoder.decompress(body, attempt_limits.MAX_ANSWER_BYTES + 1)
    except zlib.error as fault:
        raise AnswerInterrupted(f"the answer cannot be decompressed ({fault})") from None
    attempt_limits.SizeLimit().count(content)
    if not decoder.eof:
        raise AnswerInterrupted("the answer ended before its compressed content was complete")
    return content
