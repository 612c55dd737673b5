"""The signals that this package sends. Connect in your `AppConfig.ready()`."""

from django.dispatch import Signal

call_finished = Signal()
"""Sent when a row of the ledger has been closed: `sender` is PromptLog, `call` a `stapel_agent.types.FinishedCall`."""
