"""Reads an answer that a gateway streams, or ends with an event of a stream, although no stream was requested."""

from __future__ import annotations

from codecs import BOM_UTF8
from io import BytesIO
from typing import Any

from stapel_agent.exceptions import AnswerInterrupted
from stapel_agent.providers.wire.vendor_json import decoded, mapping

from .choice import content_text, first_choice
from .dialect import Fields
from .usage_fields import UsageFields, read_usage

EVENT, END = b"data:", b"[DONE]"
BEGINNINGS = (EVENT, b"event:", b"id:", b"retry:", b":", b"{")
ENDINGS = frozenset({"error", "finish_reason"})
MOST_EVENTS = 200_000
TEXTS = ("content", "refusal", "reasoning_content", "reasoning")


def streamed_answer(body: bytes, digits: int, fields: UsageFields) -> Fields:
    """Return the answer in `body` as if it had not been streamed; empty if there is none. Raises AnswerInterrupted."""
    body = body.removeprefix(BOM_UTF8).strip().removesuffix(END).rstrip().removesuffix(EVENT)
    if answer := mapping(decoded(body, digits)):
        return answer
    return _joined(_events(body, digits), fields) if body.startswith(BEGINNINGS) else {}


def _events(body: bytes, digits: int) -> list[Fields]:
    """Return the events before the first invalid one: no text may be missing between them."""
    events: list[Fields] = []
    for line in map(bytes.strip, BytesIO(body)):
        payload = line.removeprefix(EVENT).lstrip()
        if payload and line.startswith((EVENT, b"{")):
            event = mapping(decoded(payload, digits))
            if not event or len(events) == MOST_EVENTS:
                break
            events.append(event)
    return events


def _joined(events: list[Fields], fields: UsageFields) -> Fields:
    answer = _last_values(events)
    choices = [choice for event in events if (choice := first_choice(event))]
    if not choices:
        return answer
    choice = _last_values(choices)
    if len(choices) > 1 or "delta" in choice:  # Perplexity repeats all of the text so far beside each delta
        deltas = [mapping(part.get("delta")) for part in choices]
        choice["message"] = {
            name: "".join(content_text(delta[name]) for delta in deltas if name in delta) for name in TEXTS
        }
    # Gateways, and vLLM after an error, also write [DONE] behind an answer that was cut off.
    if ENDINGS.isdisjoint({*answer, *choice}):
        text = content_text(mapping(choice.get("message")).get("content"))
        usage = read_usage(answer.get("usage"), fields)
        raise AnswerInterrupted("the answer ended before it was complete", usage=usage or None, text=text or None)
    return {**answer, "choices": [choice]}


def _last_values(parts: list[Fields]) -> dict[str, Any]:
    return {name: value for part in parts for name, value in part.items() if value}
