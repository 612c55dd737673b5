"""The plural categories of languages, by Unicode's CLDR as Babel has it."""

from .cldr import CATEGORIES, Form, category, forms

__all__ = ["CATEGORIES", "Form", "category", "forms"]
