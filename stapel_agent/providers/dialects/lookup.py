"""Which dialect an endpoint speaks."""

from __future__ import annotations

from dataclasses import replace

from .dialect import Dialect
from .table import DIALECTS, OPENAI

UNKNOWN = replace(OPENAI, hosts=(), efforts=(), cap_field="max_tokens")
"""What a host that no entry names is spoken to in: plain `openai`, without effort."""


def dialect_for(host: str, name: str | None = None) -> Dialect:
    """The dialect `name`, or else that of `host`."""
    if name:
        return DIALECTS[name]
    return next((dialect for dialect in DIALECTS.values() if _speaks(dialect, host)), UNKNOWN)


def _speaks(dialect: Dialect, host: str) -> bool:
    host = host.lower().rstrip(".")
    return any(host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern for pattern in dialect.hosts)
