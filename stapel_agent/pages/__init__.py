"""What staff look at: the ledger in the admin, and the usage page."""

from .changelist import LARGE_COLUMNS, LedgerList
from .list_cells import cost as cost_cell
from .list_cells import model as model_cell
from .list_cells import outcome as outcome_cell
from .list_cells import purpose as purpose_cell
from .list_cells import source as source_cell
from .list_cells import tokens as tokens_cell
from .list_filters import FILTERS, PARAMETERS
from .text_display import NOTHING, json_block, local, moment_text, text_block, visible
from .translation_admin import TranslationAdmin
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
