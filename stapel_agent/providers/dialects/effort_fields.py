"""Expresses how hard a model should think in the fields of its dialect."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stapel_agent.providers.wire.call_arguments import Call
from stapel_agent.providers.wire.optional_fields import OptionalFields

from .dialect import EffortRule

LITTLE = ("none", "minimal")


def optional_effort(rules: tuple[EffortRule, ...], call: Call, endpoint: str) -> OptionalFields:
    """Return the fields for the effort of `call`, except those that its options set, unless the model rejects them.

    If it rejects only to think that little, return the fields for "low". Without any, it would think by its default.
    """
    added = _added(rules, call, call.effort)
    chosen = OptionalFields.for_effort(endpoint, call.model, call.effort, added)
    if chosen.fields or not added or call.effort not in LITTLE:
        return chosen
    low = _added(rules, call, "low")
    return chosen if low == added else OptionalFields.for_effort(endpoint, call.model, "low", low)


def _added(rules: tuple[EffortRule, ...], call: Call, effort: str | None) -> dict[str, Any]:
    fields = effort_fields(rules, call.model, effort)
    return {name: value for name, value in fields.items() if name not in call.options}


def effort_fields(rules: tuple[EffortRule, ...], model: str, effort: str | None) -> Mapping[str, Any]:
    """Return the request fields that express `effort` to `model`. Empty if the model does not support it."""
    rule = next((rule for rule in rules if re.search(rule.models, model, re.IGNORECASE)), EffortRule(""))
    return rule.words.get(effort, {}) if effort else rule.unset


def merged(*parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return request fields merged. Objects are merged recursively; other values are replaced by later ones."""
    body: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            own = body.get(name)
            both = isinstance(own, Mapping) and isinstance(value, Mapping)
            body[name] = merged(own, value) if both else value  # type: ignore[arg-type]
    return body
