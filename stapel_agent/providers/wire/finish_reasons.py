"""Why a Claude model stopped, in the words of `ProviderResult.finish_reason`: for the API and for the CLI."""

from __future__ import annotations

FINISH_REASONS = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}


def finish_reason(stop_reason: object) -> str:
    """What `stop_reason` means; any that is not known is a complete answer's."""
    return FINISH_REASONS.get(str(stop_reason), "stop")
