"""One dialect of `/chat/completions`, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from .usage_fields import UsageFields

Fields = Mapping[str, Any]
NONE: Mapping[str, Any] = MappingProxyType({})

OUTCOMES = ("stop", "length", "content_filter", "interrupted")
"""The possible meanings of a vendor's finish reason."""


@dataclass(frozen=True)
class EffortRule:
    """How to express an effort to models whose name matches the regular expression `models`.

    `words` maps each of our efforts to the fields to merge into the request. Without words, no effort is sent.
    `unset` are the fields for a call without an effort, for models whose default does not suit this package.
    """

    models: str
    words: Mapping[str, Fields] = field(default_factory=lambda: NONE)
    unset: Fields = field(default_factory=lambda: NONE)


@dataclass(frozen=True)
class Dialect:
    """The API differences of one vendor or server.

    `hosts` are the hosts of its base URLs. A host that starts with `*.` matches every subdomain.
    `max_tokens_param` is the request field for the token cap.
    `key_header` is another header that carries the key, in addition to `Authorization`.
    `efforts` are tried in order. The first rule that matches the model's name applies.
    `finish_reasons` maps the vendor's own words to "stop", "length", "content_filter" or "interrupted". Common words
    are built in.
    `error_codes` maps a code or type in an error body to the name of a failure, such as "out_of_credit".
    `vendor` is the id of the price list, if the base URL does not determine it.
    """

    name: str
    hosts: tuple[str, ...] = ()
    max_tokens_param: str = "max_tokens"
    key_header: str = ""
    efforts: tuple[EffortRule, ...] = ()
    usage: UsageFields = UsageFields()
    finish_reasons: Mapping[str, str] = field(default_factory=lambda: NONE)
    error_codes: Mapping[str, str] = field(default_factory=lambda: NONE)
    vendor: str | None = None
