"""The types of the facade's answers."""

from __future__ import annotations

from typing import Any, Generic, Literal, NotRequired, Required, TypedDict, TypeVar

T = TypeVar("T")


class AnswerUsage(TypedDict):
    """The cost of a request with all its provider calls. Zero for a reused answer. Dollars are exact decimals."""

    input_tokens: int
    output_tokens: int
    thinking_tokens: NotRequired[int]
    cost_usd: NotRequired[str]


class BudgetLeft(TypedDict, total=False):
    """The budget that a call would have exceeded, and what is left of it. Dollars are exact decimals."""

    scope: Required[str]
    id: str
    left_usd: str
    left_tokens: int
    period: Required[str]
    resets_at: Required[str]


class BaseAnswer(TypedDict, total=False):
    """Fields of every answer. `failure` is one of the names in docs/failures.md, `reason` the message for people."""

    status: Required[Literal["ok", "failure"]]
    failure: str
    reason: str
    comment: str
    usage: AnswerUsage
    budget: BudgetLeft
    model: str
    provider: str
    request_id: str


class TextAnswer(BaseAnswer, total=False):
    """The answer of `complete()`."""

    result: str


class JsonAnswer(BaseAnswer, Generic[T], total=False):
    """The answer of `complete_json()`. `result` is JSON, or an instance of the type given as `schema`."""

    result: T


class TranslationAnswer(BaseAnswer, total=False):
    """The answer of `translate()`: `result` maps keys to translations, `failed` keys to reasons.

    `warnings` maps keys to what a translation lacks. `unchanged` lists the keys of texts that came back untranslated.
    """

    result: dict[str, str]
    failed: dict[str, str]
    warnings: dict[str, str]
    unchanged: list[str]


class AnswerFailed(Exception):
    """Raised by `ask()` and `aask()`. `failure` is the failure's name, `usage` the paid usage, if any."""

    def __init__(
        self, failure: str, reason: str, usage: AnswerUsage | None = None, request_id: str | None = None
    ) -> None:
        super().__init__(failure, reason, usage, request_id)
        self.failure = failure
        self.reason = reason
        self.usage = usage
        self.request_id = request_id

    def __str__(self) -> str:
        return self.reason

    @classmethod
    def of(cls, answer: Any) -> AnswerFailed:
        return cls(answer["failure"], answer["reason"], answer.get("usage"), answer.get("request_id"))
