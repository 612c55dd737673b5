"""Providers of hosts whose results, exceptions and attributes are of any type, or raise when they are read."""

from __future__ import annotations

from typing import Any

import pytest

from stapel_agent import LlmProvider, ProviderResult
from stapel_agent.asking import clear_cooldowns
from stapel_agent.exceptions import (
    OverBudget,
    ParameterRefused,
    ProviderUnavailable,
    RateLimited,
    SchemaMismatch,
)
from stapel_agent.models import PromptLog
from stapel_agent.redaction import redact
from stapel_agent.types import Usage
from tests.rows import every_row
from tests.test_arguments import OBJECTS

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

FIGURES = (
    *("input_tokens", "output_tokens", "thinking_tokens", "cache_read_tokens", "cache_write_tokens"),
    *("cache_write_1h_tokens", "cost_usd"),
)
FAULTS = {
    "usage": ProviderUnavailable,
    "text": ProviderUnavailable,
    "retry_after": RateLimited,
    "may_be_billed": ProviderUnavailable,
    "args": ProviderUnavailable,
    "correction": SchemaMismatch,
    "parameter": ParameterRefused,
    "memory": ParameterRefused,
    "standing": OverBudget,
}
TRAITS = tuple(name for name in vars(LlmProvider) if name.startswith("supports_"))


def provider(agent: Any, reply: Any, **attributes: Any) -> None:
    """Register a provider with these attributes that returns or raises `reply`."""

    def complete(self: Any, **arguments: Any) -> Any:
        if isinstance(reply, Exception):
            raise reply
        return reply

    clear_cooldowns()
    kind = type("Hostile", (LlmProvider,), {"complete": complete, **attributes})
    agent(PROVIDERS={"hostile": kind}, RETRIES=0, BUDGETS=[{"scope": "all", "period": "month", "tokens": 10**7}])


def require_closed(answer: dict[str, Any]) -> None:
    """Check that the answer has no internal error, and that its call is closed."""
    assert answer.get("failure") != "internal_error"
    rows = PromptLog.objects.filter(request_id=answer["request_id"])
    assert rows.exclude(status="pending").count() == rows.count() > 0


@pytest.mark.parametrize("field", ["text", "finish_reason", "metadata", *FIGURES])
def test_result__hostile_field(facade, agent, field):
    """A field of a result that raises ends the call as an answer or a provider's bug, and the row is closed."""
    with every_row() as row:
        for kind, make in OBJECTS.items():
            with row(kind):
                result = ProviderResult("fine", 1, 1)
                object.__setattr__(result, field, make())
                provider(agent, result)
                require_closed(facade.complete("say", "small", provider="hostile"))


def hostile_fault(field: str, kind: str) -> Exception | None:
    """An exception with such a field, or None if it rejects the value."""
    fault = FAULTS[field]("no")
    try:
        setattr(fault, field, OBJECTS[kind]())
    except Exception:
        return None
    return fault


@pytest.mark.parametrize("field", FAULTS)
def test_fault__hostile_field(facade, agent, field):
    """A field of an exception that raises does not hide the failure, and the row is closed."""
    faults = {kind: fault for kind in OBJECTS if (fault := hostile_fault(field, kind))}
    assert faults
    with every_row() as row:
        for kind, fault in faults.items():
            with row(kind):
                provider(agent, fault)
                require_closed(facade.complete("say", "small", provider="hostile"))


@pytest.mark.parametrize("name", ["options", "default_models", "vendor", *TRAITS])
def test_class__hostile_attribute(facade, agent, name):
    """An attribute of a provider that raises is the provider's bug, and its call has a row."""
    with every_row() as row:
        for kind, make in OBJECTS.items():
            with row(kind):
                provider(agent, ProviderResult("fine", 1, 1), **{name: make()})
                require_closed(facade.complete("say", "small", provider="hostile"))


def test_class__property_that_raises(facade, agent):
    """A property of a provider that raises is the provider's bug, and its call has a row."""

    def refuse(self: Any) -> Any:
        raise RuntimeError("hostile")

    with every_row() as row:
        for name in ("options", "default_models", *TRAITS):
            with row(name):
                provider(agent, ProviderResult("fine", 1, 1), **{name: property(refuse)})
                require_closed(facade.complete("say", "small", provider="hostile"))


@pytest.mark.parametrize("name", ["resolve_model", "api_keys"])
def test_method__hostile_return(facade, agent, name):
    """A model name or a key of any type is read as text or ignored, and breaks no later redaction."""
    with every_row() as row:
        for kind, make in OBJECTS.items():
            with row(kind):
                value = [make()] if name == "api_keys" else make()
                returned = {name: lambda *ignored, value=value: value}
                provider(agent, ProviderResult("fine", 1, 1), supports_api_key=True, **returned)
                answer = facade.complete("say", "small", provider="hostile")
                assert answer.get("failure") not in ("internal_error", "ledger_unavailable")
                assert redact("nothing to hide") == "nothing to hide"


@pytest.mark.parametrize("allowed", [False, True])
def test_keys__not_after_a_paid_decline(facade, agent, allowed):
    """The next key is not tried after a decline that has a part of the answer, unless RETRY_BILLED allows it."""
    keys = []

    def complete(self: Any, *, api_key: str, **arguments: Any) -> ProviderResult:
        keys.append(api_key)
        if len(keys) == 1:
            raise RateLimited("later", usage=Usage(3), text="ha")
        return ProviderResult("fine", 1, 1)

    class TwoKeys(LlmProvider):
        supports_api_key = True

        def api_keys(self):
            return ("key-a", "key-b")

    TwoKeys.complete = complete
    agent(PROVIDERS={"two": TwoKeys}, RETRIES=0, RETRY_BILLED=allowed)
    assert facade.complete("say", "small", provider="two")["status"] == ("ok" if allowed else "failure")
    assert len(keys) == 1 + allowed
