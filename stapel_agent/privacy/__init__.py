"""Erasure, retention, and removing texts from the ledger."""

from .erasure import erase, register
from .retention import BATCH, LONGEST_DAYS, PAUSE_SECONDS, Purge, overdue
from .retention import moment as purge_moment

__all__ = [
    "BATCH",
    "LONGEST_DAYS",
    "PAUSE_SECONDS",
    "Purge",
    "erase",
    "overdue",
    "purge_moment",
    "register",
]
