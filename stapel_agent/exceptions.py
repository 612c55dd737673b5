"""The exceptions of this package. The type decides what happens next; `failure` is its name in the ledger.

AgentError                                                the request cannot be answered
├── InvalidRequest                    rejected            the caller's arguments are invalid; no call was made
│   ├── InvalidImage                  rejected            an image is invalid, or there are too many
│   ├── IdempotencyConflict           rejected            the key was used for another payload
│   └── WrongSetting                  rejected            a host's setting makes every such call fail
├── LedgerUnavailable                 ledger_unavailable  the row could not be written; no call was made
├── OverBudget                        over_budget         the call might exceed a budget; no call was made
└── ProviderError                     provider_bug        the attempt failed
    ├── RequestRejected               rejected            the provider will never accept this request (other 4xx)
    │   └── ParameterRefused          rejected            a field that we added; repeated without it
    ├── ProviderUnusable              rejected            no such provider, or not an LlmProvider
    │   ├── ProviderMisconfigured     rejected            its dict in PROVIDERS has an invalid key or value
    │   └── ProviderUnimportable      rejected            its dotted path cannot be imported
    ├── ProviderTimeout               timeout             no answer in time
    ├── RequestInterrupted            interrupted         sent, but no answer came; may be billed
    ├── ProviderDeclined                                  not accepted; another provider may accept it
    │   ├── ProviderUnavailable       overloaded          temporarily unavailable; retried
    │   │   └── ProviderUnreachable   unreachable         no connection; retried
    │   ├── RateLimited               rate_limited        over its rate limit (429); retried
    │   ├── ProviderDown              overloaded          down; not retried
    │   ├── OutOfCredit               out_of_credit       the account is empty
    │   ├── AccessDenied              auth                key, address or program missing, invalid or forbidden
    │   └── ProviderBusy              busy                MAX_CONCURRENCY calls are already running; not asked
    ├── ProviderBug                   provider_bug        the provider's code failed or returned an invalid result
    ├── AttemptCancelled              cancelled           the caller was cancelled during the call
    ├── AttemptLost                   lost                the process ended during the call
    └── AnswerError                                       an answer came and was paid for, but is unusable
        ├── AnswerTruncated           truncated           cut off at the token cap
        ├── AnswerRefused             refused             the model or the vendor's filter refused to answer
        └── InvalidAnswer             invalid_answer      not what was asked for
            ├── AnswerInterrupted     invalid_answer      the connection ended too early
            ├── AnswerMissing         invalid_answer      empty, or the decoder failed; retried if there is a schema
            └── SchemaMismatch        invalid_answer      not JSON, or violates the caller's schema; retried
"""

from __future__ import annotations

from collections.abc import Mapping

from .types import Standing, Usage


class AgentError(Exception):
    """Base of all exceptions of this package. You can show its `str()` to the caller.

    For a translation, `failed` maps each key to the reason why its text was not translated.
    """

    failure = "rejected"
    may_be_billed = False
    """Whether the vendor may bill more than the known usage: the request was sent, and its outcome is unknown."""
    usage: Usage | None = None
    text: str | None = None
    failed: Mapping[str, str] | None = None


class InvalidRequest(AgentError):
    """The caller's arguments are invalid; the message names the fix."""


class InvalidImage(InvalidRequest):
    """The image at `position`, or all images if it is None, cannot be sent; `reason` names the fix."""

    def __init__(self, reason: str, position: int | None = None) -> None:
        super().__init__(reason if position is None else f"images[{position}] {reason}")
        self.reason = reason


class IdempotencyConflict(InvalidRequest):
    """The caller used the same idempotency key before, for another payload."""


class WrongSetting(InvalidRequest):
    """One of the host's settings is invalid; no provider was called."""


class LedgerUnavailable(AgentError):
    """The ledger row could not be written, so no provider was called."""

    failure = "ledger_unavailable"


class OverBudget(AgentError):
    """The call might cost more than is left of a budget; `standing` describes that budget."""

    failure = "over_budget"

    def __init__(self, message: str = "", standing: Standing | None = None) -> None:
        super().__init__(message)
        self.standing = standing


class ProviderError(AgentError):
    """A provider raises this, or a subclass, if an attempt failed.

    `usage` and `text` hold anything that was paid for. `retry_after` is the number of seconds to wait before a
    retry, if the provider named one.
    """

    failure = "provider_bug"

    def __init__(
        self,
        message: str = "",
        *,
        usage: Usage | None = None,
        text: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.usage = usage
        self.text = text
        self.retry_after = retry_after


class RequestRejected(ProviderError):
    """The provider rejected the request itself and would reject it again."""

    failure = "rejected"


class ParameterRefused(RequestRejected):
    """The provider rejected a field that this package added; later requests omit or change it.

    `parameter` is the field, `setting` the setting that controls it, and `memory` the key under which the refusal is
    remembered.
    """

    parameter = ""
    setting = ""
    memory: tuple[str, ...] = ()


class ProviderUnusable(ProviderError):
    """The named provider cannot be used; the message names it."""

    failure = "rejected"


class ProviderMisconfigured(ProviderUnusable):
    """Its entry in PROVIDERS is a dict with an invalid key or value; the message names the fix."""


class ProviderUnimportable(ProviderUnusable):
    """The provider's dotted path cannot be imported."""


class ProviderTimeout(ProviderError):
    """The provider did not answer in time."""

    failure = "timeout"
    may_be_billed = True


class RequestInterrupted(ProviderError):
    """The whole request was sent, but no answer came: it is unknown whether the provider processed it."""

    failure = "interrupted"
    may_be_billed = True


class ProviderDeclined(ProviderError):
    """The provider did not accept the request, and another one may be asked.

    Nothing was spent, unless `usage` or `text` says that the provider had begun. Then no other one is asked by default.
    """

    failure = "overloaded"


class ProviderUnavailable(ProviderDeclined):
    """The provider is too busy, but may answer a moment later."""


class ProviderUnreachable(ProviderUnavailable):
    """The request was not delivered: there was no connection, or it was dead."""

    failure = "unreachable"


class RateLimited(ProviderDeclined):
    """The provider's rate limit is reached."""

    failure = "rate_limited"


class ProviderDown(ProviderDeclined):
    """The provider is down, and a retry a moment later would fail too."""


class OutOfCredit(ProviderDeclined):
    """The account at the provider has no credit left."""

    failure = "out_of_credit"


class AccessDenied(ProviderDeclined):
    """The provider's key, address or program is missing, invalid or forbidden."""

    failure = "auth"


class ProviderBusy(ProviderDeclined):
    """This process already runs as many calls to the provider as MAX_CONCURRENCY allows, and none ended in time."""

    failure = "busy"


class ProviderBug(ProviderError):
    """The provider's code raised an exception other than a ProviderError, or did not return a ProviderResult."""

    may_be_billed = True


class AttemptCancelled(ProviderError):
    """The caller was cancelled or interrupted while the provider was answering."""

    failure = "cancelled"
    may_be_billed = True


class AttemptLost(ProviderError):
    """The process ended before the provider answered. It is detected by a row that was never closed."""

    failure = "lost"
    may_be_billed = True


class AnswerError(ProviderError):
    """An answer arrived and was paid for, but is unusable."""

    failure = "invalid_answer"


class AnswerTruncated(AnswerError):
    """The answer was cut off at the token cap."""

    failure = "truncated"


class AnswerRefused(AnswerError):
    """The model, or its vendor's content filter, refused to answer."""

    failure = "refused"


class InvalidAnswer(AnswerError):
    """The answer does not have the requested form."""


class AnswerInterrupted(InvalidAnswer):
    """The answer broke off. The received part was paid for, and the rest may be billed too."""

    may_be_billed = True


class AnswerMissing(InvalidAnswer):
    """The answer is empty, or the vendor could not decode one. The next sample may succeed."""


class SchemaMismatch(InvalidAnswer):
    """The answer is not JSON, or violates the caller's schema. `correction` tells the model what to fix."""

    def __init__(self, message: str, *, correction: str = "", text: str | None = None) -> None:
        super().__init__(message, text=text)
        self.correction = correction


def exception_named(failure: str | None) -> type[ProviderError]:
    """Return the exception type for a failure name. If several share it, return the most general, then the first."""
    kinds: list[type[ProviderError]] = [ProviderError]
    for kind in kinds:
        if kind.failure == failure:
            return kind
        kinds.extend(kind.__subclasses__())
    return ProviderError


def _failures(kind: type[AgentError]) -> frozenset[str]:
    return frozenset({kind.failure}).union(*map(_failures, kind.__subclasses__()))


FAILURES = _failures(AgentError)
"""The names of all failures."""
