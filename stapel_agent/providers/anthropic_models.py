"""Calls the Models API once per process and model, and never while answering a request."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from stapel_agent.column_ranges import token_count

from .anthropic_sdk import clients
from .model_facts import ModelFacts
from .wire.limits import bounded_attempt

SECONDS = 10.0
MOST_MODELS = 256

_known: dict[tuple[str, str], ModelFacts] = {}


def model_facts(client: tuple[str, str], peer: str, model: str) -> ModelFacts:
    """Return the API's facts about `model`. `client` is a key and a base URL. Errors are raised unchanged."""
    key = client[1], model
    if key not in _known:
        with bounded_attempt(SECONDS, peer):
            found = clients.client(*client).models.retrieve(model)
        if len(_known) >= MOST_MODELS:
            _known.clear()
        _known[key] = _facts(found)
    return _known[key]


def forget_models() -> None:
    """Forget all facts. For tests."""
    _known.clear()


def _facts(found: Any) -> ModelFacts:
    # The SDK does not validate answers: any field may be missing or have another type.
    retires_at = getattr(found, "retires_at", None)
    return ModelFacts(
        max_tokens=token_count(getattr(found, "max_tokens", None)) or None,
        lifecycle=str(getattr(found, "lifecycle", ""))[:16],
        retires_at=retires_at if isinstance(retires_at, datetime) else None,
    )
