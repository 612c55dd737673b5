"""Earlier answers, and who may reuse them."""

from .hit_counts import flush as flush_hits
from .hit_counts import hand_over as hand_over_hits
from .policies import (
    CachePolicy,
    DjangoCachePolicy,
    NoCachePolicy,
    PromptLogCachePolicy,
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
    stale,
    sweep,
)

__all__ = [
    "CachePolicy",
    "DjangoCachePolicy",
    "NoCachePolicy",
    "PromptLogCachePolicy",
    "afind",
    "ais_reusable",
    "akeep",
    "arecall",
    "find",
    "flush_hits",
    "forget",
    "hand_over_hits",
    "is_reusable",
    "keep",
    "policy_class",
    "recall",
    "reread",
    "stale",
    "sweep",
]
