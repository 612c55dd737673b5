"""Stores earlier answers and decides which callers may reuse them."""

from .base import CachePolicy, NoCachePolicy
from .django_cache import DjangoCachePolicy
from .forgetting import Selection, forget_owned, forget_requests, stale, sweep
from .forgetting import hand_over as hand_over_translations
from .hit_counts import flush as flush_hits
from .hit_counts import hand_over as hand_over_hits
from .ledger_cache import PromptLogCachePolicy
from .reuse import (
    afind,
    ais_reusable,
    akeep,
    arecall,
    find,
    forget,
    is_reusable,
    keep,
    policy_class,
    recall,
    reread,
)
from .scope import scope_of

__all__ = [
    "CachePolicy",
    "DjangoCachePolicy",
    "NoCachePolicy",
    "PromptLogCachePolicy",
    "Selection",
    "afind",
    "ais_reusable",
    "akeep",
    "arecall",
    "find",
    "flush_hits",
    "forget",
    "forget_owned",
    "forget_requests",
    "hand_over_hits",
    "hand_over_translations",
    "is_reusable",
    "keep",
    "policy_class",
    "recall",
    "reread",
    "scope_of",
    "stale",
    "sweep",
]
