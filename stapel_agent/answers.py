"""The answer dict: built here alone, of what a verb has brought or of the fault that it has met."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
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
"""The failure of a request that met a bug of this package."""


class Answer:
    """The answer dict, built around the call of a verb: any fault inside becomes a failure."""

    def __init__(self, verb: str, request: CompletionRequest, fields: Callable[[Completion], dict[str, Any]]) -> None:
        self.content: dict[str, Any] = {}
        self.verb = verb
        self.request = request
        self._fields = fields
        self._observers = ExitStack()

    def of(self, completion: Completion) -> dict[str, Any]:
        """What there is to say of a completion."""
        return {"status": "ok", **self._fields(completion), **self._attribution(completion)}

    def __enter__(self) -> Self:
        self._observers.enter_context(request_timed(self.request.source))
        self._observers.enter_context(request_span(self.verb, self.request))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._observers.__exit__(kind, fault, trace)
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
        """Who answered, and where the ledger has it; of nothing, if nobody did."""
        if not completion.provider:
            return {}
        named = {"model": storable(completion.model), "provider": storable(completion.provider)}
        return {**named, "request_id": str(self.request.request_id)}

    def _trace(self, fault: Exception) -> dict[str, Any]:
        """Where the ledger may tell more of a failure; not of one before anybody was asked, which has no usage."""
        nobody_asked = isinstance(fault, InvalidRequest | ProviderUnusable) and fault.usage is None
        return {} if nobody_asked else {"request_id": str(self.request.request_id)}


def text_fields(answered: Completion) -> dict[str, Any]:
    """What `complete()` tells."""
    return {"result": storable(answered.text), "usage": _usage(answered.usage)}


def json_fields(answered: Completion) -> dict[str, Any]:
    """What `complete_json()` tells."""
    comment = {"comment": answered.value.comment} if answered.value.comment else {}
    return {"result": answered.value.result, **comment, "usage": _usage(answered.usage)}


def translation_fields(answered: Completion) -> dict[str, Any]:
    """What `translate()` tells."""
    if answered is translation.NOTHING:
        return {"result": {}}
    translated = answered.value
    told = {"failed": translated.failed, "warnings": translated.warnings, "unchanged": list(translated.unchanged)}
    kept = {name: value for name, value in told.items() if value}
    return {"result": translated.texts, **kept, "usage": _usage(answered.usage)}


def joined(portions: Sequence[tuple[Mapping[str, str], dict[str, Any]]]) -> dict[str, Any]:
    """The answers to the portions of one translation, at least one, as one answer, each given with its entries.

    Each portion has a `request_id` of its own; where there are several, the whole has none.
    """
    answers = [answer for _, answer in portions]
    if len(answers) == 1 or all(answer["status"] == "failure" and "failed" not in answer for answer in answers):
        return answers[0]
    result, failed, usage = dict[str, str](), dict[str, str](), Usage()
    warnings = {key: told for answer in answers for key, told in answer.get("warnings", {}).items()}
    unchanged = [key for answer in answers for key in answer.get("unchanged", ())]
    for entries, answer in portions:
        result |= answer.get("result", {})
        # A portion that nobody was asked for has a reason, and not one for each of its keys.
        failed |= answer.get("failed") or dict.fromkeys(entries if "reason" in answer else (), answer.get("reason", ""))
        usage += Usage(**answer.get("usage", {}))
    reasons = [_failure(answer["failure"], answer["reason"]) for answer in answers if "reason" in answer]
    status: dict[str, Any] = {"status": "ok", "result": result} if result else reasons[0]
    by: dict[str, Any] = {name: answer[name] for answer in answers for name in ("model", "provider") if name in answer}
    told = {"failed": failed, "warnings": warnings, "unchanged": unchanged}
    return {**status, **{name: value for name, value in told.items() if value}, "usage": _usage(usage), **by}


def _failure(name: str, reason: str) -> dict[str, Any]:
    return {"status": "failure", "failure": name, "reason": reason}


def _reason(fault: AgentError) -> str:
    """The failure's name and what there is to say of it."""
    message: str = storable(str(fault))
    reason = message if message.startswith(fault.failure) else f"{fault.failure}: {message}"
    command = _told_by(fault)
    return f"{reason} ({command} tells more)" if command else reason


def _told_by(fault: AgentError) -> str | None:
    """The command that says more where the host's settings are at fault."""
    if isinstance(fault, WrongSetting | ProviderUnimportable):
        return CHECK
    # The check looks at the default provider alone. Of access, the message then begins with the name of a setting.
    has_no_access = isinstance(fault, AccessDenied) and str(fault).partition(" ")[0] in DEFAULTS
    return PROVIDERS_COMMAND if has_no_access or isinstance(fault, ProviderUnusable) else None


def _paid(fault: AgentError) -> dict[str, Any]:
    """What a failure keeps: what each text of a translation lacked, what was paid for, and what may still be."""
    comment = {"comment": storable(fault.text)} if fault.text else {}
    usage = {"usage": _usage(fault.usage)} if fault.usage else {}
    failed = {"failed": fault.failed} if fault.failed else {}
    standing = fault.standing if isinstance(fault, OverBudget) else None
    budget = {"budget": budget_entry(standing)} if isinstance(standing, Standing) else {}
    return {**failed, **comment, **usage, **budget}


BUDGET_KEYS = ("scope", "id", "left_usd", "left_tokens", "period", "resets_at")


def budget_entry(standing: Standing) -> dict[str, Any]:
    """What is left of one budget, and when it is whole again."""
    entry = standing.as_json()
    return {name: entry[name] for name in BUDGET_KEYS if name in entry}


def _usage(usage: Usage) -> dict[str, Any]:
    cost = {} if usage.cost_usd is None else {"cost_usd": f"{usage.cost_usd.normalize():f}"}
    thinking = {"thinking_tokens": usage.thinking_tokens} if usage.thinking_tokens else {}
    return {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens, **thinking, **cost}
