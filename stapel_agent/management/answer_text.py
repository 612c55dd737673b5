"""Formats a facade's answer for a terminal, without control characters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .summary import printable

NAME_LENGTH = 128


def printable_json(value: Any) -> str:
    """`value` as indented JSON, with unprintable characters escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return "".join(sign if sign.isprintable() or sign == "\n" else json.dumps(sign)[1:-1] for sign in text)


def printable_text(text: str) -> str:
    """`text` with its line breaks and tabs, but without other control characters."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "\ufffd" for sign in text)


def answered_by(answer: Mapping[str, Any]) -> str:
    """The provider, model, usage and request id, if the answer has them."""
    named = " ".join(str(answer[key]) for key in ("provider", "model") if key in answer)
    parts = [printable(named, NAME_LENGTH), spent(answer.get("usage")), _request(answer)]
    return ", ".join(part for part in parts if part)


def spent(usage: Mapping[str, Any] | None) -> str:
    """The tokens, and their cost if it is known."""
    if not usage:
        return ""
    cost = usage.get("cost_usd")
    dollars = "" if cost is None else f", ${cost}"
    thinking = f" ({usage['thinking_tokens']} thinking)" if usage.get("thinking_tokens") else ""
    return f"{usage['input_tokens']} input and {usage['output_tokens']} output tokens{thinking}{dollars}"


def _request(answer: Mapping[str, Any]) -> str:
    return f"request {answer['request_id']}" if "request_id" in answer else ""
