"""Replaces the characters that a database or UTF-8 cannot store."""

from __future__ import annotations

import re
from typing import Any


def storable(value: Any) -> Any:
    """Return a copy of a JSON-like value that any database and UTF-8 can store.

    NUL and lone surrogates become U+FFFD. Tuples become lists, as in JSON. A string with nothing to replace is
    returned unchanged.
    """
    if isinstance(value, str):
        return value if value.isascii() and "\0" not in value else _storable_text(value)
    root = [value]
    containers: list[Any] = [root]
    for container in containers:  # grows during the loop: recursion would limit the depth to the caller's stack
        for key, item in container.items() if isinstance(container, dict) else enumerate(container):
            if isinstance(item, str):
                container[key] = _storable_text(item)
            elif isinstance(item, dict):
                container[key] = {_storable_text(k) if isinstance(k, str) else k: v for k, v in item.items()}
                containers.append(container[key])
            elif isinstance(item, list | tuple):
                container[key] = list(item)
                containers.append(container[key])
    return root[0]


UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


def _storable_text(text: str) -> str:
    try:
        if b"\0" not in text.encode():
            return text
    except UnicodeEncodeError:
        pass
    return UNSTORABLE.sub("\ufffd", text)
