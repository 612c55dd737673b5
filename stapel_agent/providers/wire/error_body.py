"""The body of an error response, as much of it as arrived."""

from __future__ import annotations

from stapel_agent.exceptions import InvalidAnswer

from .attempt_limits import INCOMPLETE, Bounds
from .content_coding import unpacked, unpacked_start
from .error_response import excerpt


class ErrorBody:
    """The `received` bytes of an error's body, or those that `bounds` kept. `is_whole` says that none are missing.

    `text` is the decompressed body, `clues` its message, for the choice of an exception, and `message` what is shown.
    That is fixed for an incomplete body, whose last word may be a part of a key, which is not recognized.
    """

    def __init__(self, bounds: Bounds, received: bytes | None = None, *, is_whole: bool) -> None:
        received = bytes(bounds.error_body) if received is None else received
        coding = bounds.coding if bounds.status >= 300 else ""  # an error inside an answer is a part of it
        try:
            self.text = unpacked(received, coding)
        except InvalidAnswer as fault:
            start = unpacked_start(received, coding)
            is_whole = is_whole and not start
            self.text = start or str(fault).encode()
        self.clues = excerpt(self.text)
        self.message = self.clues if is_whole else INCOMPLETE
