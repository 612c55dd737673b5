"""`manage.py llm`: ask a model from a terminal, and see what was asked, spent and configured."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

from django.core.management.base import CommandError

from stapel_agent import services
from stapel_agent.management import CLOSED_PIPE, INTERRUPTED
from stapel_agent.management.answer_text import answered_by, printable_json, printable_text
from stapel_agent.management.arguments import djangos_options, image, number, request_id
from stapel_agent.management.commands import llm_usage
from stapel_agent.management.forget_command import CONDITIONS, add_forget_arguments, forget
from stapel_agent.management.provider_report import ProviderReport, reports
from stapel_agent.management.recent_calls import (
    FILTERS,
    call_json,
    call_line,
    call_lines,
    following_calls,
    recent_calls,
)
from stapel_agent.management.summary import printable
from stapel_agent.management.terminal_command import TerminalCommand
from stapel_agent.model_profiles import EFFORTS
from stapel_agent.models import PromptSource

COMMENT_LENGTH = 1000
MOST_CALLS = 10_000


class Command(TerminalCommand):
    help = "Ask a model, and look at calls, spending and configuration. Its own calls have the source 'other'."
    requires_system_checks: list[str] = []  # `providers` must show what a check would stop at

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(
            dest="subcommand", required=True, metavar="ask | logs | usage | providers | forget"
        )
        djangos = [djangos_options()]
        ask = commands.add_parser("ask", parents=djangos, help="print a model's answer")
        ask.add_argument("prompt", nargs="?", help="the prompt; if it is left out or -, it is read from standard input")
        ask.add_argument(
            "--model", "--size", default="small", metavar="SIZE", help="a size in MODELS; small by default"
        )
        ask.add_argument("--provider", help="the provider to call; by default, the configured one")
        ask.add_argument("--effort", choices=EFFORTS, help="how hard the model should think; by default, as configured")
        ask.add_argument(
            "--image", action="append", type=image, metavar="FILE", help="a file or https URL; may be repeated"
        )
        ask.add_argument("--schema", type=Path, metavar="FILE", help="a JSON Schema that the answer must satisfy")
        ask.add_argument("--json", action="store_true", dest="as_json", help="ask for JSON, and print the whole answer")
        logs = commands.add_parser("logs", parents=djangos, help="print the last calls of the ledger")
        logs.add_argument(
            "-n", "--count", type=number(int, 1, MOST_CALLS), default=20, help="how many to print; 20 by default"
        )
        _add_filters(logs)
        logs.add_argument("--full", action="store_true", help="also print prompts and answers")
        logs.add_argument("--json", action="store_true", dest="as_json", help="print each call as a line of JSON")
        logs.add_argument("-f", "--follow", action="store_true", help="keep printing new calls until Ctrl-C")
        usage = commands.add_parser("usage", parents=djangos, help="print calls, spending and savings")
        llm_usage.Command().add_arguments(usage)
        providers = commands.add_parser(
            "providers", parents=djangos, help="print the configuration of each provider, and what it lacks"
        )
        providers.add_argument("--ping", action="store_true", help="ask each configured provider one tiny question")
        providers.add_argument("--json", action="store_true", dest="as_json", help="print one JSON array")
        forgetting = commands.add_parser("forget", parents=djangos, help="stop reusing some stored translations")
        add_forget_arguments(forgetting)

    def handle(self, *arguments: Any, subcommand: str, **options: Any) -> None:
        try:
            getattr(self, f"_{subcommand}")(**options)
        except KeyboardInterrupt:
            raise SystemExit(INTERRUPTED) from None
        except BrokenPipeError:  # as by `| head`; Python would complain again when it closes stdout
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(CLOSED_PIPE) from None

    def _ask(self, *, prompt: str | None, schema: Path | None, as_json: bool, **options: Any) -> None:
        text = _standard_input() if prompt is None or prompt == "-" else prompt
        chosen = {name: options[name] for name in ("provider", "effort")}
        given = {"images": options["image"], "source": PromptSource.OTHER, **chosen}
        answer: Mapping[str, Any]
        if as_json or schema is not None:
            json_schema = None if schema is None else _schema(schema)
            answer = services.complete_json(text, options["model"], schema=json_schema, **given)
        else:
            answer = services.complete(text, options["model"], **given)
        self._print(answer, as_json=as_json)

    def _print(self, answer: Mapping[str, Any], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(answer, default=str))
        else:
            if answer["status"] == "ok":
                result = answer["result"]
                self.stdout.write(printable_text(result) if isinstance(result, str) else printable_json(result))
            self._print_notes(answer)
        if answer["status"] != "ok":
            raise CommandError(printable(answer["reason"], COMMENT_LENGTH))

    def _forget(self, *, everything: bool, verbosity: int, **options: Any) -> None:
        done = forget(everything=everything, **{name: options[name] for name in CONDITIONS})
        if verbosity:
            self.stdout.write(done)

    def _print_notes(self, answer: Mapping[str, Any]) -> None:
        """Write the comment and the usage to stderr, so that the result can be piped."""
        if comment := answer.get("comment"):
            self.stderr.write(f"comment: {printable(comment, COMMENT_LENGTH)}", str)
        if line := answered_by(answer):
            self.stderr.write(line, str)

    def _logs(self, *, count: int, follow: bool, full: bool, as_json: bool, **options: Any) -> None:
        filters = {name: options[name] for name in FILTERS if options[name] is not None}
        shown = recent_calls(count, filters)
        for row in shown:
            self._write_call(row, full=full, as_json=as_json)
        if not shown and not follow:
            self.stderr.write("no calls match", str)
        for row in following_calls(shown, filters) if follow else ():
            self._write_call(row, full=full, as_json=as_json)
            self.stdout.flush()

    def _write_call(self, row: Any, *, full: bool, as_json: bool) -> None:
        lines = [call_json(row)] if as_json else call_lines(row) if full else [call_line(row)]
        self.stdout.write("\n".join(lines))

    def _usage(self, **options: Any) -> None:
        command = llm_usage.Command()
        command.stdout, command.stderr = self.stdout, self.stderr
        command.handle(**options)

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
            raise CommandError(f"configured, but did not answer: {', '.join(silent)}")


def _add_filters(logs: ArgumentParser) -> None:
    for name in FILTERS:
        kind = request_id if name == "request_id" else str
        words = f"only calls with this {name.replace('_', ' ')}"
        logs.add_argument(f"--{name.replace('_', '-')}", type=kind, help=words)


def _standard_input() -> str:
    if sys.stdin.isatty():
        raise CommandError('give a prompt, such as llm ask "Tell me a story.", or pipe one in')
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as fault:
        raise CommandError(f"the prompt on standard input is not UTF-8 ({fault.reason}): convert it") from None


def _schema(path: Path) -> dict[str, Any]:
    fix = "give a file that contains one JSON Schema, an object"
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as fault:
        raise CommandError(f"--schema {str(path)!r} cannot be read ({fault}): {fix}") from None
    if not isinstance(schema, dict):
        raise CommandError(f"--schema {str(path)!r} contains no object: {fix}")
    return schema
