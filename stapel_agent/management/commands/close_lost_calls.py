"""`manage.py close_lost_calls`: close the ledger rows of calls whose process ended before the provider answered.

It also removes what those processes left behind, releases their budget reservations, and removes expired
idempotency keys and translations.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from stapel_agent import cache, ledger
from stapel_agent.budgets import sweep_reservations
from stapel_agent.database import on_ledger
from stapel_agent.management.arguments import number
from stapel_agent.management.summary import counted
from stapel_agent.management.terminal_command import TerminalCommand
from stapel_agent.sharing import sweep_flights, sweep_idempotency

MOST_SECONDS = 10**9


class Command(TerminalCommand):
    help = (
        "Close the rows of calls whose process ended before the provider answered, "
        "and remove idempotency keys and translations that have expired."
    )
    requires_system_checks = ["stapel_agent_settings"]  # a cron job must not fail for other checks

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older-than",
            type=number(float, 0, MOST_SECONDS),
            metavar="SECONDS",
            help="how long a row must have been pending; by default CLI_TIMEOUT, the longest that an attempt takes",
        )

    def handle(self, *arguments: Any, older_than: float | None, **options: Any) -> None:
        closed = ledger.close_lost(older_than=older_than)
        sweep_flights()
        on_ledger(sweep_reservations)
        sweep_idempotency()
        cache.sweep()
        self.stdout.write(f"closed {counted(closed, 'lost call')}")
