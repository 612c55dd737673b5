"""The keys that this process may send to a provider."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from stapel_agent.conf import ENVIRONMENT_KEYS, agent_settings, key_texts

KEY_NAME = re.compile(
    r"(?:(?:^|[_-]|api|access|auth)(?:keys?|token)|secret|password|authorization|credentials?)$", re.IGNORECASE
)
"""Names of settings and environment variables whose values are credentials."""
KEY_VARIABLE = re.compile(
    r"(?:^|_)(?:tokens?|keys?|secrets?|pass|passw(?:or)?d|passphrase|credentials?|headers?|cookies?)(?:_|$)|_auth$",
    re.IGNORECASE,
)
"""More names of environment variables, such as AWS_BEARER_TOKEN_BEDROCK."""
NO_KEY_VARIABLE = re.compile(
    r"(?:_tokens|_(?:dir|endpoint|file|host|id|method|mode|name|path|sock|socket|type|uri|url))$", re.IGNORECASE
)
HEADER_VALUE = re.compile(r"[\w-]{1,100}[ \t]{0,9}[:=][ \t]{0,9}([^\r\n,;]+)")
"""One of the headers in a variable such as ANTHROPIC_CUSTOM_HEADERS."""
KEY_LENGTH = 8
"""A shorter value of an environment variable may be a switch, and a shorter text may be no key."""
MOST_REMEMBERED = 100

_remembered: dict[str, None] = {}


def configured_keys() -> set[str]:
    """Return every key: from the settings, from PROVIDERS, from the environment, and those that providers named."""
    named = {name: getattr(agent_settings, name) for name in ENVIRONMENT_KEYS}
    found = (*_keys_in(named), *_keys_in(agent_settings.PROVIDERS), *tuple(_remembered))
    # The key may have spaces around it, as in a file, or follow the scheme of a header.
    parts = {part for key in found for part in (key, key.strip(), *key.split()[1:]) if part.strip()}
    return parts | {key for key in _keys_in_environment() if len(key) >= KEY_LENGTH}


def settings_with_short_keys() -> Iterator[str]:
    """Yield the names of the settings with a key that is shorter than KEY_LENGTH."""
    places = {name: getattr(agent_settings, name) for name in sorted(ENVIRONMENT_KEYS)}
    entries = agent_settings.PROVIDERS
    for name, entry in entries.items() if isinstance(entries, Mapping) else ():
        if isinstance(entry, Mapping):
            places[f"PROVIDERS[{name!r}]['api_key']"] = entry.get("api_key")
    for place, setting in places.items():
        if any(len(key) < KEY_LENGTH for key in key_texts(setting)):
            yield place


def remember_keys(keys: Iterable[str]) -> None:
    """Redact `keys` from now on: a provider of the host may read them from anywhere."""
    for key in keys:
        if len(key) >= KEY_LENGTH and key not in _remembered:
            _remembered[key] = None
            while len(_remembered) > MOST_REMEMBERED:
                _remembered.pop(next(iter(_remembered)), None)


def _keys_in(value: Any, *, is_key: bool = False) -> Iterator[str]:
    """Yield the keys in a setting: a string, a list of strings, or `{"env": NAME}`, under a name like "api_key"."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            if is_key and name == "env":
                yield os.environ.get(str(part), "")
            else:
                yield from _keys_in(part, is_key=is_key or bool(KEY_NAME.search(str(name))))
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            yield from _keys_in(part, is_key=is_key)
    elif is_key and value is not None:
        yield _text(value)


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:  # a host's class
        return ""


def _keys_in_environment() -> Iterator[str]:
    """Yield the credentials in the environment, which the Claude Code CLI and its wrappers inherit."""
    for name in _variables(len(os.environ)):
        value = os.environ.get(name, "").strip()
        headers = HEADER_VALUE.findall(value) if "header" in name.lower() else ()
        for key in (value, *map(str.strip, headers)):
            yield from (key, *key.split()[-1:])  # also without the scheme of a header


@lru_cache(maxsize=1)
def _variables(count: int) -> tuple[str, ...]:
    """The variables whose names say that they hold a credential. Read again if the number of variables changes."""
    return tuple(name for name in os.environ if _is_of_a_key(name))


def _is_of_a_key(name: str) -> bool:
    return bool(KEY_NAME.search(name) or (KEY_VARIABLE.search(name) and not NO_KEY_VARIABLE.search(name)))
