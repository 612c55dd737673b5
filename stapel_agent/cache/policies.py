"""Cache policies: store earlier answers in the ledger, in Django's cache framework, or nowhere."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, TypeVar
from uuid import uuid4

from django.core.cache import caches

from stapel_agent import log_content
from stapel_agent.conf import agent_settings
from stapel_agent.database import on_ledger
from stapel_agent.language_tags import bcp47, is_language_tag
from stapel_agent.ledger import opaque_id
from stapel_agent.models import KeptAnswer, PromptLog, Translation
from stapel_agent.parsing import storable
from stapel_agent.types import NOT_KNOWN, Completion, CompletionRequest, Saving

from .forgetting import Selection, forget_selected, oldest

logger = logging.getLogger(__name__)

STORING_SECONDS = 1.0
"""Minimum time to store a paid answer, even after the request's deadline."""

Result = TypeVar("Result")


class CachePolicy:
    """Stores and finds earlier answers. Subclass it and name your class in CACHE_POLICY.

    One instance serves all threads of a process. `request.cache_key` covers everything that affects the answer,
    including the caller's scope: requests with equal keys may share an answer. An exception raised here
    prevents the reuse, never the call.
    """

    def should_cache(self, source: str) -> bool:
        """Whether answers of this source may be reused. By default, CACHE_LOOKUP decides."""
        return agent_settings.CACHE_LOOKUP.get(source, False) is True

    def lookup(self, request: CompletionRequest) -> Completion | None:
        """Return the stored answer to this request, if there is one at most CACHE_TTL seconds old."""
        raise NotImplementedError(f"{type(self).__name__} must implement lookup()")

    def store(self, request: CompletionRequest, completion: Completion) -> None:
        """Store an answer for reuse. Does nothing by default: the ledger has it, unless it is a part."""

    def lookup_many(self, requests: Sequence[CompletionRequest]) -> list[Completion | None]:
        """`lookup()` for several requests, in order. Override it if one round trip is enough."""
        return [self.lookup(request) for request in requests]

    def store_many(self, answered: Sequence[tuple[CompletionRequest, Completion]]) -> None:
        """`store()` for several answers. Override it if one round trip is enough."""
        for request, completion in answered:
            self.store(request, completion)

    def forget(self, selection: Selection) -> int | None:
        """Forget the selected translations, or all answers if you cannot find single ones. Optional.

        Returns how many were forgotten, or None if that is unknown.
        """
        raise NotImplementedError(f"{type(self).__name__} cannot forget answers: implement its forget() method")


class PromptLogCachePolicy(CachePolicy):
    """Uses the ledger as the cache: nothing is stored twice, and an answer is as auditable as its call.

    Many translations share a row in the ledger, so a separate table stores each text. Neither holds answers of a source
    whose texts are not stored.
    """

    def lookup(self, request: CompletionRequest) -> Completion | None:
        if not log_content.is_full(request.source):
            return None
        if not request.in_ledger:
            return self.lookup_many([request])[0]
        look = partial(_latest_answer, request.cache_key, oldest())
        kept = on_ledger(look, timeout=request.deadline.left)
        if kept is None:
            return None
        return _earlier(request, kept.text, Saving(kept.tokens, kept.cost_usd or Decimal(0)))

    def lookup_many(self, requests: Sequence[CompletionRequest]) -> list[Completion | None]:
        parts = [request.cache_key for request in requests if _is_part(request)]
        timeout = requests[0].deadline.left if requests else None
        known = on_ledger(partial(_known, parts, oldest()), timeout=timeout) if parts else {}
        return [
            self.lookup(request) if request.in_ledger else _earlier(request, known.get(request.cache_key))
            for request in requests
        ]

    def store_many(self, answered: Sequence[tuple[CompletionRequest, Completion]]) -> None:
        translations = [_translation(*pair) for pair in answered if _is_part(pair[0])]
        if translations:
            timeout = answered[0][0].deadline.left
            on_ledger(partial(_remember, translations), timeout=timeout and max(timeout, STORING_SECONDS))

    def forget(self, selection: Selection) -> int:
        return on_ledger(partial(forget_selected, selection))


class DjangoCachePolicy(CachePolicy):
    """Uses Django's cache framework: Redis, Memcached, or any other cache that `CACHES[alias]` configures.

    Its keys are digests, so it can only forget all answers at once: `forget()` begins a new generation, and answers of
    other generations, or without one, are ignored.
    """

    alias: ClassVar[str] = "default"
    """The key in CACHES. Override it in a subclass."""
    generation_key: ClassVar[str] = "stapel_agent:generation"

    def lookup(self, request: CompletionRequest) -> Completion | None:
        return self.lookup_many([request])[0]

    def store(self, request: CompletionRequest, completion: Completion) -> None:
        self.store_many([(request, completion)])

    def lookup_many(self, requests: Sequence[CompletionRequest]) -> list[Completion | None]:
        known = caches[self.alias].get_many([self.generation_key, *map(self._key, requests)])
        generation = known.get(self.generation_key)
        kept = [known.get(self._key(request)) for request in requests]
        return [_earlier(request, _text_of(entry, generation)) for request, entry in zip(requests, kept, strict=True)]

    def store_many(self, answered: Sequence[tuple[CompletionRequest, Completion]]) -> None:
        generation = caches[self.alias].get(self.generation_key)
        entries = {self._key(request): _entry(completion.text, generation) for request, completion in answered}
        caches[self.alias].set_many(entries, timeout=agent_settings.CACHE_TTL)

    def forget(self, selection: Selection) -> None:
        caches[self.alias].set(self.generation_key, uuid4().hex, timeout=None)

    @staticmethod
    def _key(request: CompletionRequest) -> str:
        return f"stapel_agent:{request.cache_key}"


def _entry(text: str, generation: str | None) -> str | list[str]:
    return text if generation is None else [generation, text]


def _text_of(entry: Any, generation: str | None) -> str | None:
    if isinstance(entry, list):
        return entry[1] if entry[0] == generation else None
    return entry if generation is None else None


class NoCachePolicy(CachePolicy):
    """Never reuses an answer, whatever CACHE_LOOKUP says."""

    def should_cache(self, source: str) -> bool:
        return False

    def lookup(self, request: CompletionRequest) -> Completion | None:
        return None

    def forget(self, selection: Selection) -> int:
        return 0


def _is_part(request: CompletionRequest) -> bool:
    """Whether the answer is stored separately, in the table of translations."""
    return not request.in_ledger and log_content.is_full(request.source)


def _known(keys: Sequence[str], since: datetime, alias: str) -> dict[str, str]:
    return Translation.objects.using(alias).known(keys, since=since)


def _remember(translations: Sequence[Translation], alias: str) -> None:
    Translation.objects.using(alias).remember(translations)


def _translation(request: CompletionRequest, completion: Completion) -> Translation:
    return Translation(
        key=request.cache_key,
        text=completion.text,
        provider=completion.provider[:64],
        model=completion.model[:128],
        request_id=request.request_id,
        source_text=storable(request.prompt),
        from_lang=_tag(request, "from"),
        to_lang=_tag(request, "to"),
        user_id=opaque_id(request.user_id),
        workspace_id=opaque_id(request.workspace_id),
    )


def _tag(request: CompletionRequest, name: str) -> str | None:
    """The BCP 47 tag of the language that a translation is `from` or `to`."""
    tag = request.metadata.get(name)
    return bcp47(tag) if is_language_tag(tag) else None


def _latest_answer(cache_key: str, since: datetime, alias: str) -> KeptAnswer | None:
    return PromptLog.objects.using(alias).latest_answer(cache_key, since=since)


def _earlier(request: CompletionRequest, text: str | None, saving: Saving = NOT_KNOWN) -> Completion | None:
    if text is None:
        return None
    return Completion(text=text, provider=request.provider, model=request.model, cached=True, saving=saving)
