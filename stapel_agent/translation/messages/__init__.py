"""Messages in ICU MessageFormat and Fluent, which have plural forms inside: their structure and their forms."""

from .forms_in_use import FormsInUse, Unlike
from .icu_plurals import Nodes, NumberedForm, numbered

__all__ = [
    "FormsInUse",
    "Nodes",
    "NumberedForm",
    "Unlike",
    "numbered",
]
