"""Finds the subject of an error: the parameter and the message that it states, without quotes and links."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from .error_response import CODE_FIELDS, HTML, MESSAGE_FIELDS

PARAMETER_FIELDS = ("param", "loc", "field")
DESCRIBING = frozenset(
    (*MESSAGE_FIELDS, *CODE_FIELDS, *PARAMETER_FIELDS)
    + ("details", "errors", "fieldViolations", "description", "title", "metadata", "raw")
)
WHOLE_REQUEST = frozenset(("", "body", "none", "null", "query"))
MOST_LEVELS = 12

URL = re.compile(r"https?://\S*+|(?<![\w.-])[\w-]++(?:\.[\w-]++)++/\S*+", re.IGNORECASE)
QUOTED = re.compile(r'(?:"(\w{1,40}+)"\s{0,9}+:\s{0,9}+)?+"((?:[^"\\]|\\.?)*+)"?', re.DOTALL)
LONGEST_NAME = 40
TOKEN = re.compile(r"[\w./:@-]++")
MODEL_NAME = re.compile(r"\w-\w|\d[^/:@]{0,40}+[/:@]\w")


class Subject(NamedTuple):
    """The `parameter` that an error names in a field of its own, or "", and the words of its `message` and codes."""

    parameter: str
    message: str


def subject_of(body: str) -> Subject:
    """Return the subject of an error body, or of a plain message. An HTML page is about no parameter."""
    parameters, messages = [], []
    for name, text in _descriptions("" if HTML.match(body) else body):
        if name not in PARAMETER_FIELDS:
            messages.append(QUOTED.sub(_short_quote, URL.sub(" ", text)))
        elif text.strip().lower() not in WHOLE_REQUEST:
            parameters.append(text)
    return Subject(" ".join(parameters), " ".join(messages))


def without_model_names(text: str, model: str) -> str:
    """Return `text` without `model` and words such as claude-thinking or o3:thinking, which are names of models."""
    text = re.sub(rf"(?<!\w){re.escape(model)}(?!\w)", " ", text) if model else text
    return TOKEN.sub(lambda token: " " if MODEL_NAME.search(token[0]) else token[0], text)


def _descriptions(found: Any, name: str = "", level: int = 0) -> Iterator[tuple[str, str]]:
    """Yield the texts that describe an error, each with the name of its field."""
    found = _decoded(found) if level < MOST_LEVELS else None
    if isinstance(found, str):
        yield name, found
    elif isinstance(found, list):
        for item in found:
            yield from _descriptions(item, name, level + 1)
    elif isinstance(found, dict):
        for key in (key for key in found if key in DESCRIBING):
            yield from _descriptions(found[key], key, level + 1)


def _decoded(found: Any) -> Any:
    """Return what a text states as JSON, as gateways do with the error of the vendor behind them."""
    try:
        return json.loads(found) if isinstance(found, str) and found.lstrip()[:1] in ("{", "[") else found
    except (ValueError, RecursionError):
        return found


def _short_quote(quote: re.Match[str]) -> str:
    """Return a quote that may be a name or a message. A longer one is a part of a prompt or an answer."""
    return quote[0] if len(quote[2]) <= LONGEST_NAME or quote[1] in MESSAGE_FIELDS else " "
