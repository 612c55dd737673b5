"""A cache policy on Django's cache framework."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import uuid4

from django.core.cache import caches

from stapel_agent.conf import agent_settings
from stapel_agent.types import Completion, CompletionRequest

from .base import CachePolicy, earlier_completion
from .forgetting import Selection


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
        return [
            earlier_completion(request, _text_of(entry, generation))
            for request, entry in zip(requests, kept, strict=True)
        ]

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
