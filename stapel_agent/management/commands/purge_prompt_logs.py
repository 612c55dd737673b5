"""`manage.py purge_prompt_logs`: removes the texts of rows older than RETENTION_DAYS, and keeps figures and costs."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from tqdm import tqdm

from stapel_agent.conf import agent_settings
from stapel_agent.management import INTERRUPTED
from stapel_agent.management.arguments import number
from stapel_agent.management.summary import counted
from stapel_agent.management.terminal_command import TerminalCommand
from stapel_agent.privacy import BATCH, LONGEST_DAYS, PAUSE_SECONDS, Purge, purge_moment
from stapel_agent.settings_validation import KINDS

MOST = 10_000
LEAST_DAYS_OF_ROWS = 31
WORDS = {
    (False, False): ("scrubbed", "removed"),
    (False, True): ("to scrub", "to remove"),
    (True, False): ("deleted", "removed"),
    (True, True): ("to delete", "to remove"),
}
"""Verbs by whether rows are deleted, and whether it is a dry run."""


class Command(TerminalCommand):
    help = (
        "Remove the texts from rows of the ledger that are older than RETENTION_DAYS; tokens, costs and names stay. "
        "Also remove expired idempotency keys and translations. After an interruption, the same command continues."
    )
    requires_system_checks = ["stapel_agent_settings"]

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add(
            "--days",
            type=number(float, 0.001, LONGEST_DAYS),
            metavar="N",
            help="the age limit in days; by default RETENTION_DAYS",
        )
        add("--dry-run", action="store_true", help="print what would be done, and change nothing")
        add("--delete", action="store_true", help="remove whole rows; usage() no longer includes them")
        add(
            "--batch-size",
            type=number(int, 1, MOST),
            default=BATCH,
            metavar="N",
            help="rows per transaction, by default %(default)s",
        )
        add(
            "--pause",
            type=number(float, 0, 60),
            default=PAUSE_SECONDS,
            metavar="SECONDS",
            help="pause between batches, by default %(default)s",
        )

    def handle(  # noqa: PLR0913  (the command's options)
        self,
        *arguments: Any,
        days: float | None,
        delete: bool,
        dry_run: bool,
        batch_size: int,
        pause: float,
        verbosity: int,
        **options: Any,
    ) -> None:
        purge = Purge(purge_moment(_days(days, delete)), deletes=delete, size=batch_size, seconds=pause)
        calls, copies = (purge.total(), purge.copies()) if dry_run else self._run(purge, quiet=verbosity == 0)
        if verbosity:
            verb, other = WORDS[delete, dry_run]
            keys, texts = counted(copies[0], "idempotency key"), counted(copies[1], "translation")
            self.stdout.write(f"{verb}: {counted(calls, 'call')} from before {purge.before:%Y-%m-%d %H:%M}")
            self.stdout.write(f"{other}: {keys} and {texts}")

    def _run(self, purge: Purge, *, quiet: bool) -> tuple[int, tuple[int, int]]:
        done = 0
        try:
            # Without a terminal, `disable=None` is silence.
            with tqdm(unit="call", disable=quiet or None) as bar:
                if not bar.disable:
                    bar.reset(purge.total())
                for rows in purge.run():
                    done += rows
                    bar.update(rows)
            return done, purge.remove_copies()
        except KeyboardInterrupt:
            self.stderr.write(f"interrupted after {counted(done, 'call')}; the same command continues from here")
            raise SystemExit(INTERRUPTED) from None


def _days(given: float | None, delete: bool) -> float:
    days = agent_settings.RETENTION_DAYS if given is None else given
    if days is None:
        raise CommandError("RETENTION_DAYS is not set: give an age, such as --days 90")
    # Checked again, because `call_command()` runs no checks: 0 or less would remove all texts.
    if not KINDS["RETENTION_DAYS"].admits(days):
        raise CommandError(f"RETENTION_DAYS, or --days, must be {KINDS['RETENTION_DAYS'].described}, not {days!r}")
    if delete and agent_settings.BUDGETS and days < LEAST_DAYS_OF_ROWS:
        raise CommandError(f"BUDGETS need this month's rows: use --days {LEAST_DAYS_OF_ROWS} or more, or omit --delete")
    return float(days)
