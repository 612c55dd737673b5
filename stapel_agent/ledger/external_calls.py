"""Records calls that the host made itself, without this package, in the same ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, TypedDict, Unpack

from stapel_agent import log_content
from stapel_agent.column_ranges import MAX_TOKEN_COUNT, money
from stapel_agent.models import PromptLog, PromptStatus
from stapel_agent.parsing import storable
from stapel_agent.prices import cost_of
from stapel_agent.redaction import redact, redacted_json
from stapel_agent.schemas import Unreadable, check_keywords, readable
from stapel_agent.types import Usage

from . import columns, row_writer

NAMES = {"source": 32, "provider": 64, "model": 128}
"""Maps each required column to its length in characters."""
FIGURES = (*columns.TOKEN_FIELDS, "duration_ms")
OUTCOMES = tuple(status.value for status in PromptStatus if status != PromptStatus.PENDING)


class CallFields(TypedDict, total=False):
    """The keywords of `record_call()`, named after the PromptLog fields. Requires `source`, `provider` and `model`."""

    source: str
    provider: str
    model: str
    model_size: str
    status: str
    prompt: str
    system_prompt: str | None
    response: str | None
    error_message: str | None
    input_tokens: int
    output_tokens: int
    thinking_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: Decimal | str | float | None
    duration_ms: int | None
    user_id: str | None
    workspace_id: str | None
    metadata: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class RecordedCall:
    """One external call. Raises a ValueError that names the fix, if the ledger cannot store a value."""

    source: str
    provider: str
    model: str
    model_size: str = ""
    status: str = PromptStatus.SUCCESS
    prompt: str = ""
    system_prompt: str | None = None
    response: str | None = None
    error_message: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    thinking_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: Decimal | str | float | None = None
    duration_ms: int | None = None
    user_id: str | None = None
    workspace_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (fits, rule) in RULES.items():
            if not fits(getattr(self, name)):
                raise ValueError(f"{name} must be {rule}")

    def row(self) -> PromptLog:
        """Returns the ledger row of this call. If the call states no cost, the price list gives it."""
        tokens = {name: getattr(self, name) for name in columns.TOKEN_FIELDS}
        usage = Usage(**tokens, cost_usd=money(self.cost_usd))
        cost = cost_of(usage, self.provider, self.model, self.provider, self.metadata)
        return PromptLog(
            **{name: getattr(self, name) for name in (*NAMES, *FIGURES)},
            prompt=log_content.stored(self.source, storable(self.prompt)) or "",
            system_prompt=log_content.stored(self.source, storable(self.system_prompt)),
            response=log_content.stored(self.source, storable(self.response)),
            model_size=storable(self.model_size)[:16],
            status=PromptStatus(self.status),
            cost_usd=cost.usd,
            cost_basis=cost.basis,
            error_message=self._error_message,
            user_id=columns.opaque_id(self.user_id),
            workspace_id=columns.opaque_id(self.workspace_id),
            metadata={
                **redacted_json(columns.as_json(self.metadata)),
                **({"prices": cost.stated_prices} if cost.prices else {}),
                "provider": self.provider,
                **columns.whole_ids(user_id=self.user_id, workspace_id=self.workspace_id),
            },
        )

    @property
    def _error_message(self) -> str | None:
        """The error message. None if the call has no message, or if texts are not stored: a message may quote them."""
        if not self.error_message or not log_content.is_full(self.source):
            return None
        return redact(storable(self.error_message))


def record_call(**fields: Unpack[CallFields]) -> str:
    """Records an external call, so that one ledger holds all spending. Returns the id of the row.

    Raises TypeError or ValueError for invalid arguments, and LedgerUnavailable if the row cannot be written.
    """
    return str(row_writer.record(_recorded("record_call", fields).row()))


async def arecord_call(**fields: Unpack[CallFields]) -> str:
    """`record_call()` on an event loop."""
    return str(await row_writer.arecord(_recorded("arecord_call", fields).row()))


def _recorded(function: str, fields: Mapping[str, Any]) -> RecordedCall:
    check_keywords(function, fields, CallFields, required=NAMES)
    plain = {name: readable(name, value) for name, value in fields.items()}
    for value in plain.values():
        if isinstance(value, Unreadable):
            raise ValueError(value.problem)
    return RecordedCall(**plain)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_TOKEN_COUNT


def _is_name(length: int, value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= length and storable(value) == value


Rule = tuple[Callable[[Any], bool], str]

A_COUNT: Rule = (_is_count, f"a whole number from 0 to {MAX_TOKEN_COUNT}")
A_STRING: Rule = (lambda value: isinstance(value, str), "a string")
A_STRING_IF_ANY: Rule = (lambda value: isinstance(value, str | None), "a string or None")

RULES: dict[str, Rule] = {
    **{
        name: (partial(_is_name, length), f"a string of 1 to {length} characters that a database can store")
        for name, length in NAMES.items()
    },
    **dict.fromkeys(("model_size", "prompt"), A_STRING),
    **dict.fromkeys(("system_prompt", "response", "error_message", "user_id", "workspace_id"), A_STRING_IF_ANY),
    **dict.fromkeys(FIGURES, A_COUNT),
    "cost_usd": (lambda value: value is None or money(value) is not None, "an amount of US dollars, or None"),
    "duration_ms": (lambda value: value is None or _is_count(value), "a whole number of milliseconds, or None"),
    "status": (
        lambda value: isinstance(value, str) and value in OUTCOMES,
        f"one of {', '.join(OUTCOMES)}, because a call is recorded after it ended",
    ),
    "metadata": (lambda value: isinstance(value, Mapping), "a map"),
}
