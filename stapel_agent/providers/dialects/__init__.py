"""The differences between vendors of `/chat/completions`: a table, and the code that applies it."""

from .answer_reader import read_answer, stated_usage
from .dialect import OUTCOMES, Dialect
from .effort_fields import effort_fields, merged, optional_effort
from .effort_rules import CLAUDE
from .lookup import MAX_TOKENS_PARAMS, ONE_OF_PARAMS, dialect_for, dialect_problems, known_dialects
from .vendors import DIALECTS, OPENAI

__all__ = [
    "MAX_TOKENS_PARAMS",
    "ONE_OF_PARAMS",
    "CLAUDE",
    "DIALECTS",
    "OPENAI",
    "OUTCOMES",
    "Dialect",
    "dialect_problems",
    "dialect_for",
    "effort_fields",
    "known_dialects",
    "merged",
    "optional_effort",
    "read_answer",
    "stated_usage",
]
