"""The ledger and the stored translations in the Django admin. `pages` has what they show."""

from django.contrib import admin

from .models import PromptLog, Translation
from .pages import PromptLogAdmin, TranslationAdmin

__all__ = ["PromptLogAdmin", "TranslationAdmin"]

admin.site.register(PromptLog, PromptLogAdmin)
admin.site.register(Translation, TranslationAdmin)
