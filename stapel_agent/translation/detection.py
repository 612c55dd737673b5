"""The language of a text, told by py3langid where the extra `stapel-agent[language]` is installed."""

from __future__ import annotations

from functools import lru_cache
from typing import Any


@lru_cache(maxsize=1)
def detector() -> Any:
    """py3langid's detector with probabilities, which takes a second to load; None where it is not installed."""
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError:
        return None
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@lru_cache(maxsize=64)
def languages_of(text: str) -> dict[str, float]:
    """The probability of each language, by its code; nothing without a detector."""
    known = detector()
    return {} if known is None else {str(language): float(likely) for language, likely in known.rank(text)}
