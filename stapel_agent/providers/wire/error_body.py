"""The body of an error response, as much of it as arrived, and the exception for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus

from stapel_agent.exceptions import AnswerTruncated, InvalidAnswer, ProviderError
from stapel_agent.types import Usage

from .attempt_limits import INCOMPLETE, Bounds
from .content_coding import unpacked, unpacked_start
from .error_response import NO_CODES, classify, error_codes, excerpt, is_of_another_address
from .optional_fields import OptionalFields, refused_by
from .retry_after import stated_wait


class ErrorBody:
    """The `received` bytes of an error's body, or those that `bounds` kept. `is_whole` says that none are missing.

    An error inside an answer states its own `status`.

    `text` is the decompressed body, `clues` its message, for the choice of an exception, and `message` what is shown.
    That is fixed for an incomplete body, whose last word may be a part of a key that is too short to be recognized.
    """

    def __init__(self, bounds: Bounds, received: bytes | None = None, *, is_whole: bool, status: int = 0) -> None:
        self.status = status or bounds.status
        self._retry_after = bounds.retry_after
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

    def fault(
        self,
        *,
        address_fix: str,
        model_fix: str = "",
        optional_fields: Iterable[OptionalFields],
        usage_in: Callable[[bytes], Usage],
        own_codes: Mapping[str, str] = NO_CODES,
    ) -> ProviderError:
        """Return the exception for the error.

        `address_fix` is shown if the API is at another address, and `model_fix` if it has no such model.
        `optional_fields` are those that the call omits if they are refused. `usage_in` reads the tokens that the body
        states: the vendor bills them.
        """
        is_elsewhere = is_of_another_address(self.status, self.message)
        fix = address_fix if is_elsewhere else model_fix if self.status == HTTPStatus.NOT_FOUND else ""
        message = f"{self.message.removesuffix('.')}; {fix}" if fix else self.message
        fault = classify(
            self.status,
            message,
            clues=self.clues,
            codes=error_codes(self.text),
            own_codes=own_codes,
            retry_after=stated_wait(self.text) if self._retry_after is None else self._retry_after,
        )
        fault = refused_by(optional_fields, fault, self.status, self.text)
        fault.usage = usage_in(self.text) or None
        if isinstance(fault, AnswerTruncated) and not fault.usage:
            fault.may_be_billed = True  # the model has used up its cap
        return fault
