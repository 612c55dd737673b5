"""The only writer of ledger rows: one per provider call, inserted before the call and closed when it ends."""

from .columns import TOKEN_FIELDS, economic_facts, opaque_id
from .external_calls import arecord_call, record_call
from .lost_calls import close_lost
from .request_costs import knows_cost
from .row_writer import aentry, entry

__all__ = [
    "TOKEN_FIELDS",
    "aentry",
    "arecord_call",
    "close_lost",
    "economic_facts",
    "entry",
    "knows_cost",
    "opaque_id",
    "record_call",
]
