"""The common parts of answers, for comparing whole ones."""

from __future__ import annotations

import re
import uuid
from typing import Any


class _AnyRequestId:
    """Equal to the text of any UUID."""

    def __eq__(self, other: object) -> bool:
        try:
            return isinstance(other, str) and str(uuid.UUID(other)) == other
        except ValueError:
            return False

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return "<a request id>"


REQUEST_ID: Any = _AnyRequestId()
TRACED = {"request_id": REQUEST_ID}


def by(provider: str = "anthropic", model: str = "claude-haiku-4-5-20251001") -> dict[str, Any]:
    """The part of an answer that says who answered."""
    return {"model": model, "provider": provider, **TRACED}


def failure_of(reason: str) -> str:
    """The failure's name, which begins its reason."""
    return re.split("[: ]", reason)[0]


def failed(reason: str) -> dict[str, str]:
    """The beginning of a failed answer."""
    return {"status": "failure", "failure": failure_of(reason), "reason": reason}
