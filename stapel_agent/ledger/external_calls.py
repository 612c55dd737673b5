"""Records calls that the host made itself, without this package, in the same ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Any, TypedDict, Unpack

from stapel_agent import log_content
from stapel_agent.column_ranges import MAX_TOKEN_COUNT, is_whole, money
from stapel_agent.models import PromptLog, PromptStatus
from stapel_agent.parsing import json_map, storable
from stapel_agent.prices import cost_of
from stapel_agent.redaction import redact, redacted_json
from stapel_agent.schemas import Unreadable, check_keywords, readable, shown
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


LEFT_OUT: Mapping[str, Any] = MappingProxyType(
    {
        **dict.fromkeys(CallFields.__annotations__),
        **dict.fromkeys(columns.TOKEN_FIELDS, 0),
        **dict.fromkeys(("model_size", "prompt"), ""),
        "status": PromptStatus.SUCCESS,
        "metadata": {},
    }
)
"""The values of fields that a call leaves out."""


def record_call(**fields: Unpack[CallFields]) -> str:
    """Record an external call, so that one ledger holds all spending. Returns the id of the row.

    Raises TypeError or ValueError for invalid arguments, and LedgerUnavailable if the row cannot be written.
    """
    return str(row_writer.record(_row("record_call", fields)))


async def arecord_call(**fields: Unpack[CallFields]) -> str:
    """`record_call()` on an event loop."""
    return str(await row_writer.arecord(_row("arecord_call", fields)))


def _row(function: str, fields: Mapping[str, Any]) -> PromptLog:
    """Return the ledger row of a call. If the call states no cost, the price list gives it."""
    call = _checked(function, fields)
    source, provider, metadata = call["source"], call["provider"], call["metadata"]
    usage = Usage(**{name: call[name] for name in columns.TOKEN_FIELDS}, cost_usd=money(call["cost_usd"]))
    cost = cost_of(usage, provider, call["model"], provider, metadata)
    owners = {name: call[name] for name in ("user_id", "workspace_id")}
    return PromptLog(
        **{name: call[name] for name in (*NAMES, *FIGURES)},
        prompt=log_content.stored(source, storable(call["prompt"])) or "",
        system_prompt=log_content.stored(source, storable(call["system_prompt"])),
        response=log_content.stored(source, storable(call["response"])),
        model_size=storable(call["model_size"])[:16],
        status=PromptStatus(call["status"]),
        cost_usd=cost.usd,
        cost_basis=cost.basis,
        error_message=_error_message(source, call["error_message"]),
        **{name: columns.opaque_id(owner) for name, owner in owners.items()},
        metadata={
            **redacted_json(json_map(metadata)),
            **({"prices": cost.stated_prices} if cost.prices else {}),
            "provider": provider,
            **columns.whole_ids(**owners),
        },
    )


def _checked(function: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return all fields of a call as plain values. Raises TypeError, or ValueError with the fix."""
    check_keywords(function, fields, CallFields.__annotations__, required=NAMES)
    call = {**LEFT_OUT, **{name: readable(name, value) for name, value in fields.items()}}
    for value in call.values():
        if isinstance(value, Unreadable):
            raise ValueError(value.problem)
    for name, (fits, rule) in RULES.items():
        if not fits(call[name]):
            raise ValueError(f"{name} must be {rule}, not {redact(shown(call[name]))}")
    return call


def _error_message(source: str, message: str | None) -> str | None:
    """The error message. None if the call has no message, or if texts are not stored: a message may quote them."""
    return redact(storable(message)) if message and log_content.is_full(source) else None


def _is_count(value: object) -> bool:
    return is_whole(value, 0, MAX_TOKEN_COUNT)


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
