"""What a translation must keep as it is: placeholders, markup, code and addresses. They are hidden from the model."""

from .character_references import REFERENCE
from .locale_patterns import is_same_pattern, misplaced_time
from .masking import Damaged, Protected
from .placeholder_formats import FORMATS, GUESS, Format
from .protect_patterns import TooSlow, check_patterns
from .protected_spans import Span, is_fluent, spans
from .tag_attributes import Attribute, readable_attributes, with_values

__all__ = [
    "Attribute",
    "Damaged",
    "FORMATS",
    "Format",
    "GUESS",
    "Protected",
    "REFERENCE",
    "Span",
    "TooSlow",
    "check_patterns",
    "is_fluent",
    "is_same_pattern",
    "misplaced_time",
    "readable_attributes",
    "spans",
    "with_values",
]
