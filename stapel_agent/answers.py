"""Builds every answer dict, from a verb's result or from the error that it raised."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from . import translation
from .conf import DEFAULTS
from .exceptions import (
    AccessDenied,
    AgentError,
    IdempotencyConflict,
    InvalidRequest,
    OverBudget,
    ProviderUnimportable,
    ProviderUnusable,
    WrongSetting,
)
from .parsing import storable
from .redaction import traceback_of
from .settings_validation import CHECK, PROVIDERS_COMMAND
from .telemetry import request_span, request_timed
from .types import Completion, CompletionRequest, Standing, Usage

logger = logging.getLogger(__name__)

INTERNAL_ERROR = "internal_error"
"""The failure of a request that hit a bug in this package."""


class Answer:
    """Builds the answer dict around the call of a verb. Any exception inside becomes a failure."""

    def __init__(self, verb: str, request: CompletionRequest, fields: Callable[[Completion], dict[str, Any]]) -> None:
        self.content: dict[str, Any] = {}
        self.verb = verb
        self.request = request
        self._fields = fields
        self._observers: tuple[AbstractContextManager[None], ...] = ()

    def of(self, completion: Completion) -> dict[str, Any]:
        """The answer dict of a completion."""
        return {"status": "ok", **self._fields(completion), **self._attribution(completion)}

    def __enter__(self) -> Self:
        self._observers = timing, tracing = request_timed(self.request.source), request_span(self.verb, self.request)
        timing.__enter__()
        tracing.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> bool:
        timing, tracing = self._observers
        tracing.__exit__(kind, fault, trace)
        timing.__exit__(kind, fault, trace)
        if fault is None:
            return False
        if isinstance(fault, IdempotencyConflict) and self.request.caller:
            return False
        if isinstance(fault, AgentError):
            self.content = _failure(fault.failure, _reason(fault)) | _paid(fault) | self._trace(fault)
        elif isinstance(fault, Exception):
            logger.error("internal error:\n%s", traceback_of(fault))
            reason = f"{INTERNAL_ERROR}: {type(fault).__name__}"
            self.content = _failure(INTERNAL_ERROR, reason) | self._trace(fault)
        return isinstance(fault, Exception)

    def _attribution(self, completion: Completion) -> dict[str, Any]:
        """The model, provider and request id of an answer. Empty if no model was called."""
        if not completion.provider:
            return {}
        named = {"model": storable(completion.model), "provider": storable(completion.provider)}
        return {**named, "request_id": str(self.request.request_id)}

    def _trace(self, fault: Exception) -> dict[str, Any]:
        """The request id, to look a failure up in the ledger. Empty if it failed before any model was called."""
        never_called = isinstance(fault, InvalidRequest | ProviderUnusable) and fault.usage is None
        return {} if never_called else {"request_id": str(self.request.request_id)}


def text_fields(answered: Completion) -> dict[str, Any]:
    """The fields of `complete()`."""
    return {"result": storable(answered.text), "usage": _usage(answered.usage)}


def json_fields(answered: Completion) -> dict[str, Any]:
    """The fields of `complete_json()`."""
    comment = {"comment": answered.value.comment} if answered.value.comment else {}
    return {"result": answered.value.result, **comment, "usage": _usage(answered.usage)}


def translation_fields(answered: Completion) -> dict[str, Any]:
    """The fields of `translate()`."""
    if answered is translation.NOTHING:
        return {"result": {}}
    translated = answered.value
    details = {"failed": translated.failed, "warnings": translated.warnings, "unchanged": list(translated.unchanged)}
    kept = {name: value for name, value in details.items() if value}
    return {"result": translated.texts, **kept, "usage": _usage(answered.usage)}


SPENT = frozenset({"failed", "usage"})
"""Only a failure after a model was asked has one of these keys."""


def joined(portions: Sequence[tuple[Mapping[str, str], dict[str, Any]]], *, is_cost_known: bool) -> dict[str, Any]:
    """Join the answers to the portions of a translation, each given with its entries. Needs at least one portion.

    Each portion has its own `request_id`, so the answer to several portions has none. An answer without a cost may have
    cost nothing, so the ledger tells whether the cost of all is known.
    """
    answers = [answer for _, answer in portions]
    if len(answers) == 1 or all(
        answer["status"] == "failure" and answer.keys().isdisjoint(SPENT) for answer in answers
    ):
        return answers[0]
    result, failed, usage = dict[str, str](), dict[str, str](), Usage()
    warnings = {key: warning for answer in answers for key, warning in answer.get("warnings", {}).items()}
    unchanged = [key for answer in answers for key in answer.get("unchanged", ())]
    for entries, answer in portions:
        result |= answer.get("result", {})
        # A failed portion has its reason for the keys without one, such as those of texts that need no model.
        failed |= dict.fromkeys(entries if "reason" in answer else (), answer.get("reason", ""))
        failed |= answer.get("failed", {})
        usage += Usage(**answer.get("usage", {}))
    usage = usage if is_cost_known else replace(usage, cost_usd=None)
    reasons = [_failure(answer["failure"], answer["reason"]) for answer in answers if "reason" in answer]
    status: dict[str, Any] = {"status": "ok", "result": result} if result else reasons[0]
    by: dict[str, Any] = {name: answer[name] for answer in answers for name in ("model", "provider") if name in answer}
    details = {"failed": failed, "warnings": warnings, "unchanged": unchanged}
    return {**status, **{name: value for name, value in details.items() if value}, "usage": _usage(usage), **by}


def _failure(name: str, reason: str) -> dict[str, Any]:
    return {"status": "failure", "failure": name, "reason": reason}


def _reason(fault: AgentError) -> str:
    """The failure's name, the error's message, and the command that gives details, if there is one."""
    message: str = storable(str(fault))
    reason = message if message.startswith(fault.failure) else f"{fault.failure}: {message}"
    command = _command_for(fault)
    return f"{reason} ({command} gives details)" if command else reason


def _command_for(fault: AgentError) -> str | None:
    """The command that gives details, if the host's settings are at fault."""
    if isinstance(fault, WrongSetting | ProviderUnimportable):
        return CHECK
    # The check covers only the default provider. A message about missing access begins with the setting's name.
    has_no_access = isinstance(fault, AccessDenied) and str(fault).partition(" ")[0] in DEFAULTS
    return PROVIDERS_COMMAND if has_no_access or isinstance(fault, ProviderUnusable) else None


def _paid(fault: AgentError) -> dict[str, Any]:
    """What a failure keeps: the reasons for failed texts, the paid text and usage, and the exhausted budget."""
    comment = {"comment": storable(fault.text)} if fault.text else {}
    has_spent = fault.usage is not None and (fault.usage or fault.usage.cost_usd)
    usage = {"usage": _usage(fault.usage)} if fault.usage is not None and has_spent else {}
    failed = {"failed": fault.failed} if fault.failed else {}
    standing = fault.standing if isinstance(fault, OverBudget) else None
    budget = {"budget": budget_entry(standing)} if isinstance(standing, Standing) else {}
    return {**failed, **comment, **usage, **budget}


BUDGET_KEYS = ("scope", "id", "left_usd", "left_tokens", "period", "resets_at")


def budget_entry(standing: Standing) -> dict[str, Any]:
    """What is left of one budget, and when it resets."""
    entry = standing.as_json()
    return {name: entry[name] for name in BUDGET_KEYS if name in entry}


def _usage(usage: Usage) -> dict[str, Any]:
    cost = {} if usage.cost_usd is None else {"cost_usd": f"{usage.cost_usd.normalize():f}"}
    thinking = {"thinking_tokens": usage.thinking_tokens} if usage.thinking_tokens else {}
    return {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens, **thinking, **cost}
