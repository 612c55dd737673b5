"""JSON Schemas: those of the comm functions, and those that callers bring."""

from .caller_schema import CallerSchema
from .payloads import check_keywords, field_mend, function_schema, function_validator

__all__ = [
    "CallerSchema",
    "check_keywords",
    "field_mend",
    "function_schema",
    "function_validator",
]
