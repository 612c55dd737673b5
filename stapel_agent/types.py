"""The values that the layers exchange: frozen, typed and independent of Django."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from .deadline import Deadline
from .token_usage import FIGURES, Usage

__all__ = [
    "FIGURES",
    "NOT_KNOWN",
    "TEXT_FORMATS",
    "Completion",
    "CompletionRequest",
    "FinishedCall",
    "Image",
    "InlineImage",
    "LinkedImage",
    "Prefix",
    "Saving",
    "Standing",
    "Usage",
]


@dataclass(frozen=True)
class InlineImage:
    """An image that is sent with the request: its bytes in base64, their number, and their SHA-256 in hex digits.

    `media_type` is image/png, image/jpeg, image/gif or image/webp. `url` is the URL the image was fetched from, if the
    caller passed a URL.
    """

    data_b64: str = field(repr=False)
    media_type: str
    size: int
    digest: str
    url: str | None = field(default=None, repr=False)

    @property
    def identity(self) -> list[str]:
        return ["sha256", self.digest]

    @property
    def description(self) -> dict[str, Any]:
        origin = {} if self.url is None else _described_url(self.url)
        return {"type": self.media_type, "size": self.size, "sha256": self.digest, **origin}


@dataclass(frozen=True)
class LinkedImage:
    """An image that the provider's endpoint fetches itself, from an https `url` that may contain a signature."""

    url: str = field(repr=False)

    @property
    def identity(self) -> list[str]:
        return ["url", self.url]

    @property
    def description(self) -> dict[str, Any]:
        return _described_url(self.url)


Image = InlineImage | LinkedImage
"""An element of the `images` tuple that `complete()` gets if the provider declares `supports_images`."""


TEXT_FORMATS = (
    *("icu", "java", "i18next", "python", "python-brace", "printf", "qt", "kde", "fluent", "android", "apple", "rails"),
    *("php", "vue-i18n", "angular", "drupal", "shell", "ejs", "chrome", "none"),
)
"""The formats of a text to translate; `translation.FORMATS` describes each one."""


@dataclass(frozen=True)
class Prefix:
    """The first `length` characters of a system prompt, which other calls send as well.

    `is_reused` says whether those calls come within minutes; None if unknown.
    """

    length: int
    is_reused: bool | None = None


@dataclass(frozen=True)
class CompletionRequest:
    """One question to a model, with everything that determines a correct answer.

    `provider` is a registered name; `model` is that provider's model for `model_size`, empty until it is resolved.
    `cache_scope` separates callers who must not share answers; `""` is shared. `correction` tells the model what was
    wrong with its previous answer. It is sent, but does not change the question or the cache key.
    `context` is the caller's note about the purpose of the call. `caller` identifies the caller, if an edge knows it;
    `idempotency_key` belongs to that caller.
    `parts` are the questions that this one combines. Their answers are cached and looked up one by one instead of the
    whole, whose value maps each part's number to its answer, if there is one. A part is not `in_ledger`: no row holds
    its answer alone.
    `effort` is one of `model_profiles.EFFORTS`; `options` are fields of the vendor's request.
    `stable_length` is the number of system prompt characters that other requests share; None means all of them.
    `cache_faults` names the cache steps that failed during this request.
    """

    prompt: str
    model_size: str
    provider: str
    source: str
    max_tokens: int
    model: str = ""
    system_prompt: str | None = None
    schema: Mapping[str, Any] | None = None
    images: tuple[Image, ...] = field(default=(), repr=False)
    user_id: str | None = None
    workspace_id: str | None = None
    context: Mapping[str, str | int] | None = None
    caller: str | None = None
    idempotency_key: str | None = field(default=None, repr=False)
    cache_scope: str = ""
    skip_cache: bool = False
    correction: str = ""
    parts: tuple[CompletionRequest, ...] = field(default=(), repr=False)
    in_ledger: bool = True
    metadata: Mapping[str, Any] = field(default_factory=dict)
    request_id: uuid.UUID = field(default_factory=uuid.uuid4)
    deadline: Deadline = field(default_factory=Deadline)
    stable_length: int | None = None
    effort: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    cache_faults: set[str] = field(default_factory=set, repr=False, compare=False)

    @property
    def parts_as_asked(self) -> tuple[CompletionRequest, ...]:
        """The parts, addressed to this request's provider and model."""
        return tuple(map(self._as_asked, self.parts))

    def _as_asked(self, part: CompletionRequest) -> CompletionRequest:
        provider, model, effort, options = self.provider, self.model, self.effort, self.options
        return replace(part, provider=provider, model=model, effort=effort, options=options)

    def replaced(self, **changes: Any) -> CompletionRequest:
        """A copy with some fields changed. `dataclasses.replace()` takes ten times as long for so many fields."""
        values = {**vars(self), **changes}
        values.pop("cache_key", None)
        copy = object.__new__(type(self))
        vars(copy).update(values)
        return copy

    @property
    def message(self) -> str:
        """The text of the user message."""
        return self.prompt + self.correction

    @cached_property
    def cache_key(self) -> str:
        """The SHA-256 (64 hex digits) of every field that affects a correct answer."""
        identity: list[Any] = [
            self.source,
            self.provider,
            self.model_size,
            self.model,
            self.system_prompt,
            self.prompt,
            self.schema,
            self.max_tokens,
            self.cache_scope,
        ]
        if self.images:
            identity.append({"images": [image.identity for image in self.images]})
        if self.effort:
            identity.append({"effort": self.effort})
        if self.options:
            identity.append({"options": self.options})
        canonical = json.dumps(identity, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return sha256(canonical.encode("ascii")).hexdigest()


@dataclass(frozen=True)
class Saving:
    """The known tokens and cost of a reused answer when it was first made."""

    tokens: int = 0
    cost_usd: Decimal = Decimal(0)


NOT_KNOWN = Saving()


@dataclass(frozen=True)
class Completion:
    """A usable answer: the model's `text`, its provider and model, and the usage.

    `value` is the result that the verb read from the text. A cached answer has no usage of its own; `saving` is its
    original cost.
    """

    text: str
    provider: str
    model: str
    usage: Usage = Usage()
    value: Any = None
    cached: bool = False
    saving: Saving = NOT_KNOWN


@dataclass(frozen=True, kw_only=True)
class FinishedCall:
    """A finished provider call, as in its ledger row, but without texts: no prompt, answer or error message.

    `failure` is the failure's name, or None after a success. `estimated_cost_usd` is the most that a call whose outcome
    is unknown may have cost beyond `cost_usd`.
    """

    id: uuid.UUID
    request_id: uuid.UUID | None
    source: str
    provider: str
    model: str
    model_size: str
    status: str
    failure: str | None
    usage: Usage
    cost_usd: Decimal | None
    estimated_cost_usd: Decimal | None = None
    duration_ms: int | None
    user_id: str | None
    workspace_id: str | None
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One budget of one spender in the current period. A missing limit is None, and so is the amount left."""

    scope: str
    identity: str
    period: str
    starts_on: date
    resets_at: datetime
    limit_usd: Decimal | None = None
    spent_usd: Decimal = Decimal()
    reserved_usd: Decimal = Decimal()
    limit_tokens: int | None = None
    spent_tokens: int = 0
    reserved_tokens: int = 0

    @property
    def left_usd(self) -> Decimal | None:
        if self.limit_usd is None:
            return None
        return max(Decimal(), self.limit_usd - self.spent_usd - self.reserved_usd)

    @property
    def left_tokens(self) -> int | None:
        if self.limit_tokens is None:
            return None
        return max(0, self.limit_tokens - self.spent_tokens - self.reserved_tokens)

    @property
    def share(self) -> float:
        """The spent or reserved share of the limit that is closest to used up; 1 for a limit of zero."""
        usd = _share(self.spent_usd + self.reserved_usd, self.limit_usd)
        return max(usd, _share(self.spent_tokens + self.reserved_tokens, self.limit_tokens))

    def as_json(self) -> dict[str, Any]:
        """Return a dict for JSON. Dollars are strings, to avoid rounding; fields without a value are omitted."""
        entry = {
            "scope": self.scope,
            "id": self.identity or None,
            "period": self.period,
            "starts_on": self.starts_on.isoformat(),
            "resets_at": self.resets_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "limit_usd": _dollars(self.limit_usd),
            "spent_usd": _dollars(self.spent_usd),
            "reserved_usd": _dollars(self.reserved_usd),
            "left_usd": _dollars(self.left_usd),
            "limit_tokens": self.limit_tokens,
            "spent_tokens": self.spent_tokens,
            "reserved_tokens": self.reserved_tokens,
            "left_tokens": self.left_tokens,
        }
        return {name: value for name, value in entry.items() if value is not None}


def _dollars(usd: Decimal | None) -> str | None:
    return None if usd is None else f"{usd:f}"


def _share(used: Decimal | int, limit: Decimal | int | None) -> float:
    if limit is None:
        return 0.0
    return float(Decimal(used) / limit) if limit else 1.0


def _described_url(url: str) -> dict[str, str]:
    """Describe a URL without userinfo, parameters, query and fragment: they may be secret. A digest identifies it."""
    parts = urlsplit(url)
    plain = f"https://{parts.netloc.rpartition('@')[2]}{parts.path.partition(';')[0]}"
    return {"url": plain, "url_sha256": sha256(url.encode()).hexdigest()}
