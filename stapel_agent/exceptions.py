"""The faults of this package. The type says what happens next; `failure` is its name in the ledger.

AgentError                                                a request that cannot be answered
├── InvalidRequest                    rejected            the caller's arguments; nothing was asked
│   ├── InvalidImage                  rejected            one of the images, or their number
│   ├── IdempotencyConflict           rejected            their key stands for another payload
│   └── WrongSetting                  rejected            a setting of the host that no call can do with
├── LedgerUnavailable                 ledger_unavailable  the call could not be written down; nothing was asked
├── OverBudget                        over_budget         it might cost more than is left of a budget; not asked
└── ProviderError                     provider_bug        the attempt failed
    ├── RequestRejected               rejected            this request will never be answered (other 4xx)
    │   └── ParameterRefused          rejected            a field that we added; asked once more without it
    ├── ProviderUnusable              rejected            no such provider, or it is no LlmProvider
    │   ├── ProviderMisconfigured     rejected            its dict in PROVIDERS has a wrong key or value
    │   └── ProviderUnimportable      rejected            its dotted path leads nowhere
    ├── ProviderTimeout               timeout             its time was over
    ├── RequestInterrupted            interrupted         sent, and no answer came: it may be billed
    ├── ProviderDeclined                                  not taken on; another provider may
    │   ├── ProviderUnavailable       overloaded          too busy (5xx, 529); asked again
    │   │   └── ProviderUnreachable   unreachable         nobody took the request; asked again
    │   ├── RateLimited               rate_limited        over its limit (429); asked again
    │   ├── ProviderDown              overloaded          out of order: to ask again is no use
    │   ├── OutOfCredit               out_of_credit       the account is empty
    │   ├── AccessDenied              auth                key, address or program missing, wrong or not allowed
    │   └── ProviderBusy              busy                MAX_CONCURRENCY calls of ours are under way; not asked
    ├── ProviderBug                   provider_bug        the provider's own code raised or returned nonsense
    ├── AttemptCancelled              cancelled           the caller went away in mid-call
    ├── AttemptLost                   lost                the process ended in mid-call
    └── AnswerError                                       an answer came, and was paid, but does not count
        ├── AnswerTruncated           truncated           the token cap cut it off
        ├── AnswerRefused             refused             the model or the vendor's filter would not answer
        └── InvalidAnswer             invalid_answer      not what was asked for
            ├── AnswerInterrupted     invalid_answer      the connection ended before it did
            ├── AnswerMissing         invalid_answer      empty, or the decoder failed; asked again under a schema
            └── SchemaMismatch        invalid_answer      not JSON, or not of the caller's schema; asked again
"""

from __future__ import annotations

from collections.abc import Mapping

from .types import Standing, Usage


class AgentError(Exception):
    """Base of every fault; `str()` of it is fit to be shown to the caller.

    `failed` says of a translation, by key, why there is none of any text.
    """

    failure = "rejected"
    may_be_billed = False
    """Whether the vendor may bill what nobody knows to be spent: the request was sent, and its outcome is unknown."""
    usage: Usage | None = None
    text: str | None = None
    failed: Mapping[str, str] | None = None


class InvalidRequest(AgentError):
    """The caller's arguments make no request; the message says the mend."""


class InvalidImage(InvalidRequest):
    """One of the request's images, that at `position`, or all of them, cannot be sent; `reason` says the mend."""

    def __init__(self, reason: str, position: int | None = None) -> None:
        super().__init__(reason if position is None else f"images[{position}] {reason}")
        self.reason = reason


class IdempotencyConflict(InvalidRequest):
    """The caller's idempotency key was used before, for another payload."""


class WrongSetting(InvalidRequest):
    """One of the host's settings has a value that no call can do with; nobody was asked."""


class LedgerUnavailable(AgentError):
    """The row that has to be there before a provider is called could not be written, and so none was called."""

    failure = "ledger_unavailable"


class OverBudget(AgentError):
    """The call might cost more than is left of one of BUDGETS, whose `standing` that is."""

    failure = "over_budget"

    def __init__(self, message: str = "", standing: Standing | None = None) -> None:
        super().__init__(message)
        self.standing = standing


class ProviderError(AgentError):
    """Raised by a provider whose attempt failed.

    `usage` and `text` hold what was paid for, if anything; `retry_after` the seconds after which the provider
    wants to be asked again, if it said so.
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
    """The provider rejected the request itself: it will be rejected again."""

    failure = "rejected"


class ParameterRefused(RequestRejected):
    """The provider rejected a field that this package added on its own; it is left out from now on.

    `parameter` is the field, `setting` what the host may change about it, and `memory` what is remembered of it.
    """

    parameter = ""
    setting = ""
    memory: tuple[str, ...] = ()


class ProviderUnusable(ProviderError):
    """No provider of that name can be used; the message names it."""

    failure = "rejected"


class ProviderMisconfigured(ProviderUnusable):
    """Its entry in PROVIDERS is a dict with a wrong key or value; the message says the fix."""


class ProviderUnimportable(ProviderUnusable):
    """The provider's dotted path cannot be imported."""


class ProviderTimeout(ProviderError):
    """The provider did not answer within its time."""

    failure = "timeout"
    may_be_billed = True


class RequestInterrupted(ProviderError):
    """The provider was sent the whole request and no answer came: nobody knows whether it did the work."""

    failure = "interrupted"
    may_be_billed = True


class ProviderDeclined(ProviderError):
    """The provider did not take the request on; nothing was spent, and another one may be asked."""

    failure = "overloaded"


class ProviderUnavailable(ProviderDeclined):
    """The provider is too busy: it may well answer a moment later."""


class ProviderUnreachable(ProviderUnavailable):
    """Nobody took the request: there was no connection, or none that was alive."""

    failure = "unreachable"


class RateLimited(ProviderDeclined):
    """The provider's rate limit is reached."""

    failure = "rate_limited"


class ProviderDown(ProviderDeclined):
    """The provider is out of order, and will be so a moment later."""


class OutOfCredit(ProviderDeclined):
    """The account at the provider has no credit left."""

    failure = "out_of_credit"


class AccessDenied(ProviderDeclined):
    """The provider's key, address or program is missing, wrong, or may not be used."""

    failure = "auth"


class ProviderBusy(ProviderDeclined):
    """MAX_CONCURRENCY calls of this process are under way at the provider, and none of them ended in time."""

    failure = "busy"


class ProviderBug(ProviderError):
    """The provider's code raised something else than a ProviderError, or returned no ProviderResult."""


class AttemptCancelled(ProviderError):
    """The caller was cancelled or interrupted while the provider was answering."""

    failure = "cancelled"
    may_be_billed = True


class AttemptLost(ProviderError):
    """The process ended before the provider answered; found by its row that was never closed."""

    failure = "lost"
    may_be_billed = True


class AnswerError(ProviderError):
    """An answer arrived and was paid for, but is not one that counts."""

    failure = "invalid_answer"


class AnswerTruncated(AnswerError):
    """The answer was cut off at the token cap."""

    failure = "truncated"


class AnswerRefused(AnswerError):
    """The model, or its vendor's content filter, would not answer."""

    failure = "refused"


class InvalidAnswer(AnswerError):
    """The answer is not in the form that was asked for."""


class AnswerInterrupted(InvalidAnswer):
    """The answer broke off: what had come of it was paid for, and so may be the rest."""

    may_be_billed = True


class AnswerMissing(InvalidAnswer):
    """The answer is empty, or the vendor could not decode one. The next sample may well be an answer."""


class SchemaMismatch(InvalidAnswer):
    """The answer does not satisfy the caller's schema, or is no JSON. `correction` tells the model what to fix."""

    def __init__(self, message: str, *, correction: str = "", text: str | None = None) -> None:
        super().__init__(message, text=text)
        self.correction = correction


def fault_named(failure: str | None) -> type[ProviderError]:
    """The kind of fault that a ledger row names; the most general where several have the name, then the first."""
    kinds: list[type[ProviderError]] = [ProviderError]
    for kind in kinds:
        if kind.failure == failure:
            return kind
        kinds.extend(kind.__subclasses__())
    return ProviderError
