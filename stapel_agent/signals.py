"""The signals that this package sends. Connect in your `AppConfig.ready()`. A receiver's exception harms no call."""

from django.dispatch import Signal

call_finished = Signal()
"""Sent when a row of the ledger has been closed: `sender` is PromptLog, `call` a `stapel_agent.types.FinishedCall`."""

budget_warning = Signal()
"""Four fifths of a budget are spent: once for each budget and period, with its `standing`. Sent by BudgetAccount."""
