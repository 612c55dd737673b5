"""One dialect of `/chat/completions`, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

Fields = Mapping[str, Any]
NONE: Mapping[str, Any] = MappingProxyType({})

OUTCOMES = ("stop", "length", "content_filter", "interrupted")
"""What a vendor's word for the end of an answer may mean."""


@dataclass(frozen=True)
class UsageFields:
    """Where an answer states what it used: dotted paths below `usage`. Of several, the first that is not zero counts.

    `prompt` is a total, of which the cached figures are parts. `thinking` is a part of `completion`, or stands beside
    it: then `total` is more than `prompt` and `completion`. `upstream_cost_usd` is added to `cost_usd` where `own_key`
    says that the host's own key was used at a vendor behind the endpoint.
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
    """How models whose name matches the regular expression `models` are told an effort.

    `words` maps an effort of ours to the fields that are merged into the request. A model without words is told none.
    """

    models: str
    words: Mapping[str, Fields] = field(default_factory=lambda: NONE)


@dataclass(frozen=True)
class Dialect:
    """How one vendor or server speaks.

    `hosts` are the hosts of its base URLs; one that begins with `*.` stands for every subdomain.
    `cap_field` is the request field that carries the token cap.
    `key_header` is a header that holds the key as well, beside `Authorization`.
    `efforts` are tried in turn; the first rule that matches the model's name holds.
    `finish_reasons` maps words of the vendor's own to "stop", "length", "content_filter" or "interrupted"; those
    that mean the same everywhere are known.
    `error_codes` maps a code or type in an error body to the name of a failure, such as "out_of_credit".
    `vendor` is the id of the price list, where it is not told by the base URL.
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
