"""Python types as schemas: their JSON Schemas, and how answers become instances."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NotRequired, Optional, TypedDict

import pytest

from stapel_agent.schemas import AnswerSchema, CallerSchema
from tests.rows import each_row


class Topic(Enum):
    DELIVERY = "delivery"
    PAYMENT = "payment"


@dataclass
class Item:
    name: str
    price: Decimal = Decimal(0)


@dataclass(frozen=True)
class Order:
    id: uuid.UUID
    topic: Topic
    items: list[Item]
    placed: datetime
    due: date | None = None
    urgency: Literal["low", "high"] = "low"
    tags: dict[str, int] = field(default_factory=dict)
    size: Annotated[tuple[int, float], "width and height"] = (0, 0.0)
    note: Optional[str] = field(default=None, metadata={"description": "What else was said."})  # noqa: UP045
    checked: bool = field(default=False, init=False)


class City(TypedDict):
    name: str
    people: NotRequired[int]


@dataclass
class Tree:
    name: str
    branches: list[Tree] = field(default_factory=list)


class PydanticLike:
    """A class with Pydantic's interface."""

    def __init__(self, **values: Any) -> None:
        self.values = values

    @classmethod
    def model_json_schema(cls) -> dict[str, Any]:
        return {"type": "object", "properties": {"even": {"type": "integer"}}, "required": ["even"]}

    @classmethod
    def model_validate(cls, value: Any) -> PydanticLike:
        if value["even"] % 2:
            raise ValueError("even is odd")
        return cls(**value)


ORDER = {
    "id": "5a1c8a5e-6f0b-4f6e-9d53-0c8f5b7f2b1d",
    "topic": "delivery",
    "items": [{"name": "kettle", "price": "12.50"}],
    "placed": "2026-11-23T10:00:00+00:00",
    "due": None,
    "urgency": "high",
    "tags": {"a": 1},
    "size": [3, 4],
}


def test_dataclass__instance():
    """A dataclass is created with everything that its annotations name."""
    schema = AnswerSchema.of(Order)
    assert CallerSchema(schema.json_schema).faults(ORDER) == []
    assert schema.read(ORDER) == Order(
        id=uuid.UUID(ORDER["id"]),
        topic=Topic.DELIVERY,
        items=[Item("kettle", Decimal("12.50"))],
        placed=datetime.fromisoformat(ORDER["placed"]),
        due=None,
        urgency="high",
        tags={"a": 1},
        size=(3, 4.0),
    )


def test_dataclass__schema():
    """Fields with a default are optional, others are required, and no other key is allowed."""
    schema = AnswerSchema.of(Order).json_schema
    assert (schema["required"], schema["additionalProperties"]) == (["id", "topic", "items", "placed"], False)
    assert "checked" not in schema["properties"]
    assert schema["properties"]["topic"] == {"enum": ["delivery", "payment"]}
    assert schema["properties"]["note"]["description"] == "What else was said."
    assert schema["$defs"]["Item"]["required"] == ["name"]
    assert json.loads(json.dumps(schema)) == schema


def test_typed_dict__instance():
    """A TypedDict becomes a dict. Keys marked NotRequired may be missing."""
    schema = AnswerSchema.of(City)
    assert schema.json_schema["required"] == ["name"]
    assert schema.read({"name": "Lyon"}) == {"name": "Lyon"}


def test_recursive_type():
    """A type may contain itself."""
    schema = AnswerSchema.of(Tree)
    value = {"name": "oak", "branches": [{"name": "twig", "branches": []}]}
    assert CallerSchema(schema.json_schema).faults(value) == []
    assert CallerSchema(schema.json_schema).faults({"name": "oak", "branches": [{}]}) != []
    assert schema.read(value) == Tree("oak", [Tree("twig")])


@each_row(
    [
        ({"id": "7"}, "'7' is not a valid UUID"),
        ({"placed": "yesterday"}, "'yesterday' is not a valid datetime"),
        ({"topic": "weather"}, "weather"),
        ({"items": [{"name": "x", "price": "much"}]}, "'much' is not a valid Decimal"),
        ({"items": [{"price": "1"}]}, "an object with name"),
        ({"items": {}}, "is not an array"),
        ({"extra": 1}, "an object with only the keys"),
        ({"due": "soon"}, "not a valid date.* or .*null"),
        ({"urgency": "medium"}, "is not one of"),
        ({"size": [1]}, "is not 2 items"),
        ({"size": [1, True]}, "is not float"),
        ({"size": [1.5, 2]}, "is not int"),
        ({"tags": []}, "is not an object"),
        ({"note": 5}, "is not a text"),
    ]
)
def test_read__misfit(change, words):
    """A value that does not fit the type is a ValueError that says what was expected."""
    with pytest.raises(ValueError, match=words):
        AnswerSchema.of(Order).read({**ORDER, **change})


@dataclass
class Unknowable:
    picture: bytes


@dataclass
class Unresolvable:
    other: NoSuchType  # noqa: F821


@pytest.mark.parametrize("kind", [Unknowable, Unresolvable, int, dict, Topic, object])
def test_type__no_schema(kind):
    """A type without a JSON Schema is a TypeError at once."""
    with pytest.raises(TypeError):
        AnswerSchema.of(kind)


def test_pydantic__own_interface():
    """For a class with Pydantic's interface, its own methods are used."""
    schema = AnswerSchema.of(PydanticLike)
    assert schema.json_schema == PydanticLike.model_json_schema()
    assert schema.read({"even": 2}).values == {"even": 2}
    with pytest.raises(ValueError, match="odd"):
        schema.read({"even": 1})


def test_json_schema__as_it_is():
    """A JSON Schema stays as it is, and so does the JSON."""
    schema = {"type": "object"}
    assert AnswerSchema.of(schema) == AnswerSchema(schema)
