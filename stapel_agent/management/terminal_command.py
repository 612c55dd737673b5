"""The base class of the commands: their output can be written in any encoding."""

from __future__ import annotations

import codecs
import json
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import Any

from django.core.management.base import BaseCommand

ESCAPED = "stapel_agent.escaped"


class TerminalCommand(BaseCommand):
    """A command whose output contains texts of any language. What its output cannot encode is escaped as in JSON.

    The encoding of standard output may be ASCII, as in containers and under cron, or a code page of Windows.
    """

    def execute(self, *arguments: Any, **options: Any) -> str | None:
        stdout = options.get("stdout") or sys.stdout
        if isinstance(stdout, TextIOWrapper):
            with suppress(OSError):  # from the search for its position, if its file has become a pipe
                stdout.reconfigure(errors=ESCAPED)
        return super().execute(*arguments, **options)


def _escaped(fault: UnicodeError) -> tuple[str, int]:
    if not isinstance(fault, UnicodeEncodeError):
        raise fault
    return json.dumps(fault.object[fault.start : fault.end])[1:-1], fault.end


codecs.register_error(ESCAPED, _escaped)
