"""JSON Schemas: those of the comm functions, and those that callers bring."""

from .caller_schema import CallerSchema
from .payloads import check_keywords, field_mend, function_schema, function_validator
from .work_limit import TooMuchWork

__all__ = [
    "CallerSchema",
    "TooMuchWork",
    "check_keywords",
    "field_mend",
    "function_schema",
    "function_validator",
]
