"""JSON as vendors write it, in which no absurd figure costs the paid text beside it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

MAX_DIGITS = 300


def decoded(body: bytes) -> Any:
    """The value of a JSON text; None where it is none."""
    try:
        return json.loads(body.decode("utf-8", "replace").removeprefix("\ufeff"), parse_int=_integer)
    except (ValueError, RecursionError):
        return None


def mapping(value: object) -> Mapping[str, Any]:
    """`value`, if it is an object; or else an empty one."""
    return value if isinstance(value, dict) else {}


def _integer(digits: str) -> float:
    # int() refuses very long ones.
    return int(digits) if len(digits) <= MAX_DIGITS else math.inf
