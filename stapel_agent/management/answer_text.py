"""A facade's answer for a person at a terminal, with nothing in it that a terminal obeys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .summary import printable

NAME_LENGTH = 128


def printable_json(value: Any) -> str:
    """`value` as JSON over several lines, in which what is not printable is escaped, as JSON may have it."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return "".join(sign if sign.isprintable() or sign == "\n" else json.dumps(sign)[1:-1] for sign in text)


def printable_text(text: str) -> str:
    """`text` with its lines and tabs, and with nothing else in it that a terminal obeys."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "\ufffd" for sign in text)


def answered_by(answer: Mapping[str, Any]) -> str:
    """Who answered, what was spent, and where the ledger has it; as far as the answer says so."""
    named = " ".join(str(answer[key]) for key in ("provider", "model") if key in answer)
    parts = [printable(named, NAME_LENGTH), spent(answer.get("usage")), _request(answer)]
    return ", ".join(part for part in parts if part)


def spent(usage: Mapping[str, Any] | None) -> str:
    """Tokens, and what they cost where that is known."""
    if not usage:
        return ""
    cost = usage.get("cost_usd")
    dollars = "" if cost is None else f", ${cost}"
    thinking = f" ({usage['thinking_tokens']} thinking)" if usage.get("thinking_tokens") else ""
    return f"{usage['input_tokens']} input and {usage['output_tokens']} output tokens{thinking}{dollars}"


def _request(answer: Mapping[str, Any]) -> str:
    return f"request {answer['request_id']}" if "request_id" in answer else ""
