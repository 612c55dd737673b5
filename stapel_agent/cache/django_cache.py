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
    other generations are ignored. So are all answers if the cache drops the key of the generation.
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
            earlier_completion(request, _text_in(entry, generation))
            for request, entry in zip(requests, kept, strict=True)
        ]

    def store_many(self, answered: Sequence[tuple[CompletionRequest, Completion]]) -> None:
        generation = caches[self.alias].get_or_set(self.generation_key, _new_generation, timeout=None)
        entries = {self._key(request): [generation, completion.text] for request, completion in answered}
        caches[self.alias].set_many(entries, timeout=agent_settings.CACHE_TTL)

    def forget(self, selection: Selection) -> None:
        caches[self.alias].set(self.generation_key, _new_generation(), timeout=None)

    @staticmethod
    def _key(request: CompletionRequest) -> str:
        return f"stapel_agent:{request.cache_key}"


def _new_generation() -> str:
    return uuid4().hex


def _text_in(entry: Any, generation: str | None) -> str | None:
    return entry[1] if generation and isinstance(entry, list) and entry[0] == generation else None
