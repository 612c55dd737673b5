"""The first choice of an answer, and the texts in its message."""

from __future__ import annotations

from stapel_agent.providers.wire.vendor_json import mapping

from .dialect import Fields

TEXT_KINDS = ("text", "output_text")


def first_choice(answer: Fields) -> Fields:
    choices = answer.get("choices")
    return mapping(choices[0]) if isinstance(choices, list) and choices else {}


def content_text(content: object) -> str:
    return content if isinstance(content, str) else _parts(content, "text", TEXT_KINDS)


def refusal_text(message: Fields) -> str:
    """Return the text with which the model refuses to answer: a field of the message, or a part of its content."""
    stated = message.get("refusal")
    return stated if stated and isinstance(stated, str) else _parts(message.get("content"), "refusal", ("refusal",))


def _parts(content: object, field: str, kinds: tuple[str, ...]) -> str:
    parts = [mapping(part) for part in content] if isinstance(content, list) else [mapping(content)]
    texts = [part.get(field) for part in parts if part.get("type") in kinds or part.keys() == {"text"}]
    return "".join(text for text in texts if isinstance(text, str))
