"""The pages for staff: the ledger and the stored translations in the admin, and the usage page."""

from .ledger_admin import PromptLogAdmin
from .translation_admin import TranslationAdmin

__all__ = ["PromptLogAdmin", "TranslationAdmin"]
