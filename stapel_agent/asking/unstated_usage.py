"""The halves of a usage that its provider did not state: they are estimated, because nothing unknown is free."""

from __future__ import annotations

from stapel_agent.types import Usage

INPUT, OUTPUT = "input_tokens", "output_tokens"
NEITHER: frozenset[str] = frozenset()
BOTH_HALVES = frozenset({INPUT, OUTPUT})


def unstated_halves(usage: Usage, text: str | None) -> frozenset[str]:
    """Return the names of the halves that are missing from `usage`, which belongs to an answer with this `text`.

    A zero counts as missing where it cannot be true: neither a prompt nor a text has 0 tokens. Empty if nothing is
    stated.
    """
    if not usage:
        return NEITHER
    if usage.unsplit_tokens:
        return BOTH_HALVES
    lacks_input = INPUT in usage.unknown or not usage.prompt_tokens
    lacks_output = OUTPUT in usage.unknown or bool(text and not usage.output_tokens)
    return frozenset({INPUT} if lacks_input else ()) | frozenset({OUTPUT} if lacks_output else ())
