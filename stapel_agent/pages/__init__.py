"""What staff look at: the ledger in the admin, and the usage page."""

from .cells import cost as cost_cell
from .cells import model as model_cell
from .cells import outcome as outcome_cell
from .cells import purpose as purpose_cell
from .cells import source as source_cell
from .cells import tokens as tokens_cell
from .display import NOTHING, json_block, local, moment_text, text_block, visible
from .filters import FILTERS, PARAMETERS
from .kept_translations import TranslationAdmin
from .listing import LARGE_COLUMNS, LedgerList
from .usage_csv import csv_file
from .usage_page import usage_view

__all__ = [
    "FILTERS",
    "LARGE_COLUMNS",
    "LedgerList",
    "NOTHING",
    "PARAMETERS",
    "TranslationAdmin",
    "cost_cell",
    "json_block",
    "local",
    "model_cell",
    "moment_text",
    "outcome_cell",
    "purpose_cell",
    "source_cell",
    "text_block",
    "tokens_cell",
    "csv_file",
    "usage_view",
    "visible",
]
