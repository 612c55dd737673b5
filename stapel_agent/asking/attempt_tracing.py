"""The OpenTelemetry span of an attempt: a client span of the generative AI conventions, version 1.41.

It contains prompts and answers only if TRACE_CONTENT is True.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, Protocol

from stapel_agent.conf import agent_settings
from stapel_agent.exceptions import AgentError
from stapel_agent.parsing import storable
from stapel_agent.providers import LlmProvider, ProviderResult
from stapel_agent.telemetry import UNTRACED, Facts, describe_span, fail_span, is_traced, request_facts, span
from stapel_agent.types import CompletionRequest, Usage


class Traced(Protocol):
    """The attributes of an attempt that its span reports."""

    request: CompletionRequest
    provider: LlmProvider
    result: ProviderResult | None
    error: AgentError | None

    @property
    def usage(self) -> Usage: ...

    @property
    def text(self) -> str | None: ...


def attempt_span(attempt: Traced) -> AbstractContextManager[None]:
    """Open a span around one attempt. The attempt stores its own error."""
    return _attempt_span(attempt) if is_traced() else UNTRACED


@contextmanager
def _attempt_span(attempt: Traced) -> Iterator[None]:
    with span(f"chat {attempt.request.model}", "CLIENT", partial(_asked, attempt)) as current:
        try:
            yield
        finally:
            describe_span(current, partial(_answered, attempt))
            describe_span(current, partial(_content, attempt))
            if attempt.error is not None:
                fail_span(current, attempt.error.failure)


def _asked(attempt: Traced) -> Facts:
    request = attempt.request
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": request.provider,
        "gen_ai.request.model": request.model,
        "gen_ai.request.max_tokens": request.max_tokens if attempt.provider.supports_max_tokens else None,
        "gen_ai.output.type": "json" if request.schema is not None else None,
        **request_facts(request),
    }


def _answered(attempt: Traced) -> Facts:
    usage = attempt.usage
    if attempt.result is None and not usage:
        return {}
    return {
        "gen_ai.response.finish_reasons": [attempt.result.finish_reason] if attempt.result else None,
        # The convention counts all input tokens; `Usage.input_tokens` excludes the cached ones.
        "gen_ai.usage.input_tokens": usage.prompt_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read_tokens or None,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_write_tokens or None,
        "gen_ai.usage.reasoning.output_tokens": usage.thinking_tokens or None,
    }


def _content(attempt: Traced) -> Facts:
    if agent_settings.TRACE_CONTENT is not True:
        return {}
    request, text = attempt.request, attempt.text
    finish_reason = attempt.result.finish_reason if attempt.result else "error"
    answer = {"role": "assistant", "parts": _parts(text or ""), "finish_reason": finish_reason}
    return {
        "gen_ai.system_instructions": _as_json(_parts(request.system_prompt)) if request.system_prompt else None,
        "gen_ai.input.messages": _as_json([{"role": "user", "parts": _parts(request.message)}]),
        "gen_ai.output.messages": None if text is None else _as_json([answer]),
    }


def _parts(text: str) -> list[dict[str, str]]:
    return [{"type": "text", "content": text}]


def _as_json(value: Any) -> str:
    return json.dumps(storable(value), ensure_ascii=False)
