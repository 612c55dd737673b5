"""Parses vendors' JSON so that an absurd number never costs you the paid text beside it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def decoded(body: bytes, digits: int) -> Any:
    """Return the value of a JSON text, or None if it is invalid. Integers with more than `digits` become infinity."""

    def integer(literal: str) -> float:
        if len(literal) <= digits:
            return int(literal)
        return -math.inf if literal.startswith("-") else math.inf

    try:
        return json.loads(body.decode("utf-8", "replace").removeprefix("\ufeff"), parse_int=integer)
    except (ValueError, RecursionError):
        return None


def text_of(body: bytes | str) -> str:
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else body


def mapping(value: object) -> Mapping[str, Any]:
    """Return `value` if it is an object, otherwise an empty one."""
    return value if isinstance(value, dict) else {}
