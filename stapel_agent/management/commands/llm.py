"""`manage.py llm`: ask a model, see which providers are configured and answer, and forget kept translations."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from stapel_agent import services
from stapel_agent.management import INTERRUPTED
from stapel_agent.management.answer_text import answered_by, printable_json
from stapel_agent.management.forgetting import CONDITIONS, add_forget_arguments, forget
from stapel_agent.management.provider_report import ProviderReport, reports
from stapel_agent.management.summary import printable
from stapel_agent.models import PromptSource

COMMENT_LENGTH = 1000


class Command(BaseCommand):
    help = (
        "Ask a model, see what is configured, or forget kept translations. "
        "Every call is in the ledger, as of the source 'other'."
    )
    requires_system_checks: list[str] = []  # what a check would stop at is what `providers` is to show

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="subcommand", required=True, metavar="ask | providers | forget")
        ask = commands.add_parser("ask", help="print a model's answer as JSON")
        ask.add_argument("prompt", help="what to ask; - reads it from standard input")
        ask.add_argument("--model", default="small", metavar="SIZE", help="one of the sizes in MODELS")
        ask.add_argument("--provider", help="whom to ask; by default DEFAULT_PROVIDER")
        ask.add_argument("--schema", type=Path, metavar="FILE", help="a JSON Schema that the answer has to satisfy")
        ask.add_argument("--json", action="store_true", dest="as_json", help="print the whole answer, in one line")
        providers = commands.add_parser("providers", help="print what is configured, and what is missing")
        providers.add_argument("--ping", action="store_true", help="ask each that is configured one tiny question")
        providers.add_argument("--json", action="store_true", dest="as_json", help="print one array, in one line")
        add_forget_arguments(commands.add_parser("forget", help="let translations that are kept be reused no more"))

    def handle(self, *arguments: Any, subcommand: str, **options: Any) -> None:
        try:
            getattr(self, f"_{subcommand}")(**options)
        except KeyboardInterrupt:
            raise SystemExit(INTERRUPTED) from None

    def _ask(
        self, *, prompt: str, model: str, provider: str | None, schema: Path | None, as_json: bool, **options: Any
    ) -> None:
        answer = services.complete_json(
            _standard_input() if prompt == "-" else prompt,
            model,
            provider=provider,
            schema=None if schema is None else _schema(schema),
            source=PromptSource.OTHER,
        )
        if as_json:
            self.stdout.write(json.dumps(answer, default=str))
        elif answer["status"] == "ok":
            self.stdout.write(printable_json(answer["result"]))
        if not as_json:
            self._tell_about(answer)
        if answer["status"] != "ok":
            raise CommandError(printable(answer["reason"], COMMENT_LENGTH))

    def _forget(self, *, everything: bool, verbosity: int, **options: Any) -> None:
        done = forget(everything=everything, **{name: options[name] for name in CONDITIONS})
        if verbosity:
            self.stdout.write(done)

    def _tell_about(self, answer: Mapping[str, Any]) -> None:
        """What is no part of the result goes to stderr, so that the result can be piped."""
        if comment := answer.get("comment"):
            self.stderr.write(f"comment: {printable(comment, COMMENT_LENGTH)}", str)
        if line := answered_by(answer):
            self.stderr.write(line, str)

    def _providers(self, *, ping: bool, as_json: bool, **options: Any) -> None:
        width = get_terminal_size().columns if self.stdout.isatty() else None
        shown: list[ProviderReport] = []
        for report in reports():
            shown.append(report.pinged() if ping else report)
            if not as_json:
                self.stdout.write("\n".join(shown[-1].lines(width)))
                self.stdout.flush()
        if as_json:
            self.stdout.write(json.dumps([report.as_json() for report in shown], default=str))
        if silent := [report.name for report in shown if report.is_silent]:
            raise CommandError(f"configured, but without an answer: {', '.join(silent)}")


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as fault:
        raise CommandError(f"the prompt on standard input is not UTF-8 ({fault.reason}): convert it") from None


def _schema(path: Path) -> dict[str, Any]:
    mend = "give a file that holds one JSON Schema, an object"
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as fault:
        raise CommandError(f"--schema {str(path)!r} cannot be read ({fault}): {mend}") from None
    if not isinstance(schema, dict):
        raise CommandError(f"--schema {str(path)!r} holds no object: {mend}")
    return schema
