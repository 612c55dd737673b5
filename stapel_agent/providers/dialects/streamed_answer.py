"""Reads an answer that a gateway streams, or ends with an event of a stream, although no stream was requested."""

from __future__ import annotations

from typing import Any

from stapel_agent.exceptions import AnswerInterrupted
from stapel_agent.providers.wire.vendor_json import decoded, mapping

from .dialect import Fields

EVENT, END = b"data:", b"[DONE]"
TEXTS = ("content", "refusal", "reasoning_content", "reasoning")
STATED = ("usage", "service_tier", "error")


def first_choice(answer: Fields) -> Fields:
    choices = answer.get("choices")
    return mapping(choices[0]) if isinstance(choices, list) and choices else {}


def streamed_answer(body: bytes, digits: int) -> Fields:
    """Return the answer in `body` as if it had not been streamed; empty if there is none. Raises AnswerInterrupted."""
    body = body.strip()
    has_end = body.endswith(END)
    body = body.removesuffix(END).rstrip().removesuffix(EVENT)
    if answer := mapping(decoded(body, digits)):
        return answer
    lines = (line.strip().removeprefix(EVENT).lstrip() for line in body.splitlines())
    events = [mapping(decoded(line, digits)) for line in lines if line.startswith(b"{")]
    whole = next((event for event in events if "message" in first_choice(event)), {})
    return whole or _joined([event for event in events if "choices" in event or "error" in event], has_end=has_end)


def _joined(events: list[Fields], *, has_end: bool) -> dict[str, Any]:
    if not events:
        return {}
    choices = [first_choice(event) for event in events]
    deltas = [mapping(choice.get("delta")) for choice in choices]
    message = {name: "".join(part for delta in deltas if isinstance(part := delta.get(name), str)) for name in TEXTS}
    stated = {name: event[name] for event in events for name in STATED if event.get(name)}
    last: Fields = next((choice for choice in reversed(choices) if choice.get("finish_reason")), {})
    if not last and not has_end and "error" not in stated:
        raise AnswerInterrupted("the answer ended before it was complete", text=message["content"] or None)
    return {**stated, "choices": [{**last, "message": message}]}
