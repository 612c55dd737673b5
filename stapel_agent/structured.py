"""Complete as JSON: read the answer, hold it against the caller's schema, ask again with the faults named."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from types import TracebackType
from typing import Any

from jsonschema import Draft202012Validator, SchemaError, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from .completion import acomplete, complete
from .conf import agent_settings
from .exceptions import InvalidAnswer, InvalidRequest, ProviderError, RequestRejected, SchemaMismatch
from .parsing import parse_json_response
from .types import Completion, CompletionRequest, Usage

SYSTEM_PROMPT = (
    "You answer with JSON only: one object or one array. "
    "Write no text before or after it, no explanation and no code fence."
)
NAMED_FAULTS = 5
FAULT_LENGTH = 300


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
        self._validator = _validator(_canonical({} if schema is None else schema))

    def __call__(self, text: str) -> JsonAnswer:
        result, comment = parse_json_response(text)
        if result is None:
            raise InvalidAnswer("the answer holds no JSON object or array", text=text)
        if faults := self._faults(result):
            lines = "\n".join(f"- {fault}" for fault in faults)
            raise SchemaMismatch(
                f"the answer does not satisfy the schema: {faults[0]}",
                correction=f"\n\nAn earlier answer did not satisfy the JSON schema:\n{lines}\nAnswer again, mended.",
                text=text,
            )
        return JsonAnswer(result, comment)

    def _faults(self, result: Any) -> list[str]:
        try:
            return [_told(fault) for fault in islice(self._validator.iter_errors(result), NAMED_FAULTS)]
        except RecursionError as fault:
            raise RequestRejected("the schema refers to itself without end") from fault


class Rounds:
    """The question, then the same question with the faults named, at most SCHEMA_RETRIES more times.

    Iterate for the requests and answer each inside `with rounds:`, which swallows a mismatch.
    """

    def __init__(self, request: CompletionRequest) -> None:
        self.read = JsonReader(request.schema)
        self.completion: Completion | None = None
        self._request = request
        self._mismatch: SchemaMismatch | None = None
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
        if isinstance(fault, SchemaMismatch):
            self._mismatch = fault
        return fault is self._mismatch is not None

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


def _told(fault: ValidationError | SchemaError) -> str:
    return f"{fault.json_path}: {fault.message}"[:FAULT_LENGTH]


def _canonical(schema: Mapping[str, Any]) -> str:
    if not isinstance(schema, Mapping):
        raise InvalidRequest(f"schema must be a JSON object ({type(schema).__name__})")
    try:
        return json.dumps(schema, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as fault:
        raise InvalidRequest(f"schema must be a JSON object ({type(fault).__name__})") from fault


@lru_cache(maxsize=64)
def _validator(canonical_schema: str) -> Validator:
    """A validator that fetches nothing, kept because checking a schema costs milliseconds."""
    schema = json.loads(canonical_schema)
    try:
        validator_class = validator_for(schema, default=Draft202012Validator)
        validator_class.check_schema(schema)
        registry: Registry[Any] = Registry().with_resource("", DRAFT202012.create_resource(schema))
        for reference in _references(schema):
            registry.resolver().lookup(reference)
        return validator_class(schema, registry=registry)
    except SchemaError as fault:
        raise InvalidRequest(f"schema is not a JSON Schema: {_told(fault)}") from fault
    except Unresolvable as fault:
        raise InvalidRequest(f"schema refers to what it does not hold: {fault.ref!r}") from fault
    except (TypeError, ValueError, RecursionError) as fault:
        raise InvalidRequest(f"schema is not a JSON Schema ({type(fault).__name__})") from fault


def _references(schema: Any) -> Iterator[str]:
    pending = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
