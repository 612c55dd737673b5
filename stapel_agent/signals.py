"""The signals of this package. Connect receivers in your `AppConfig.ready()`. Their exceptions never affect a call."""

from asyncio import CancelledError

from django.dispatch import Signal

call_finished = Signal()
"""Sent when a row of the ledger has been closed: `sender` is PromptLog, `call` a `stapel_agent.types.FinishedCall`."""

budget_warning = Signal()
"""Sent once per budget and period when four fifths are spent, by BudgetAccount, with the budget's `standing`."""

RECEIVER_FAULTS = (Exception, SystemExit, GeneratorExit, CancelledError)
"""What a receiver may raise in the caller's thread. Others, such as KeyboardInterrupt, are meant for the caller."""
