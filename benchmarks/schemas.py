"""A caller's schema: hostile ones end in limited time, and an ordinary one costs little more than jsonschema itself.

Reference: the library's own validator on the same answer.
"""

import time

from jsonschema import Draft202012Validator

from benchmarks.host import milliseconds, show, verdict
from stapel_agent.exceptions import InvalidRequest
from stapel_agent.schemas import CallerSchema, TooMuchWork

ORDINARY = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"name": {"type": "string", "pattern": "^[a-z ]+$"}, "n": {"enum": list(range(100))}},
        "required": ["name", "n"],
        "additionalProperties": False,
    },
}
LIMIT_SECONDS = 20
"""Of wall clock on a busy machine: the limits are 5 s for a schema, and 5 s for an answer."""


def nested(depth: int) -> dict:
    schema: dict = {}
    for _ in range(depth):
        schema = {"allOf": [schema], "unevaluatedProperties": True}
    return schema


def doubled(keyword: str, levels: int = 30) -> dict:
    names = {f"d{n}": {keyword: [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(levels)}
    return {"$defs": {**names, f"d{levels}": {"type": "string"}}, "$ref": "#/$defs/d0"}


HOSTILE = {
    "14 nested allOf": (nested(14), {}),
    "$ref doubled 30 times": (doubled("oneOf"), {}),
    "3,000 subschemas, 2,000 items": ({"items": {"allOf": [{"type": "object"}] * 3000}}, [{}] * 2000),
    "15,000 empty subschemas": ({"allOf": [{}] * 15_000}, {}),
    "a pattern that backtracks": ({"items": {"pattern": "(a|a)*$"}}, ["a" * 60 + "b"] * 9),
    "9,000 choices, 100,000 items": ({"items": {"enum": list(range(9000))}}, [8999] * 100_000),
    "100,000 different items": ({"uniqueItems": True}, list(range(100_000))),
}


def outcome(schema: dict, answer: object) -> str:
    try:
        faults = CallerSchema(schema).faults(answer)
    except InvalidRequest:
        return "refused before anything is paid for"
    except TooMuchWork as fault:
        return f"given up: {fault}"
    return f"{len(faults)} faults"


def main() -> None:
    print("\nschemas")
    answer = [{"name": "some name", "n": n % 100} for n in range(1000)]
    library, ours = Draft202012Validator(ORDINARY), CallerSchema(ORDINARY)
    steps = (lambda: list(library.iter_errors(answer))), (lambda: ours.faults(answer))
    reference, bounded = milliseconds(*steps, rounds=5, warm_up=1)
    show("ordinary, 1,000 objects", bounded, note=f"= {bounded / reference:.1f}x jsonschema ({reference:.1f} ms)")
    slowest = 0.0
    for name, (schema, result) in HOSTILE.items():
        began = time.perf_counter()
        ending = outcome(schema, result)
        seconds = time.perf_counter() - began
        slowest = max(slowest, seconds)
        show(name, seconds * 1000, note=ending)
    verdict(f"each hostile schema ends within {LIMIT_SECONDS} s", slowest < LIMIT_SECONDS)


if __name__ == "__main__":
    main()
