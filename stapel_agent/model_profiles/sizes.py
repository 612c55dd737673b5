"""The profile of each size in MODELS."""

from __future__ import annotations

from stapel_agent.conf import agent_settings
from stapel_agent.exceptions import InvalidRequest, WrongSetting

from .profile import Profile
from .validation import profile_problems

# Size -> its entry in MODELS and the profile made of it, so that an entry is not validated for each request.
_profiles: dict[object, tuple[object, Profile]] = {}


def profile_of(size: str) -> Profile:
    """Return the profile of a model size. Raises InvalidRequest if it is unknown, WrongSetting if it is invalid."""
    sizes = agent_settings.MODELS
    if size not in sizes:
        raise InvalidRequest(f"unknown model size {size!r}: use one of {', '.join(map(str, sizes))}")
    entry = sizes[size]
    known = _profiles.get(size)
    if known is None or known[0] is not entry:
        if problem := next(profile_problems(size, entry), None):
            raise WrongSetting(problem)
        known = _profiles[size] = entry, Profile.of(entry)
    return known[1]


def known_profile(size: object) -> Profile:
    """Like `profile_of()`, but return an empty profile if it is missing or invalid. For use before validation."""
    try:
        return profile_of(size)  # type: ignore[arg-type]
    except Exception:
        return Profile()


def token_limit(profile: Profile) -> int:
    """Return the maximum number of tokens in an answer."""
    limit: int = agent_settings.MAX_TOKENS if profile.max_tokens is None else profile.max_tokens
    return limit
