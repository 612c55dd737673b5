"""The `schema` argument: a JSON Schema, or a Python type with a JSON Schema whose instances are returned."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from stapel_agent.exceptions import InvalidAnswer

from .json_to_type import read_as
from .plain_values import readable
from .type_to_schema import is_object, schema_of


@dataclasses.dataclass(frozen=True)
class AnswerSchema:
    """A JSON Schema, or None. `read` turns a JSON value into an instance, or raises. Without it, JSON stays JSON.

    `type_name` identifies the type in every process: types with the same JSON Schema may accept different values.
    """

    json_schema: Mapping[str, Any] | None
    read: Callable[[Any], Any] | None = None
    type_name: str = ""

    @classmethod
    def of(cls, schema: Any) -> AnswerSchema:
        """Return the schema of a dataclass, a TypedDict, a class with Pydantic's interface or a JSON Schema.

        Raises TypeError for other classes, and for annotations without a JSON Schema.
        """
        if schema is None:
            return cls(None)
        try:
            return cls._read(schema)
        except TypeError:
            raise
        except Exception as fault:
            raise TypeError(f"schema cannot be read ({type(fault).__name__})") from fault

    @classmethod
    def _read(cls, schema: Any) -> AnswerSchema:
        if hasattr(schema, "model_json_schema") and hasattr(schema, "model_validate"):
            return cls(schema.model_json_schema(), schema.model_validate, _name_of(schema))
        if is_object(schema):
            return cls(schema_of(schema), lambda value: read_as(schema, value), _name_of(schema))
        if isinstance(schema, type):
            raise TypeError(
                f"schema must be a JSON Schema, a dataclass, a TypedDict, or a class with model_json_schema() and "
                f"model_validate(), not {schema!r}"
            )
        return cls(readable("schema", schema))

    def applied(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return the answer with an instance as its result. The stored answer stays JSON."""
        if self.read is None or answer["status"] != "ok":
            return answer
        try:
            return {**answer, "result": self.read(answer["result"])}
        except Exception as fault:
            raise InvalidAnswer(f"the earlier answer does not fit the type ({type(fault).__name__})") from fault


def _name_of(schema: Any) -> str:
    named = schema if hasattr(schema, "__qualname__") else type(schema)
    return f"{named.__module__}.{named.__qualname__}"


JUST_JSON = AnswerSchema(None)
