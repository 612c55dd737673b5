"""The types of the facade's answers, for callers and their type checkers."""

from __future__ import annotations

from typing import Any, Generic, Literal, NotRequired, Required, TypedDict, TypeVar

T = TypeVar("T")


class AnswerUsage(TypedDict):
    """What a request cost, with all its provider calls; zero if an earlier answer was reused. Dollars are exact."""

    input_tokens: int
    output_tokens: int
    cost_usd: NotRequired[str]


class BudgetLeft(TypedDict, total=False):
    """The budget that a call did not fit into, and what is left of it. Dollars are exact."""

    scope: Required[str]
    id: str
    left_usd: str
    left_tokens: int
    period: Required[str]
    resets_at: Required[str]


class BaseAnswer(TypedDict, total=False):
    """What every answer may hold. `failure` is one of the names in docs/failures.md, `reason` what there is to say."""

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

    `warnings` says by key what a translation lacks; `unchanged` lists the keys of texts that came back untranslated.
    """

    result: dict[str, str]
    failed: dict[str, str]
    warnings: dict[str, str]
    unchanged: list[str]


class AnswerFailed(Exception):
    """Raised by `ask()` and `aask()`. `failure` is its name, `usage` what was paid for, if anything."""

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
        """The exception of a failed answer."""
        return cls(answer["failure"], answer["reason"], answer.get("usage"), answer.get("request_id"))
