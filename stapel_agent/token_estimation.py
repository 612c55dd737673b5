"""Estimates the tokens of a text from its size in bytes."""

from __future__ import annotations

BYTES_PER_TOKEN = 3


def byte_length(text: str) -> int:
    """Size of a text in UTF-8 bytes, which weights scripts roughly as tokenizers do."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def token_estimate(text: str) -> int:
    """Estimate the tokens of a text, erring on the high side."""
    return byte_length(text) // BYTES_PER_TOKEN + 1
