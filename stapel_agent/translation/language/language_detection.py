"""Language detection with py3langid, if the extra `stapel-agent[language]` is installed."""

from __future__ import annotations

from functools import lru_cache
from typing import Any


@lru_cache(maxsize=1)
def detector() -> Any:
    """py3langid's detector with probabilities, or None if it is not installed. Loading it takes a second."""
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError:
        return None
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@lru_cache(maxsize=64)
def languages_of(text: str) -> dict[str, float]:
    """Return the probability of each language, by its code. Empty without a detector."""
    known = detector()
    return {} if known is None else {str(language): float(likely) for language, likely in known.rank(text)}
