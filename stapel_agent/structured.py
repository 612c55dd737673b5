"""Complete as JSON: read the answer, hold it against the caller's schema, ask again with the faults named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any

from .completion import acomplete, complete
from .conf import agent_settings
from .exceptions import InvalidAnswer, ProviderError, RequestRejected, SchemaMismatch
from .parsing import parse_json_response
from .types import Completion, CompletionRequest, Usage
from .validation import CallerSchema

SYSTEM_PROMPT = (
    "You answer with JSON only: one object or one array. "
    "Write no text before or after it, no explanation and no code fence."
)
VALIDATED_LENGTH = 1024 * 1024
"""Characters of an answer that is held against a schema; more could keep a worker busy for minutes."""


@dataclass(frozen=True)
class JsonAnswer:
    """The JSON of an answer, and the prose around it."""

    result: Any
    comment: str | None


class JsonReader:
    """Reads an answer's text as a JsonAnswer. Raises InvalidAnswer, or SchemaMismatch.

    InvalidRequest at once, where `schema` is no JSON Schema or points outside itself.
    """

    def __init__(self, schema: Mapping[str, Any] | None) -> None:
        self._schema = None if schema is None else CallerSchema(schema)

    def __call__(self, text: str) -> JsonAnswer:
        result, comment = parse_json_response(text)
        if result is None:
            raise InvalidAnswer("the answer holds no JSON object or array", text=text)
        if self._schema is not None and (faults := self._faults(self._schema, result, text)):
            lines = "\n".join(f"- {fault}" for fault in faults)
            raise SchemaMismatch(
                f"the answer does not satisfy the schema: {faults[0]}",
                correction=f"\n\nAn earlier answer did not satisfy the JSON schema:\n{lines}\nAnswer again, mended.",
                text=text,
            )
        return JsonAnswer(result, comment)

    def _faults(self, schema: CallerSchema, result: Any, text: str) -> list[str]:
        if len(text) > VALIDATED_LENGTH:
            raise InvalidAnswer(f"the answer has more than {VALIDATED_LENGTH:,} characters, too many to be validated")
        try:
            return schema.faults(result)
        except Exception as fault:
            raise RequestRejected(f"the schema cannot be applied to the answer ({type(fault).__name__})") from fault


class Rounds:
    """The question, then the same question with the faults named, at most SCHEMA_RETRIES more times.

    Iterate for the requests and answer each inside `with rounds:`, which swallows a mismatch.
    """

    def __init__(self, request: CompletionRequest) -> None:
        self.read = JsonReader(request.schema)
        self.completion: Completion | None = None
        self._request = request
        self._mismatch: SchemaMismatch | None = None
        self._last_text: str | None = None
        self._spent = Usage()

    def __iter__(self) -> Iterator[CompletionRequest]:
        yield self._request
        for _ in range(agent_settings.SCHEMA_RETRIES):
            if self._mismatch is None:
                return
            yield replace(self._request, correction=self._mismatch.correction, skip_cache=True)

    def __enter__(self) -> None:
        self._mismatch = None

    def __exit__(self, kind: object, fault: BaseException | None, trace: TracebackType | None) -> bool:
        if self.completion is not None:
            self._spent += self.completion.usage
        if isinstance(fault, ProviderError):
            self._spent = fault.usage = self._spent + (fault.usage or Usage())
            fault.text = fault.text or self._last_text
        if isinstance(fault, SchemaMismatch):
            self._mismatch = fault
            self._last_text = fault.text
        return isinstance(fault, SchemaMismatch)

    def answer(self) -> Completion:
        """The answer that counts, with all that was spent. Raises the last mismatch if there is none."""
        if self._mismatch is not None:
            raise self._mismatch
        assert self.completion is not None  # noqa: S101  (for the type checker: no mismatch, so an answer)
        return replace(self.completion, usage=self._spent)


def complete_json(request: CompletionRequest) -> Completion:
    """Answer `request` with a JsonAnswer as the completion's `value`. Raises an AgentError."""
    rounds = Rounds(request)
    for question in rounds:
        with rounds:
            rounds.completion = complete(question, rounds.read)
    return rounds.answer()


async def acomplete_json(request: CompletionRequest) -> Completion:
    """`complete_json()` on an event loop."""
    rounds = Rounds(request)
    for question in rounds:
        with rounds:
            rounds.completion = await acomplete(question, rounds.read)
    return rounds.answer()
