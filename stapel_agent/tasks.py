"""`llm.translate` as a stapel-core task, for translations that take longer than a caller can wait."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from django.core.exceptions import ValidationError
from stapel_core.comm.tasks import checkpoint, resume, task_handler

from . import answers, ledger
from .conf import agent_settings
from .functions import llm_translate
from .schemas import function_validator


@task_handler("llm.translate")
def translate(payload: dict[str, Any]) -> dict[str, Any]:
    """Answer like the function `llm.translate`. A retry reuses the translations of earlier attempts.

    Raises ValidationError for a payload that does not fit the function's schema, so that the task is not retried.
    """
    fault = next(function_validator("llm.translate").iter_errors(payload), None)
    if fault is not None:
        raise ValidationError(fault.message[:300])
    portions = []
    for name, entries in _slices(payload["entries"]):
        answer = resume(name)
        if answer is None:
            answer = llm_translate({**payload, **_own_key(payload, name), "entries": entries})
            if answer["status"] == "ok":
                checkpoint(name, answer)
        portions.append((entries, answer))
    requests = [answer["request_id"] for _, answer in portions if "request_id" in answer]
    return answers.joined(portions, is_cost_known=len(portions) == 1 or ledger.knows_cost(requests))


def _own_key(payload: dict[str, Any], name: str) -> dict[str, str]:
    """The idempotency key of a portion, if the task has one. Each portion has its own payload, so its own key."""
    key = payload.get("idempotency_key")
    return {} if key is None else {"idempotency_key": sha256(f"{name} {key}".encode("utf-8", "replace")).hexdigest()}


def _slices(entries: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Split the entries into portions, each with the name of its checkpoint. An empty map is one portion."""
    items = list(entries.items())
    size = agent_settings.TRANSLATE_CHUNK_ENTRIES * agent_settings.TRANSLATE_CONCURRENCY
    for start in range(0, max(1, len(items)), size):
        yield f"entries {start} to {start + size}", dict(items[start : start + size])
