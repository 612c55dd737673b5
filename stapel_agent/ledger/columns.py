"""Converts an attempt to the columns of its ledger row, before the call and after it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import copy
from functools import partial
from hashlib import sha256
from operator import attrgetter
from typing import Any
from uuid import uuid4

from stapel_agent import log_content
from stapel_agent.asking import Attempt
from stapel_agent.column_ranges import MAX_TOKEN_COUNT, is_whole, money
from stapel_agent.exceptions import FAILURES, AgentError, AttemptCancelled, ProviderBug, ProviderTimeout
from stapel_agent.images import described
from stapel_agent.language_tags import AUTO, is_known_tag
from stapel_agent.models import PromptLog, PromptStatus
from stapel_agent.parsing import json_map, storable
from stapel_agent.prices import CONDITIONS, TOOL_USES, UnitPrices, tool_uses
from stapel_agent.redaction import redacted_json
from stapel_agent.types import FinishedCall, Usage

from .cost_columns import settle_cost

ID_LENGTH = 64
CUT_ID = re.compile(r"#[0-9a-f]{32}\Z", re.IGNORECASE)
LONG = 256 * 1024
"""Characters. A shorter text fits into a statement on any database server with its default settings."""

TOKEN_FIELDS = ("input_tokens", "output_tokens", "thinking_tokens", "cache_read_tokens", "cache_write_tokens")
CALL_FIELDS = (
    *("id", "request_id", "source", "model", "model_size"),
    *("cost_usd", "estimated_cost_usd", "duration_ms", "user_id", "workspace_id"),
)
WORD = re.compile(r"[A-Za-z0-9_-]{1,32}")
"""A vendor's word for a condition of its price."""
FINGERPRINT = re.compile(r"[0-9a-f]{8}")
PRICE_NAMES = {*UnitPrices.__dataclass_fields__, "web_search", "request"}
FIELDS = tuple(field.attname for field in PromptLog._meta.concrete_fields)
OPENING_FIELDS = (
    *("id", "request_id", "source", "provider", "model", "model_size", "prompt", "system_prompt", "status"),
    *("user_id", "workspace_id", "metadata", "cache_key", "created_at", "estimated_cost_usd", "estimated_tokens"),
)
"""The fields of a pending row. The others are null."""
OUTCOME_FIELDS = (
    *("response", "status", "error_message", "metadata", "duration_ms"),
    *TOKEN_FIELDS,
    *("cost_usd", "cost_basis", "estimated_cost_usd", "estimated_tokens"),
)
_outcome_values = attrgetter(*OUTCOME_FIELDS)


def pending(attempt: Attempt) -> PromptLog:
    """Return the row to insert before the call."""
    request = attempt.request
    kept = log_content.kept_of(request.source)
    return _new_row(
        request_id=request.request_id,
        source=request.source,
        provider=storable(request.provider)[:64],
        model=storable(request.model)[:128],
        model_size=request.model_size[:16],
        prompt=log_content.stored_as(kept, request.message) or "",
        system_prompt=log_content.stored_as(kept, request.system_prompt),
        status=PromptStatus.PENDING,
        user_id=opaque_id(request.user_id),
        workspace_id=opaque_id(request.workspace_id),
        metadata=_metadata(attempt),
        cache_key=request.cache_key if kept == log_content.FULL else None,
    )


def _new_row(**values: Any) -> PromptLog:
    """Return a row that is null where `values` has nothing. Django takes keywords four times as long to set."""
    row: dict[str, Any] = {"id": uuid4(), **values}
    new: Any = PromptLog
    return new(*map(row.get, FIELDS))  # type: ignore[no-any-return]


def settle(row: PromptLog, attempt: Attempt) -> None:
    """Write the outcome of the attempt into its `row`."""
    if attempt.result is None and attempt.error is None:
        attempt.error = AttemptCancelled("cancelled")
        attempt.error.may_be_billed = False  # the provider was not called
    usage, error = attempt.usage, attempt.error
    row.response = log_content.stored(row.source, storable(attempt.text))
    row.status = _status(error)
    row.error_message = error_message(row.source, error) if error else None
    row.input_tokens, row.output_tokens = usage.input_tokens, usage.output_tokens
    row.thinking_tokens = usage.thinking_tokens
    row.cache_read_tokens, row.cache_write_tokens = usage.cache_read_tokens, usage.cache_write_tokens
    settle_cost(row, attempt)
    row.duration_ms = attempt.duration_ms
    row.metadata = {**_provider_metadata(attempt), **(row.metadata or {}), **_outcome_facts(attempt, error)}


def outcome(row: PromptLog) -> dict[str, Any]:
    """Return the columns that `settle()` fills in."""
    return dict(zip(OUTCOME_FIELDS, _outcome_values(row), strict=True))


def is_long(row: PromptLog) -> bool:
    """Whether the answer is so long that a database may refuse it."""
    return len(row.response or "") + _length(row.metadata) > LONG


def without_text(row: PromptLog) -> PromptLog:
    """Copy the row without its text, which the caller has. The metadata keep only the length of the text.

    The error message, if there is one, is escaped to ASCII.
    """
    facts = economic_facts(row.metadata) if _length(row.metadata) > LONG else row.metadata or {}
    shortened = copy(row)
    shortened.metadata = {**facts, "response_length": len(row.response or "")}
    shortened.response = None
    if row.error_message:
        shortened.error_message = row.error_message.encode("ascii", "backslashreplace").decode()
    return shortened


def spent(row: PromptLog) -> str:
    """Describe the tokens of a row, for the log."""
    return f"{row.input_tokens} input and {row.output_tokens} output tokens"


def scrubbed_outcome(row: PromptLog) -> dict[str, Any]:
    """Return the `outcome()` of a row that was scrubbed while its call was running."""
    return {**outcome(row), "response": None, "error_message": None, "metadata": economic_facts(row.metadata)}


def economic_facts(metadata: Any) -> dict[str, Any]:
    """Return the metadata that a scrubbed row keeps: facts of this package that cannot contain a text."""
    facts = metadata if isinstance(metadata, dict) else {}
    return {name: facts[name] for name, is_fact in ECONOMIC_FACTS.items() if name in facts and is_fact(facts[name])}


def error_message(source: str, error: AgentError) -> str:
    """Return the message of an error; only its failure name if texts are not stored, as a message may quote them."""
    return storable(str(error)) if log_content.is_full(source) else error.failure


def finished(row: PromptLog) -> FinishedCall:
    """Convert a closed row to a FinishedCall, without its texts."""
    metadata = dict(row.metadata or {})
    failure = None if row.status == PromptStatus.SUCCESS else metadata.get("failure")
    return FinishedCall(
        **{name: getattr(row, name) for name in CALL_FIELDS},
        provider=row.provider or str(metadata.get("provider", "")),
        status=str(row.status),
        failure=failure if isinstance(failure, str) else None,
        usage=Usage(*(getattr(row, name) for name in TOKEN_FIELDS)),
        metadata=metadata,
    )


def _are_prices(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() <= PRICE_NAMES
        and all(money(price) is not None for price in value.values())
    )


def _is_count(value: Any) -> bool:
    return is_whole(value, 0, MAX_TOKEN_COUNT)


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and bool(pattern.fullmatch(value))


def _is_language(value: Any) -> bool:
    return value == AUTO or is_known_tag(value)


ECONOMIC_FACTS: dict[str, Callable[[Any], bool]] = {
    "provider": lambda value: isinstance(value, str) and len(value) <= ID_LENGTH,
    "key": partial(_matches, FINGERPRINT),
    **dict.fromkeys(("from", "to"), _is_language),
    **dict.fromkeys(("key_count", "chunk", "chunks", "asked_again"), _is_count),
    "failure": lambda value: isinstance(value, str) and value in FAILURES,
    "prices": _are_prices,
    **dict.fromkeys(("cache_write_1h_tokens", "response_length"), _is_count),
    **dict.fromkeys(CONDITIONS, partial(_matches, WORD)),
    **dict.fromkeys(TOOL_USES, _is_count),
}
"""The facts that a scrubbed row keeps, each with its form: callers may use the same names for something else."""


def _length(metadata: Any) -> int:
    return len(json.dumps(metadata))


def _status(error: AgentError | None) -> PromptStatus:
    match error:
        case None:
            return PromptStatus.SUCCESS
        case ProviderTimeout():
            return PromptStatus.TIMEOUT
        case ProviderBug() | AttemptCancelled():
            return PromptStatus.ERROR
        case _:
            return PromptStatus.FAILURE


def opaque_id(identity: str | None) -> str | None:
    """Return an id that fits into its column. A longer one is cut, and a digest keeps it distinct.

    An id that looks like a cut one gets a digest too, so that nobody can pass the stored form of another caller's id.
    """
    if identity is None or (
        len(identity) <= ID_LENGTH and storable(identity) == identity and not CUT_ID.search(identity)
    ):
        return identity
    digest = sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{storable(identity)[: ID_LENGTH - 33]}#{digest}"


def whole_ids(**identities: str | None) -> dict[str, Any]:
    """Return the ids that `opaque_id()` cuts, in full, for the metadata of the row."""
    return {name: storable(identity) for name, identity in identities.items() if identity != opaque_id(identity)}


def _metadata(attempt: Attempt) -> dict[str, Any]:
    """The metadata of a pending row: the caller's own, and facts about the call."""
    request = attempt.request
    facts: dict[str, Any] = {
        "provider": request.provider,
        **whole_ids(user_id=request.user_id, workspace_id=request.workspace_id),
    }
    if attempt.key_fingerprint:
        facts["key"] = attempt.key_fingerprint
    if request.images:
        is_stored = log_content.is_full(request.source)
        facts["images"] = described(request.images) if is_stored else {"count": len(request.images)}
    if request.context:
        facts["context"] = redacted_json(json_map(request.context), only_keys=True)
    own = redacted_json(json_map(request.metadata), only_keys=True) if request.metadata else {}
    return {**own, **facts}


def _provider_metadata(attempt: Attempt) -> dict[str, Any]:
    """The provider's own metadata. Without stored texts, only the terms of its price: the rest may quote the prompt."""
    stated = dict(attempt.result.metadata) if attempt.result else {}
    if stated and not log_content.is_full(attempt.request.source):
        terms = economic_facts(stated)
        stated = {name: terms[name] for name in CONDITIONS if name in terms}
    return redacted_json(stated) if stated else {}


def _outcome_facts(attempt: Attempt, error: AgentError | None) -> dict[str, Any]:
    facts: dict[str, Any] = {**tool_uses(attempt.result.metadata)} if attempt.result else {}
    if error:
        facts["failure"] = error.failure
    if prices := attempt.cost.stated_prices:
        facts["prices"] = prices
    if attempt.usage.cache_write_1h_tokens:
        facts["cache_write_1h_tokens"] = attempt.usage.cache_write_1h_tokens
    return facts
