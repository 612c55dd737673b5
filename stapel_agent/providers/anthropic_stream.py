"""Builds an answer of the Messages API from the events of its stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from typing import Any

from stapel_agent.exceptions import AnswerInterrupted, AnswerMissing, ProviderError, ProviderTimeout
from stapel_agent.prices import CONDITIONS, conditions_of
from stapel_agent.types import Usage

from .anthropic_usage import stated_figures, stated_tool_uses, totals
from .base import ProviderResult
from .wire.finish_reasons import finish_reason, refusal_category

CONNECTION_FAULTS = (AnswerInterrupted, ProviderTimeout)


class StreamedAnswer:
    """An answer, built from the events of its stream."""

    def __init__(self) -> None:
        self._text = StringIO()
        self._tokens: dict[str, int] = {}
        self._ended: dict[str, int] = {}
        self._finish_reason = ""
        self._metadata: dict[str, Any] = {}
        self._begun = False
        self._complete = False
        self._open_blocks: set[Any] = set()

    @property
    def text(self) -> str:
        return self._text.getvalue()

    @property
    def usage(self) -> Usage:
        """The tokens stated so far. Only the end states the output: `message_start` counts its first token."""
        tokens: dict[str, Any] = {"input_tokens": None, **self._tokens}
        usage = Usage(**tokens)
        thinking = min(usage.thinking_tokens, usage.output_tokens)
        at_end = self._ended.get("output_tokens")
        is_stated = bool(at_end) or (at_end == 0 and not self.text)
        unknown = usage.unknown if is_stated else usage.unknown | {"output_tokens"}
        return replace(usage, thinking_tokens=thinking, unknown=unknown)

    def add(self, event: Any) -> None:
        """Add one event. The SDK does not validate events, so any exception here means a malformed event."""
        if event.type == "message_start":
            self._begun = True
            self._count(getattr(event.message, "usage", None))
        elif event.type == "message_delta":
            self._ended |= self._count(getattr(event, "usage", None))
            self._end(event.delta)
        elif event.type == "message_stop":
            self._complete = bool(self._finish_reason)
        elif not self._complete:  # what follows the end is counted, and is no part of the answer
            self._add_text(event)

    @property
    def _has_all_parts(self) -> bool:
        """Whether the stop reason arrived after the end of each block: `message_stop`, which follows, adds nothing."""
        return self._complete or bool(self._finish_reason and not self._open_blocks)

    def _add_text(self, event: Any) -> None:
        if event.type in ("content_block_start", "content_block_delta"):
            self._open_blocks.add(getattr(event, "index", None))
        elif event.type == "content_block_stop":
            self._open_blocks.discard(getattr(event, "index", None))
        if event.type == "content_block_start" and event.content_block.type == "text":
            self._text.write(event.content_block.text or "")
        elif event.type == "content_block_delta" and event.delta.type == "text_delta":
            self._text.write(event.delta.text or "")

    def _end(self, delta: Any) -> None:
        if delta.stop_reason and self._finish_reason in ("", "stop"):  # a cut or a refusal stays one
            self._finish_reason = finish_reason(delta.stop_reason)
        self._metadata |= refusal_category(getattr(getattr(delta, "stop_details", None), "category", None))

    def _count(self, usage: Any) -> dict[str, int]:
        """Add the figures of an event, and return them."""
        self._metadata |= conditions_of({name: getattr(usage, name, None) for name in CONDITIONS})
        self._metadata |= stated_tool_uses(usage)
        stated = stated_figures(usage)
        self._tokens = totals(self._tokens, stated)
        return stated

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Attach the answer so far to an exception: the vendor may bill an answer that began, whatever ended it.

        Suppress the exception after the last event, because the answer is complete, and a fault of the connection if
        only that event is missing.
        """
        try:
            yield
        except ProviderError as fault:
            if not (self._has_all_parts if isinstance(fault, CONNECTION_FAULTS) else self._complete):
                fault.usage, fault.text = self.usage or fault.usage, self.text or None
                fault.may_be_billed = fault.may_be_billed or self._begun or bool(fault.usage or fault.text)
                raise

    def result(self) -> ProviderResult:
        if not self._has_all_parts:
            raise AnswerInterrupted("the answer ended before it was complete", usage=self.usage, text=self.text or None)
        if not self.text.strip() and self._finish_reason not in ("length", "content_filter"):
            raise AnswerMissing("the answer contains no text", usage=self.usage)
        return ProviderResult(
            self.text, finish_reason=self._finish_reason, metadata=self._metadata, **self.usage.figures
        )
