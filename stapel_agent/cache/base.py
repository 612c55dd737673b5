"""The interface of cache policies, and the policy that stores nothing."""

from __future__ import annotations

from collections.abc import Sequence

from stapel_agent.conf import agent_settings
from stapel_agent.types import NOT_KNOWN, Completion, CompletionRequest, Saving

from .forgetting import Selection


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


class NoCachePolicy(CachePolicy):
    """Never reuses an answer, whatever CACHE_LOOKUP says."""

    def should_cache(self, source: str) -> bool:
        return False

    def lookup(self, request: CompletionRequest) -> Completion | None:
        return None

    def forget(self, selection: Selection) -> int:
        return 0


def earlier_completion(request: CompletionRequest, text: str | None, saving: Saving = NOT_KNOWN) -> Completion | None:
    """Return the completion for a stored text, or None if no text is stored."""
    if text is None:
        return None
    return Completion(text=text, provider=request.provider, model=request.model, cached=True, saving=saving)
