"""Maps each vendor's word for why a model stopped to a value of `ProviderResult.finish_reason`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from stapel_agent.redaction import redact_start

WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "stop": ("stop", "end_turn", "stop_sequence", "eos", "eos_token", "complete", "completed", "stop_eos"),
        "length": (
            *("length", "max_tokens", "max_output_tokens", "max_length", "max_len", "model_length"),
            *("context_length", "context_length_exceeded", "model_context_window_exceeded", "error_limit"),
            *("max_new_tokens", "token_limit", "repetition", "repetition_truncation"),
        ),
        "content_filter": (
            *("content_filter", "content_filtered", "sensitive", "refusal", "safety", "recitation", "blocklist"),
            *("prohibited_content", "spii", "image_safety", "model_armor", "guardrail_intervened", "error_toxic"),
            *("image_prohibited_content", "image_recitation"),
        ),
        "interrupted": (
            *("error", "abort", "aborted", "cancelled", "canceled", "user_cancel", "timeout"),
            *("network_error", "insufficient_system_resource", "engine_overloaded", "unload"),
        ),
    }
)
FINISH_REASONS: Mapping[str, str] = MappingProxyType(
    {word.replace("_", ""): meaning for meaning, words in WORDS.items() for word in words}
)
WORD_LENGTH, CATEGORY_LENGTH = 40, 64
REFUSAL_CATEGORY = "refusal_category"
"""The key in a result's metadata for the vendor's category of a refusal."""
EXAMINED_LENGTH = 100
FILLING = re.compile(r"^finish_?reason[._]|[\s_-]")


def finish_reason(word: object, own: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return "stop", "length", "content_filter" or "interrupted". Return an unknown word unchanged, "stop" for none.

    `own` maps the words of one vendor and takes precedence. Spelling does not matter: some vendors use capitals,
    hyphens, nothing between the words or the name of their enumeration, or add their own word after the common one, as
    in "content_filter: SPII".
    """
    if word is None or word == "":
        return "stop"
    text = str(word)
    known = own.get(text) or own.get(text.lower())
    return known or FINISH_REASONS.get(_plain(text[:EXAMINED_LENGTH])) or redact_start(text, WORD_LENGTH)


def refusal_category(category: object) -> dict[str, str]:
    """Return the vendor's category of a refusal, if there is one, for the metadata of a result."""
    return {REFUSAL_CATEGORY: redact_start(str(category), CATEGORY_LENGTH)} if category else {}


def _plain(text: str) -> str:
    return FILLING.sub("", text.lower().partition(":")[0].strip())
