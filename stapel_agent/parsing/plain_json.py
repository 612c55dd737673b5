"""Converts maps from callers and providers to plain JSON."""

from __future__ import annotations

import json
import logging
from typing import Any

from .decoding import is_deep
from .storable_text import storable

logger = logging.getLogger(__name__)


def json_map(value: Any) -> dict[str, Any]:
    """Convert a foreign mapping to JSON that every database accepts. Drops anything that cannot be converted.

    Also drops a mapping that is nested too deeply: a purge could not read the row, and would always stop there.
    """
    try:
        if not (given := dict(value)):
            return {}
        text = json.dumps(given, default=str, skipkeys=True)
        plain = {} if is_deep(text) else json.loads(text, parse_constant=str)
    except Exception:
        logger.warning("dropped metadata that cannot be converted to JSON")
        return {}
    return storable(plain)  # type: ignore[no-any-return]
