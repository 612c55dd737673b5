"""How many tokens a text is likely to cost, told by its bytes alone."""

from __future__ import annotations

BYTES_PER_TOKEN = 3


def byte_length(text: str) -> int:
    """Bytes of a text in UTF-8, which weighs scripts about as tokenizers do."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def token_estimate(text: str) -> int:
    """Tokens that a text is likely to cost; rather too many."""
    return byte_length(text) // BYTES_PER_TOKEN + 1
