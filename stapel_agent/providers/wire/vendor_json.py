"""JSON as vendors write it, in which no absurd figure costs the paid text beside it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def decoded(body: bytes, digits: int) -> Any:
    """The value of a JSON text; None where it is none. An integer of more digits is infinite: int() may refuse it."""

    def integer(literal: str) -> float:
        return int(literal) if len(literal) <= digits else math.inf

    try:
        return json.loads(body.decode("utf-8", "replace").removeprefix("\ufeff"), parse_int=integer)
    except (ValueError, RecursionError):
        return None


def mapping(value: object) -> Mapping[str, Any]:
    """`value`, if it is an object; or else an empty one."""
    return value if isinstance(value, dict) else {}
