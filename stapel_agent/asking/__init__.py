"""Attempts: calls one provider once, and decides which attempt comes next."""

from .api_keys import clear as clear_api_keys
from .api_keys import fingerprint
from .attempt import Attempt
from .attempt_sequence import Attempts
from .circuit_breaker import clear as clear_cooldowns
from .fallback_chain import candidate_of, missing_model
from .reader import Reader, as_text, name_of, off_loop
from .retries import immediate as immediate_retries
from .unstated_usage import BOTH_HALVES, INPUT, OUTPUT

__all__ = [
    "Attempt",
    "Attempts",
    "BOTH_HALVES",
    "INPUT",
    "OUTPUT",
    "Reader",
    "as_text",
    "candidate_of",
    "clear_api_keys",
    "clear_cooldowns",
    "fingerprint",
    "immediate_retries",
    "missing_model",
    "name_of",
    "off_loop",
]
