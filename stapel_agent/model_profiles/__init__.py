"""Profiles: the model behind each size in MODELS, and how to call it."""

from .profile import EFFORTS, Profile
from .sizes import known_profile, profile_of, token_limit
from .validation import option_problem, profile_problems

__all__ = ["EFFORTS", "Profile", "known_profile", "option_problem", "profile_problems", "profile_of", "token_limit"]
