"""One dialect of `/chat/completions`, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

Fields = Mapping[str, Any]
NONE: Mapping[str, Any] = MappingProxyType({})

OUTCOMES = ("stop", "length", "content_filter", "interrupted")
"""The possible meanings of a vendor's finish reason."""


@dataclass(frozen=True)
class UsageFields:
    """Dotted paths below `usage` to the figures of an answer. The first path with a value other than zero counts.

    `prompt` is a total that includes the cached tokens. `thinking` is part of `completion`, or separate: then `total`
    is more than `prompt` plus `completion`. `upstream_cost_usd` is added to `cost_usd` if `own_key` says that the
    endpoint used your own key at a vendor behind it.
    """

    prompt: tuple[str, ...] = ("prompt_tokens",)
    completion: tuple[str, ...] = ("completion_tokens",)
    thinking: tuple[str, ...] = ("completion_tokens_details.reasoning_tokens",)
    cache_read: tuple[str, ...] = (
        "prompt_tokens_details.cached_tokens",
        "prompt_cache_hit_tokens",
        "cached_tokens",
    )
    cache_write: tuple[str, ...] = ("prompt_tokens_details.cache_write_tokens", "cache_creation_input_tokens")
    total: tuple[str, ...] = ("total_tokens",)
    cost_usd: tuple[str, ...] = ("cost",)
    upstream_cost_usd: tuple[str, ...] = ("cost_details.upstream_inference_cost",)
    own_key: tuple[str, ...] = ("is_byok",)


@dataclass(frozen=True)
class EffortRule:
    """How to express an effort to models whose name matches the regular expression `models`.

    `words` maps each of our efforts to the fields to merge into the request. Without words, no effort is sent.
    """

    models: str
    words: Mapping[str, Fields] = field(default_factory=lambda: NONE)


@dataclass(frozen=True)
class Dialect:
    """The API differences of one vendor or server.

    `hosts` are the hosts of its base URLs. A host that starts with `*.` matches every subdomain.
    `cap_field` is the request field for the token cap.
    `key_header` is another header that carries the key, in addition to `Authorization`.
    `efforts` are tried in order. The first rule that matches the model's name applies.
    `finish_reasons` maps the vendor's own words to "stop", "length", "content_filter" or "interrupted". Common words
    are built in.
    `error_codes` maps a code or type in an error body to the name of a failure, such as "out_of_credit".
    `vendor` is the id of the price list, if the base URL does not determine it.
    """

    name: str
    hosts: tuple[str, ...] = ()
    cap_field: str = "max_tokens"
    key_header: str = ""
    efforts: tuple[EffortRule, ...] = ()
    usage: UsageFields = UsageFields()
    finish_reasons: Mapping[str, str] = field(default_factory=lambda: NONE)
    error_codes: Mapping[str, str] = field(default_factory=lambda: NONE)
    vendor: str | None = None
