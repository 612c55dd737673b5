"""The default cache: the ledger, and a table of translated texts."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import partial

from stapel_agent import log_content
from stapel_agent.database import on_ledger
from stapel_agent.language_tags import bcp47, is_language_tag
from stapel_agent.ledger import opaque_id
from stapel_agent.models import Translation
from stapel_agent.parsing import storable
from stapel_agent.types import Completion, CompletionRequest, Saving

from .base import CachePolicy, earlier_completion
from .forgetting import Selection, forget_selected, oldest
from .kept_answers import known_translations, latest_answer, remember_translations


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
        look = partial(latest_answer, request.cache_key, oldest())
        kept = on_ledger(look, timeout=request.deadline.left)
        if kept is None:
            return None
        return earlier_completion(request, kept.text, Saving(kept.tokens, kept.cost_usd or Decimal(0)))

    def lookup_many(self, requests: Sequence[CompletionRequest]) -> list[Completion | None]:
        parts = [request.cache_key for request in requests if _is_part(request)]
        timeout = requests[0].deadline.left if requests else None
        known = on_ledger(partial(known_translations, parts, oldest()), timeout=timeout) if parts else {}
        return [
            self.lookup(request) if request.in_ledger else earlier_completion(request, known.get(request.cache_key))
            for request in requests
        ]

    def store_many(self, answered: Sequence[tuple[CompletionRequest, Completion]]) -> None:
        translations = [_translation(*pair) for pair in answered if _is_part(pair[0])]
        if translations:
            on_ledger(partial(remember_translations, translations), timeout=answered[0][0].deadline.left_to_store)

    def forget(self, selection: Selection) -> int:
        return forget_selected(selection)


def _is_part(request: CompletionRequest) -> bool:
    """Whether the answer is stored separately, in the table of translations."""
    return not request.in_ledger and log_content.is_full(request.source)


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
