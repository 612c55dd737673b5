"""Calls the Models API once per process and model, and never while answering a request."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import reduce
from typing import Any

from stapel_agent.column_ranges import token_count

from .anthropic_sdk import clients
from .model_facts import ModelFacts
from .wire.attempt_limits import bounded_attempt

SECONDS = 10.0
MOST_MODELS = 256

_known: dict[tuple[str, str], ModelFacts] = {}


def model_facts(client: tuple[str, str], peer: str, model: str) -> ModelFacts:
    """Return the API's facts about `model`. `client` is a key and a base URL. Errors are raised unchanged."""
    key = client[1], model
    if key not in _known:
        models = clients.client(*client).models
        with bounded_attempt(SECONDS, peer):
            found = models.retrieve(model)
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
    capabilities = getattr(found, "capabilities", None)
    return ModelFacts(
        max_tokens=token_count(getattr(found, "max_tokens", None)) or None,
        lifecycle=str(getattr(found, "lifecycle", ""))[:16],
        retires_at=retires_at if isinstance(retires_at, datetime) else None,
        efforts=_efforts(capabilities),
        supports_schema=_supported(capabilities, "structured_outputs"),
    )


EFFORTS: Mapping[str, tuple[str, ...]] = {
    "none": ("thinking.types.disabled", "thinking.types.between_tools"),
    "minimal": ("effort.low",),
    **{word: (f"effort.{word}",) for word in ("low", "medium", "high", "max")},
}
"""Our values of effort -> capabilities, one of which is enough. See `dialects.effort_rules` for what is sent."""


def _efforts(capabilities: object) -> frozenset[str] | None:
    """Return the efforts that a model supports, or None if the API does not say so for each of them."""
    said = {word: [_supported(capabilities, path) for path in paths] for word, paths in EFFORTS.items()}
    if any(None in answers for answers in said.values()):
        return None
    return frozenset(word for word, answers in said.items() if any(answers))


def _supported(capabilities: object, path: str) -> bool | None:
    found = reduce(lambda part, name: getattr(part, name, None), path.split("."), capabilities)
    answer = getattr(found, "supported", None)
    return answer if isinstance(answer, bool) else None
