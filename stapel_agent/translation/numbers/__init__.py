"""Numbers, dates, amounts and units: a translation must keep them, written as its language writes them."""

from .number_check import changed

__all__ = [
    "changed",
]
