"""Checks that an answer is complete: the finish reason allows it, and there is a text."""

from __future__ import annotations

from stapel_agent.exceptions import AnswerInterrupted, AnswerMissing, AnswerRefused, AnswerTruncated, InvalidAnswer
from stapel_agent.providers import REFUSAL_CATEGORY, LlmProvider, ProviderResult, finish_reason
from stapel_agent.types import CompletionRequest, Usage


def require_whole(
    result: ProviderResult, request: CompletionRequest, usage: Usage, provider: LlmProvider, *, is_text: bool
) -> None:
    """Raise an AnswerError unless the answer of `provider` is complete and has a text.

    If the finish reason is unknown, JSON itself shows whether it is complete; plain text (`is_text`) does not.
    """
    reason = finish_reason(result.finish_reason)
    if reason == "length":
        raise AnswerTruncated(_truncation(usage, request.max_tokens))
    if reason == "content_filter":
        raise AnswerRefused(f"the model, or its vendor's content filter, refused to answer{_category(result)}")
    if reason == "interrupted":
        raise AnswerInterrupted(f"the provider interrupted the answer: {result.finish_reason}")
    if not result.text.strip():
        raise AnswerMissing("the answer contains no text")
    if is_text and reason != "stop":
        fix = provider.finish_reason_fix(reason)
        advice = f": if that means a complete answer, {fix}" if fix else ""
        raise InvalidAnswer(f"the model stopped for an unknown reason, {reason!r}{advice}")


def _truncation(usage: Usage, max_tokens: int) -> str:
    truncated = f"truncated at {usage.output_tokens or max_tokens} tokens"
    if not usage.thinking_tokens:
        return truncated
    return f"{truncated}, of which {usage.thinking_tokens:,} were thinking: lower the effort or raise max_tokens"


def _category(result: ProviderResult) -> str:
    """Return the vendor's category of the refusal in parentheses, or an empty string."""
    category = result.metadata.get(REFUSAL_CATEGORY)
    return f" ({category})" if category and isinstance(category, str) else ""
