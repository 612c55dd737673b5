"""What differs between the vendors of `/chat/completions`: a table, and what reads it."""

from .answer import read_answer
from .dialect import Dialect, EffortRule, UsageFields
from .lookup import dialect_for
from .table import DIALECTS, OPENAI

__all__ = ["DIALECTS", "OPENAI", "Dialect", "EffortRule", "UsageFields", "dialect_for", "read_answer"]
