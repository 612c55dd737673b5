"""An attempt as a row of the ledger: before its provider is called, and with what came of it."""

from __future__ import annotations

import json
import logging
import re
from copy import copy
from hashlib import sha256
from typing import Any

from stapel_agent import log_content
from stapel_agent.asking import Attempt
from stapel_agent.exceptions import AgentError, AttemptCancelled, ProviderBug, ProviderTimeout
from stapel_agent.figures import money
from stapel_agent.images import described
from stapel_agent.models import PromptLog, PromptStatus
from stapel_agent.parsing import is_deep, storable
from stapel_agent.prices import UnitPrices
from stapel_agent.types import FinishedCall, Usage

from .costs import settle_cost

logger = logging.getLogger(__name__)

ID_LENGTH = 64
LONG = 256 * 1024
"""Characters; a text of fewer fits into a statement on any server as it is set up by default."""

TOKEN_FIELDS = ("input_tokens", "output_tokens", "thinking_tokens", "cache_read_tokens", "cache_write_tokens")
CALL_FIELDS = (
    *("id", "request_id", "source", "model", "model_size"),
    *("cost_usd", "duration_ms", "user_id", "workspace_id"),
)
ECONOMIC_FACTS = (
    *("provider", "key", "from", "to", "key_count", "chunk", "chunks", "asked_again"),
    *("failure", "prices", "cache_write_1h_tokens", "response_length", "service_tier", "speed", "inference_geo"),
)
# A failure's name, or a language tag: neither a sentence nor an address.
WORD = re.compile(r"[A-Za-z0-9_-]{1,64}")
OUTCOME_FIELDS = (
    *("response", "status", "error_message", "metadata", "duration_ms"),
    *TOKEN_FIELDS,
    *("cost_usd", "cost_basis", "estimated_cost_usd", "estimated_tokens"),
)


def pending(attempt: Attempt) -> PromptLog:
    """The row that is there before the call."""
    request = attempt.request
    return PromptLog(
        request_id=request.request_id,
        source=request.source,
        provider=storable(request.provider)[:64],
        model=storable(request.model)[:128],
        model_size=request.model_size[:16],
        prompt=log_content.stored(request.source, request.message) or "",
        system_prompt=log_content.stored(request.source, request.system_prompt),
        status=PromptStatus.PENDING,
        user_id=opaque_id(request.user_id),
        workspace_id=opaque_id(request.workspace_id),
        metadata=_metadata(attempt),
        cache_key=request.cache_key if log_content.is_full(request.source) else None,
    )


def settle(row: PromptLog, attempt: Attempt) -> None:
    """Write what came of the attempt into its `row`."""
    usage, error = attempt.usage, attempt.error
    if attempt.result is None and error is None:
        error = AttemptCancelled("cancelled")
        error.may_be_billed = False  # nobody was asked
    row.response = log_content.stored(row.source, storable(attempt.text))
    row.status = _status(error)
    row.error_message = error_message(row.source, error) if error else None
    row.input_tokens = usage.input_tokens
    row.output_tokens = usage.output_tokens
    row.thinking_tokens = usage.thinking_tokens
    row.cache_read_tokens = usage.cache_read_tokens
    row.cache_write_tokens = usage.cache_write_tokens
    settle_cost(row, attempt, error)
    row.duration_ms = attempt.duration_ms
    row.metadata = {**_provider_metadata(attempt), **(row.metadata or {}), **_outcome_facts(attempt, error)}


def outcome(row: PromptLog) -> dict[str, Any]:
    """The columns that `settle()` fills in."""
    return {name: getattr(row, name) for name in OUTCOME_FIELDS}


def is_long(row: PromptLog) -> bool:
    """Whether there is a database that may refuse what the provider has answered."""
    return len(row.response or "") + _length(row.metadata) > LONG


def without_text(row: PromptLog) -> PromptLog:
    """The same row, of whose text only the length is told: the caller has it."""
    facts = economic_facts(row.metadata) if _length(row.metadata) > LONG else row.metadata or {}
    shortened = copy(row)
    shortened.metadata = {**facts, "response_length": len(row.response or "")}
    shortened.response = None
    return shortened


def scrubbed_outcome(row: PromptLog) -> dict[str, Any]:
    """`outcome()` of a row that was scrubbed while its call was under way."""
    return {**outcome(row), "response": None, "error_message": None, "metadata": economic_facts(row.metadata)}


def economic_facts(metadata: Any) -> dict[str, Any]:
    """What a scrubbed row keeps of its metadata: this package's own facts, as far as they can hold no text."""
    facts = metadata if isinstance(metadata, dict) else {}
    return {name: facts[name] for name in ECONOMIC_FACTS if name in facts and _is_fact(name, facts[name])}


def error_message(source: str, error: AgentError) -> str:
    """What an error says, or its name alone: it may quote what was asked or answered."""
    return storable(str(error)) if log_content.is_full(source) else error.failure


def finished(row: PromptLog) -> FinishedCall:
    """A closed row without its texts."""
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


def _is_fact(name: str, value: object) -> bool:
    if name == "prices":
        return isinstance(value, dict) and value.keys() <= UnitPrices.__dataclass_fields__.keys() and _are_prices(value)
    if isinstance(value, str):
        return bool(WORD.fullmatch(value)) or (name == "provider" and len(value) <= ID_LENGTH)
    return isinstance(value, int | float)


def _are_prices(kinds: dict[str, object]) -> bool:
    return all(money(price) is not None for price in kinds.values())


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
    """What a column can hold of any id: one that does not fit is cut, and told from others by its digest."""
    if identity is None or (len(identity) <= ID_LENGTH and storable(identity) == identity):
        return identity
    digest = sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{storable(identity)[: ID_LENGTH - 33]}#{digest}"


def whole_ids(**identities: str | None) -> dict[str, Any]:
    """The ids that `opaque_id()` cuts, for a row's metadata."""
    return {name: storable(identity) for name, identity in identities.items() if identity != opaque_id(identity)}


def _metadata(attempt: Attempt) -> dict[str, Any]:
    """Who is asked, beside what the caller wants kept."""
    request = attempt.request
    facts: dict[str, Any] = {
        "provider": request.provider,
        **whole_ids(user_id=request.user_id, workspace_id=request.workspace_id),
    }
    if attempt.key_fingerprint:
        facts["key"] = attempt.key_fingerprint
    if request.images:
        is_told = log_content.is_full(request.source)
        facts["images"] = described(request.images) if is_told else {"count": len(request.images)}
    if request.context:
        facts["context"] = as_json(request.context)
    return {**as_json(request.metadata), **facts}


def _provider_metadata(attempt: Attempt) -> dict[str, Any]:
    """What the provider wants kept; it may hold what was asked."""
    if attempt.result is None or not log_content.is_full(attempt.request.source):
        return {}
    return as_json(attempt.result.metadata)


def _outcome_facts(attempt: Attempt, error: AgentError | None) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    if error:
        facts["failure"] = error.failure
    if prices := attempt.cost.stated_prices:
        facts["prices"] = prices
    if attempt.usage.cache_write_1h_tokens:
        facts["cache_write_1h_tokens"] = attempt.usage.cache_write_1h_tokens
    return facts


def as_json(value: Any) -> dict[str, Any]:
    """A foreign mapping as JSON that every database takes; what is no mapping or has no JSON form is dropped.

    And what is so deep that not everybody could read the row again: a purge would stop there for ever.
    """
    try:
        if not (given := dict(value)):
            return {}
        text = json.dumps(given, default=str, skipkeys=True)
        plain = {} if is_deep(text) else json.loads(text, parse_constant=str)
    except Exception:
        logger.warning("metadata without a JSON form was dropped")
        return {}
    return storable(plain)  # type: ignore[no-any-return]
