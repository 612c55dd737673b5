"""How the ledger stores a call's texts, by LOG_CONTENT for its source: in full, as a keyed digest, or not at all."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.crypto import salted_hmac

from .conf import agent_settings

FULL, HASH, NONE = CHOICES = ("full", "hash", "none")
DIGEST_PREFIX = "hmac-sha256:"


def kept_of(source: str) -> str:
    """One of CHOICES. Sources left out of the setting are FULL; with an invalid setting nothing is stored."""
    setting = agent_settings.LOG_CONTENT
    choice = setting.get(source, FULL) if isinstance(setting, Mapping) else NONE
    return choice if choice in CHOICES else NONE


def is_full(source: str) -> bool:
    """Whether the ledger stores this source's texts readably."""
    return kept_of(source) == FULL


def stored(source: str, text: str | None) -> str | None:
    """Return `text` as its column stores it."""
    return stored_as(kept_of(source), text)


def stored_as(choice: str, text: str | None) -> str | None:
    """Return `text` as one of CHOICES stores it."""
    if choice == NONE:
        return None
    return _digest(text) if text and choice == HASH else text


def _digest(text: str) -> str:
    # Keyed with SECRET_KEY, because the plain digest of a short text can be guessed.
    return DIGEST_PREFIX + salted_hmac("stapel_agent.content", text, algorithm="sha256").hexdigest()
