"""The schemas of payloads, keywords and answers, and the schemas that callers pass."""

from .answer_schema import JUST_JSON, AnswerSchema
from .answer_types import AnswerFailed, AnswerUsage, BaseAnswer, JsonAnswer, TextAnswer, TranslationAnswer
from .bounded_patterns import with_plain_sets
from .caller_schema import CallerSchema
from .function_schemas import field_problem, function_schema, function_validator
from .keyword_arguments import (
    NOT_GIVEN,
    CompletionOptions,
    TranslateOptions,
    check_keywords,
    given_keywords,
    takes_keywords_of,
)
from .plain_values import Unreadable, readable, readable_argument, shown
from .work_limit import TooMuchWork

__all__ = [
    "JUST_JSON",
    "NOT_GIVEN",
    "AnswerFailed",
    "AnswerSchema",
    "AnswerUsage",
    "BaseAnswer",
    "CallerSchema",
    "CompletionOptions",
    "JsonAnswer",
    "TextAnswer",
    "TooMuchWork",
    "TranslateOptions",
    "TranslationAnswer",
    "Unreadable",
    "check_keywords",
    "field_problem",
    "function_schema",
    "function_validator",
    "given_keywords",
    "readable",
    "readable_argument",
    "shown",
    "takes_keywords_of",
    "with_plain_sets",
]
