"""Converts any exception of an attempt to an AgentError that is safe to store in the ledger and to show."""

from __future__ import annotations

import logging

from stapel_agent.column_ranges import seconds
from stapel_agent.exceptions import (
    AgentError,
    AttemptCancelled,
    OverBudget,
    ParameterRefused,
    ProviderBug,
    ProviderDeclined,
    ProviderError,
    ProviderTimeout,
    RequestRejected,
    SchemaMismatch,
)
from stapel_agent.parsing import storable
from stapel_agent.redaction import message_of, redact_start, traceback_of
from stapel_agent.types import FIGURES, Standing, Usage

logger = logging.getLogger(__name__)

NOT_TAKEN_ON = (ProviderDeclined, RequestRejected)
"""Errors that say that the provider did not work on the request, unless they have a text or usage."""

MESSAGE_LENGTH = 1000
"""Characters of a provider's message that reach the caller and the ledger."""


def as_agent_error(fault: BaseException, provider: str, *, may_quote: bool = True) -> AgentError:
    """Convert `fault` to an AgentError. A foreign exception is logged, with its texts if `may_quote` is True.

    The returned error names only the type of a foreign exception.
    """
    if not isinstance(fault, Exception):
        cancelled = AttemptCancelled("cancelled")
        cancelled.may_be_billed = getattr(fault, "may_be_billed", True)
        return cancelled
    if isinstance(fault, AgentError):
        try:
            return _sanitised(fault)
        except Exception as broken:
            fault = broken
    logger.error("provider %r raised:\n%s", provider, traceback_of(fault, may_quote=may_quote))
    if isinstance(fault, TimeoutError):
        return ProviderTimeout(f"provider {provider!r} timed out")
    return ProviderBug(f"provider {provider!r} raised {type(fault).__name__}")


def _sanitised(fault: AgentError) -> AgentError:
    """Copy an error to plain values of this package's own class: a host's subclass may hold anything."""
    ours = AgentError.__module__
    kind: type[AgentError] = next(base for base in type(fault).__mro__ if base.__module__ == ours)
    own = kind(redact_start(storable(message_of(fault)), MESSAGE_LENGTH))
    own.may_be_billed = bool(getattr(fault, "may_be_billed", own.may_be_billed))
    usage, text = getattr(fault, "usage", None), getattr(fault, "text", None)
    own.usage = _plain_usage(usage) if isinstance(usage, Usage) else None
    own.text = str.__str__(text) if isinstance(text, str) else None
    if isinstance(own, NOT_TAKEN_ON) and (own.text or (own.usage and isinstance(own, ProviderDeclined))):
        own.may_be_billed = True
    if isinstance(own, ProviderError):
        own.retry_after = seconds(getattr(fault, "retry_after", None))
    if isinstance(own, SchemaMismatch):
        own.correction = _text(getattr(fault, "correction", ""))
    if isinstance(own, ParameterRefused):
        own.parameter, own.setting = _text(getattr(fault, "parameter", "")), _text(getattr(fault, "setting", ""))
        memory = getattr(fault, "memory", ())
        own.memory = memory if type(memory) is tuple and all(type(part) is str for part in memory) else ()
    if isinstance(own, OverBudget):
        standing = getattr(fault, "standing", None)
        own.standing = standing if type(standing) is Standing else None
    return own


def _plain_usage(usage: Usage) -> Usage:
    unknown = usage.unknown if type(usage) is Usage else frozenset()
    return Usage(**{name: getattr(usage, name) for name in FIGURES}, unknown=unknown)


def _text(value: object) -> str:
    return str.__str__(value) if isinstance(value, str) else ""
