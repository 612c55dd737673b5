"""Complete as JSON: parse the answer and validate it against the caller's schema."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from .completion import acomplete, complete
from .exceptions import InvalidAnswer, RequestRejected, SchemaMismatch
from .parsing import Flaw, find_json
from .providers import in_own_thread
from .schemas import CallerSchema, TooMuchWork
from .types import Completion, CompletionRequest

SYSTEM_PROMPT = (
    "You answer with JSON only: one object or one array. "
    "Write no text before or after it, no explanation and no code fence."
)
CORRECTIONS = {
    Flaw.NOTHING: "An earlier answer contained no JSON. Answer again, with only JSON that satisfies the JSON schema.",
    Flaw.NULL: "An earlier answer was null, which counts as no answer. Answer again, with another value.",
    Flaw.CONFLICT: (
        "An earlier answer had a key twice in one object, with different values. Answer again, with each key once."
    ),
}
MISFIT_LENGTH = 300
Read = Callable[[Any], Any]
VALIDATED_LENGTH = 1024 * 1024
"""The longest answer, in characters, that is validated. A longer one could keep a worker busy for minutes."""


@dataclass(frozen=True)
class ParsedAnswer:
    """The JSON in an answer, and the prose around it."""

    result: Any
    comment: str | None


class JsonReader:
    """Parse an answer's text into a ParsedAnswer.

    Raises InvalidAnswer if the answer contains no JSON. With a schema, raises SchemaMismatch, and the model is asked
    again. The constructor raises InvalidRequest if `schema` is not a JSON Schema or refers outside itself.
    """

    def __init__(self, schema: Mapping[str, Any] | None, read: Read | None = None, type_name: str = "") -> None:
        self.name = f"JSON {type_name}"
        self._schema = None if schema is None else CallerSchema(schema)
        self.is_slow = schema is not None
        self._read = read

    def __call__(self, text: str) -> ParsedAnswer:
        if self._schema is not None and len(text) > VALIDATED_LENGTH:
            raise InvalidAnswer(f"the answer has more than {VALIDATED_LENGTH:,} characters, too many to validate")
        result, comment, flaw = find_json(text)
        if flaw is not None:
            raise self._no_json(flaw, text)
        if self._schema is not None and (faults := self._faults(self._schema, result)):
            lines = "\n".join(f"- {fault}" for fault in faults)
            raise SchemaMismatch(
                f"the answer does not satisfy the schema: {faults[0]}",
                correction=f"\n\nAn earlier answer did not satisfy the JSON schema:\n{lines}\nFix it and answer again.",
                text=text,
            )
        return ParsedAnswer(result, comment)

    def _no_json(self, flaw: Flaw, text: str) -> InvalidAnswer:
        message, correction = f"the answer {flaw}", CORRECTIONS.get(flaw)
        if self._schema is None or correction is None:
            return InvalidAnswer(message, text=text)
        return SchemaMismatch(message, correction=f"\n\n{correction}", text=text)

    def _faults(self, schema: CallerSchema, result: Any) -> list[str]:
        try:
            return schema.faults(result) or self._misfits(result)
        except TooMuchWork as fault:
            raise RequestRejected(f"the answer cannot be validated: {fault}; simplify the schema") from fault
        except Exception as fault:
            raise RequestRejected(f"the schema cannot be applied to the answer ({type(fault).__name__})") from fault

    def _misfits(self, result: Any) -> list[str]:
        """Return why the caller's type rejects an answer that satisfies its schema."""
        if self._read is None:
            return []
        try:
            self._read(result)
        except Exception as fault:
            return [f"{type(fault).__name__}: {fault}"[:MISFIT_LENGTH]]
        return []


def complete_json(request: CompletionRequest, *, read: Read | None = None, type_name: str = "") -> Completion:
    """Answer `request` with a ParsedAnswer as the completion's `value`. Raises AgentError.

    `read` builds an instance of the type `type_name` from the JSON. If it raises, the model is asked again, as after a
    schema mismatch.
    """
    return complete(request, JsonReader(request.schema, read, type_name))


async def acomplete_json(request: CompletionRequest, *, read: Read | None = None, type_name: str = "") -> Completion:
    """`complete_json()` on an event loop."""
    if request.schema is None:
        return await acomplete(request, JsonReader(None))
    # In a separate thread, because checking a schema may take seconds.
    making: Future[JsonReader] = in_own_thread(JsonReader, schema=request.schema, read=read, type_name=type_name)
    reader = await asyncio.wrap_future(making)
    return await acomplete(request, reader)
