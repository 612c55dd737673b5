"""The arguments and the output of `manage.py llm forget`."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from stapel_agent import cache
from stapel_agent.exceptions import WrongSetting
from stapel_agent.language_tags import bcp47, is_language_tag

from .summary import counted

CONDITIONS = ("text", "to", "workspace_id", "since")


def add_forget_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--text", help="translations of this whole source text")
    parser.add_argument("--to", metavar="LANGUAGE", help="translations to this language, such as de or pt-BR")
    parser.add_argument("--workspace-id", metavar="ID", help="translations that this workspace asked for")
    parser.add_argument(
        "--since", metavar="TIME", help="those stored at this time or later, such as 2026-05-31 or 2026-05-31T18:00"
    )
    parser.add_argument("--all", action="store_true", dest="everything", help="all stored translations")


def forget(*, everything: bool, **conditions: str | None) -> str:
    """Forget the translations that meet all conditions. Returns a summary line. Raises CommandError."""
    given = {name: value for name, value in conditions.items() if value is not None}
    if everything == bool(given):
        raise CommandError("say what to forget: give --all, or one or more of --text, --to, --workspace-id and --since")
    try:
        forgotten = cache.forget(_selection(given))
    except (NotImplementedError, WrongSetting) as fault:
        raise CommandError(f"nothing was forgotten: {fault}") from None
    if forgotten is None:
        return "forgotten: all answers, because CACHE_POLICY cannot find single texts"
    return f"forgotten: {counted(forgotten, 'translation')}"


def _selection(given: dict[str, Any]) -> cache.Selection:
    if "since" in given:
        given["since"] = _moment(given["since"])
    if "to" in given:
        if not is_language_tag(given["to"]):
            raise CommandError(f"--to must be a language tag such as 'de' or 'pt-BR', not {given['to'][:40]!r}")
        given["to"] = bcp47(given["to"])
    return cache.Selection(**given)


def _moment(text: str) -> datetime:
    message = f"--since must be a date or a time such as 2026-05-31 or 2026-05-31T18:00, not {text[:40]!r}"
    try:
        day = parse_date(text)
        moment = datetime(day.year, day.month, day.day) if day else parse_datetime(text)
    except ValueError:
        raise CommandError(message) from None
    if moment is None:
        raise CommandError(message)
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
