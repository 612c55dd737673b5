"""Answers of the Messages API as in its reference: server-sent events, and error documents."""

from __future__ import annotations

import json
from typing import Any

from tests.scripted_server import Reply


def event(name: str, **fields: Any) -> bytes:
    """One server-sent event in the API's format."""
    return f"event: {name}\ndata: {json.dumps({'type': name, **fields})}\n\n".encode()


def message_start(**usage: Any) -> bytes:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "content": []}
    usage = {"input_tokens": 25, "output_tokens": 1, **usage}
    return event("message_start", message={**message, "stop_reason": None, "stop_sequence": None, "usage": usage})


def text_block(*deltas: str, index: int = 0) -> bytes:
    parts = [event("content_block_delta", index=index, delta={"type": "text_delta", "text": text}) for text in deltas]
    start = event("content_block_start", index=index, content_block={"type": "text", "text": ""})
    return start + b"".join(parts) + event("content_block_stop", index=index)


def thinking_block(thought: str, index: int = 0) -> bytes:
    block = {"type": "thinking", "thinking": "", "signature": ""}
    return b"".join(
        [
            event("content_block_start", index=index, content_block=block),
            event("content_block_delta", index=index, delta={"type": "thinking_delta", "thinking": thought}),
            event("content_block_delta", index=index, delta={"type": "signature_delta", "signature": "EqQBCgIYAhIM"}),
            event("content_block_stop", index=index),
        ]
    )


def message_delta(stop_reason: str | None = "end_turn", stop_details: Any = None, **usage: Any) -> bytes:
    delta = {"stop_reason": stop_reason, "stop_sequence": None, "stop_details": stop_details}
    return event("message_delta", delta=delta, usage={"output_tokens": 15, **usage})


MESSAGE_STOP = event("message_stop")


def message(*deltas: str) -> bytes:
    """All events of an answer with one text block."""
    return message_start() + text_block(*deltas) + message_delta() + MESSAGE_STOP


def stream(*events: bytes, **options: Any) -> Reply:
    """An event stream of `events`."""
    return Reply(b"".join(events), headers={"Content-Type": "text/event-stream"}, **options)


def unfinished_stream(*events: bytes, **options: Any) -> Reply:
    """An event stream whose header promises more than `events`."""
    return stream(*events, content_length=len(b"".join(events)) + 1_000_000_000, **options)


def error_document(kind: str, text: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": text}, "request_id": "req_1"}


def error_event(kind: str, text: str) -> bytes:
    return event("error", **error_document(kind, text))
