"""Decompresses bodies that a server compressed although it was asked not to, within the size limit."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from stapel_agent.exceptions import AnswerInterrupted, InvalidAnswer
from stapel_agent.redaction import redact_start

from . import attempt_limits

CODING_LENGTH = 40
REQUEST_HEADERS = {"Accept-Encoding": "identity"}
UNCODED = frozenset({"", "identity", "none", "null", "utf-8", "utf8", "binary", "8bit", "7bit", "chunked"})
"""Words that gateways put into Content-Encoding although they leave the body as it is."""
GZIP, ZLIB, RAW_DEFLATE = 31, 15, -15
WINDOW_BITS = {"gzip": GZIP, "x-gzip": GZIP, "deflate": ZLIB}
"""The zlib window of each supported coding. Others, and combined codings, would need a separate size limit."""


START_LENGTH = 64 * 1024
PIECE_LENGTH = 512
"""A piece expands at most to half a megabyte, so that is how far a body can exceed a limit."""
MOST_MEMBERS = 10_000


def unpacked_start(body: bytes, coding: str) -> bytes:
    """Return what can be decompressed of the start of `body`, which may be incomplete or corrupt."""
    names = _codings(coding)
    if len(names) != 1 or names[0] not in WINDOW_BITS:
        return b""
    start = bytearray()
    try:
        for part in _decompressed(body[:START_LENGTH], names[0]):
            start += part
            if len(start) >= START_LENGTH:
                break
    except (zlib.error, InvalidAnswer):
        pass
    return bytes(start[:START_LENGTH])


def unpacked(body: bytes, coding: str) -> bytes:
    """Return `body` without its Content-Encoding. Raises InvalidAnswer if it is too large or the coding is unknown."""
    names = _codings(coding)
    if not names:
        return body
    if len(names) > 1 or names[0] not in WINDOW_BITS:
        raise InvalidAnswer(
            f"the answer has the content coding {redact_start(coding, CODING_LENGTH)!r}, although none was requested"
        )
    size = attempt_limits.SizeLimit()
    try:
        return b"".join(map(size.count, _decompressed(body, names[0])))
    except zlib.error as fault:
        raise AnswerInterrupted(f"the answer cannot be decompressed ({fault})") from None


def _codings(header: str) -> list[str]:
    names = (name.strip().lower() for name in header.split(","))
    return [name for name in names if name not in UNCODED]


def _decompressed(body: bytes, coding: str) -> Iterator[bytes]:
    """Yield the decompressed parts of `body`, with all members of gzip. Other bytes after the end are padding."""
    window = RAW_DEFLATE if coding == "deflate" and not _is_zlib(body) else WINDOW_BITS[coding]
    decoder, members = zlib.decompressobj(window), 1
    for place in range(0, len(body), PIECE_LENGTH):
        piece = body[place : place + PIECE_LENGTH]
        while piece:
            if decoder.eof:
                if window != GZIP or piece[:1] != b"\x1f":
                    return
                decoder, members = zlib.decompressobj(window), members + 1
                if members > MOST_MEMBERS:
                    raise InvalidAnswer("the answer is compressed in too many parts")
            yield decoder.decompress(piece)
            piece = decoder.unused_data
    if not decoder.eof:
        raise AnswerInterrupted("the answer ended before its compressed content was complete")


def _is_zlib(body: bytes) -> bool:
    """Whether `body` has the header of RFC 1950. Some servers send a bare deflate stream (RFC 1951) instead."""
    return len(body) > 1 and body[0] & 15 == 8 and int.from_bytes(body[:2], "big") % 31 == 0
