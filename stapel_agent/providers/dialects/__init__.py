"""The differences between vendors of `/chat/completions`: a table, and the code that applies it."""

from .answer_reader import read_answer, stated_usage
from .dialect import OUTCOMES, Dialect, EffortRule
from .effort_fields import effort_fields, merged
from .effort_rules import CLAUDE
from .lookup import dialect_faults, dialect_for, known_dialects
from .usage_fields import UsageFields
from .vendors import DIALECTS, OPENAI

__all__ = [
    "CLAUDE",
    "DIALECTS",
    "OPENAI",
    "OUTCOMES",
    "Dialect",
    "EffortRule",
    "UsageFields",
    "dialect_faults",
    "dialect_for",
    "effort_fields",
    "known_dialects",
    "merged",
    "read_answer",
    "stated_usage",
]
