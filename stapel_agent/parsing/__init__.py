"""Extract JSON from a model's answer, without side effects and in linear time for any answer."""

from .answer import (
    SEARCHED_LENGTH,
    Flaw,
    find_json,
    has_json,
    parse_json_response,
    parse_texts,
    parse_translation_response,
)
from .bounded_join import joined_within
from .decoding import MAX_DEPTH
from .plain_json import json_map
from .storable_text import storable

__all__ = [
    "MAX_DEPTH",
    "SEARCHED_LENGTH",
    "Flaw",
    "find_json",
    "has_json",
    "joined_within",
    "json_map",
    "parse_json_response",
    "parse_texts",
    "parse_translation_response",
    "storable",
]
