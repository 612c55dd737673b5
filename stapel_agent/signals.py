"""Signals that a host may listen to. A receiver's exception is logged, and harms no call."""

from __future__ import annotations

from django.dispatch import Signal

budget_warning = Signal()
"""Four fifths of a budget are spent: once for each budget and period, with its `standing`. Sent by BudgetAccount."""
