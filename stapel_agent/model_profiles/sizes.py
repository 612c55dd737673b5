"""The profile of each size in MODELS."""

from __future__ import annotations

from stapel_agent.conf import agent_settings
from stapel_agent.exceptions import InvalidRequest, WrongSetting

from .profile import Profile
from .validation import profile_problems


def profile_of(size: str) -> Profile:
    """Return the profile of a model size. Raises InvalidRequest if it is unknown, WrongSetting if it is invalid."""
    sizes = agent_settings.MODELS
    if size not in sizes:
        raise InvalidRequest(f"unknown model size {size!r}; MODELS has: {', '.join(sorted(sizes))}")
    if problem := next(profile_problems(size, sizes[size]), None):
        raise WrongSetting(problem)
    return Profile.of(sizes[size])


def known_profile(size: object) -> Profile:
    """Like `profile_of()`, but return an empty profile if it is missing or invalid. For use before validation."""
    try:
        return profile_of(size)  # type: ignore[arg-type]
    except Exception:
        return Profile()


def token_limit(size: object) -> int:
    """Return the maximum number of tokens in an answer of `size`."""
    own = known_profile(size).max_tokens
    limit: int = agent_settings.MAX_TOKENS if own is None else own
    return limit
