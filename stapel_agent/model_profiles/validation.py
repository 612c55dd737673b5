"""Validates profiles, and options for a vendor's request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from stapel_agent.column_ranges import is_whole

from .profile import EFFORTS, Profile

SENT_BY_US = frozenset(
    {
        *("model", "messages", "system", "prompt", "input"),
        *("response_format", "output_config", "output_format"),
        *("max_tokens", "max_completion_tokens", "max_output_tokens"),
        *("stream", "stream_options"),
        *("n", "best_of"),  # one answer is read, and reserved in the budgets
    }
)
"""Request fields that the package sets itself. Options cannot replace them."""


def profile_problems(size: str, entry: object) -> Iterator[str]:
    """Yield the errors in an entry of MODELS, each with its fix."""
    if not isinstance(entry, Mapping):
        return
    place = f"STAPEL_AGENT['MODELS'][{size!r}]"
    known = Profile.__dataclass_fields__
    for name in sorted(map(str, entry.keys() - known.keys())):
        yield f"{place} has an unknown key {name!r}: use {', '.join(known)}"
    for name in ("model", "provider"):
        if not isinstance(entry.get(name) or "", str):
            yield f"{place}[{name!r}] must be a string, not a value of the type {type(entry[name]).__name__}"
    if entry.get("effort") not in (None, *EFFORTS):
        yield f"{place}['effort'] is {str(entry['effort'])[:40]!r}: use one of {', '.join(EFFORTS)}"
    if entry.get("max_tokens") is not None and not is_whole(entry["max_tokens"], 1, 10**9):
        yield f"{place}['max_tokens'] must be a whole number of at least 1, not {str(entry['max_tokens'])[:40]!r}"
    if problem := option_problem(entry.get("options") or {}):
        yield f"{place}['options'] {problem}"


def option_problem(options: object) -> str | None:
    """Return the error in options for a vendor's request, or None."""
    if not isinstance(options, Mapping) or not all(isinstance(name, str) for name in options):
        return "must be a dict of request fields, such as {'temperature': 0}"
    if taken := sorted(SENT_BY_US & options.keys()):
        return f"cannot set {', '.join(taken)}, which the package sets itself: remove it"
    try:
        json.dumps(options, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return "must be serializable as JSON"
    return None
