"""What was spent: the figures of `usage()`, added up by the database."""

from .csv_table import write_csv
from .top_spenders import CachedInput, Durations, Rankings, TopSpender, rankings
from .usage_query import COLUMNS, GROUPS, MAX_LIMIT, OPTIONS, InvalidUsageQuery, moment_of
from .usage_report import as_json, ausage, usage

__all__ = [
    "COLUMNS",
    "CachedInput",
    "Durations",
    "GROUPS",
    "InvalidUsageQuery",
    "MAX_LIMIT",
    "OPTIONS",
    "Rankings",
    "TopSpender",
    "as_json",
    "ausage",
    "moment_of",
    "rankings",
    "usage",
    "write_csv",
]
