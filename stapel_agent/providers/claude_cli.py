"""Runs the Claude Code CLI in print mode. `claude_output` reads its output."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from stapel_agent.conf import DEFAULTS, agent_settings
from stapel_agent.exceptions import AccessDenied, RequestRejected

from .base import LlmProvider, ProviderResult
from .claude_output import has_started, read_output
from .claude_schema import schema_argument
from .wire.call_arguments import Call
from .wire.call_thread import read_off_loop
from .wire.error_response import excerpt
from .wire.optional_fields import OptionalFields
from .wire.subprocess_runner import Command, NotStarted, Outcome, arun, reporting_not_started, run

PASSED_NAMES = frozenset(
    {
        *("HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER"),
        *("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "NODE_EXTRA_CA_CERTS", "SSL_CERT_DIR", "SSL_CERT_FILE"),
        *("API_TIMEOUT_MS", "MAX_STRUCTURED_OUTPUT_RETRIES"),
    }
)
PASSED_PREFIXES = ("ANTHROPIC_", "CLAUDE_", "DISABLE_", "LC_", "XDG_")
# The CLI reads these to reach a model in a cloud. They are passed on only if the CLI is set to use that cloud.
CLOUD_PREFIXES = {
    "CLAUDE_CODE_USE_BEDROCK": ("AWS_",),
    "CLAUDE_CODE_USE_VERTEX": ("CLOUD_ML_", "CLOUDSDK_", "GCLOUD_", "GOOGLE_", "VERTEX_REGION_"),
    "CLAUDE_CODE_USE_FOUNDRY": ("AZURE_",),
}

FIXED_ENVIRONMENT = {
    # Without this, "@/etc/passwd" in a prompt sends that file.
    "CLAUDE_CODE_DISABLE_ATTACHMENTS": "1",
    # No telemetry, error reports or updates from a web server.
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    # An attempt is one request, without hidden retries. No variable turns off those of a stream that fails before its
    # first text.
    "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
    "CLAUDE_CODE_MAX_RETRIES": "0",
}

# Other efforts disable thinking: it counts towards the token cap, and a small cap would leave nothing for the answer.
THOUGHTFUL = ("medium", "high", "max")

FLAGS = (
    *("--print", "--output-format", "json", "--verbose"),
    *("--tools", "", "--disable-slash-commands", "--strict-mcp-config"),
    *("--no-session-persistence", "--setting-sources", ""),
)


class ClaudeCodeCLIProvider(LlmProvider):
    """The Claude Code CLI as a plain model: no tools, no session, no settings, and an empty working directory.

    The CLI authenticates itself through HOME or its own environment variables. It gets only these and the variables
    that a program needs to run (PASSED_NAMES, PASSED_PREFIXES), so it does not see your secrets. Without a
    `system_prompt`, an empty one replaces the CLI's default, which would make the model a software engineer.
    """

    vendor = "anthropic"
    supports_schema = True
    supports_max_tokens = True
    supports_timeout = True
    supports_effort = True
    default_models = DEFAULTS["MODELS"]

    def complete(self, **arguments: Any) -> ProviderResult:
        cli_call = CliCall(**arguments)
        with _start_faults(), cli_call.command() as command:
            outcome = run(command)
        return cli_call.read(outcome)

    async def acomplete(self, **arguments: Any) -> ProviderResult:
        cli_call = CliCall(**arguments)
        with _start_faults(), cli_call.command() as command:
            outcome = await arun(command)
        return await read_off_loop(len(outcome.stdout) + len(outcome.stderr), cli_call.read, outcome=outcome)

    def configuration_error(self) -> str | None:
        try:
            _binary()
        except AccessDenied as fault:
            return str(fault)
        return None

    def finish_reason_fix(self, reason: str) -> None:
        """Return None: no setting declares the CLI's finish reasons."""


@dataclass(frozen=True)
class CliCall(Call):
    @contextmanager
    def command(self) -> Iterator[Command]:
        """Yield the command and its private folder, which is removed after the block. Raises NotStarted."""
        binary = _binary()
        with ExitStack() as cleanup:
            with reporting_not_started():
                private = cleanup.enter_context(TemporaryDirectory(prefix="stapel-agent-", ignore_cleanup_errors=True))
                folder = Path(private, "empty")
                folder.mkdir()
                # In a file: an argument has at most 128 KiB, and every user of the machine can read it.
                system_prompt = Path(private, "system-prompt")
                system_prompt.write_bytes(_encoded(self.system_prompt or ""))
            yield Command(
                self._arguments(binary, system_prompt),
                folder=folder,
                timeout=self.seconds,
                stdin=self._stdin(),
                environment=self._environment(),
            )

    def _stdin(self) -> bytes:
        # The CLI treats a prompt that starts with "/" as a command; "/config" even changes the user's settings.
        return _encoded(f"\n{self.prompt}" if self.prompt.startswith("/") else self.prompt)

    def _arguments(self, binary: str, system_prompt: Path) -> list[str]:
        arguments = [binary, *FLAGS, "--model", self.model, "--system-prompt-file", str(system_prompt)]
        arguments += [part for field in self._optional_fields.fields.items() for part in field]
        return arguments if self.schema is None else [*arguments, "--json-schema", schema_argument(self.schema)]

    def _environment(self) -> dict[str, str]:
        clouds = [prefix for switch in CLOUD_PREFIXES if os.environ.get(switch) for prefix in CLOUD_PREFIXES[switch]]
        prefixes = (*PASSED_PREFIXES, *clouds)
        passed = {
            name: value
            for name, value in os.environ.items()
            if name.upper() in PASSED_NAMES or name.startswith(prefixes)
        }
        thinking = {} if self.effort in THOUGHTFUL else {"CLAUDE_CODE_DISABLE_THINKING": "1"}
        return {**passed, **FIXED_ENVIRONMENT, **thinking, "CLAUDE_CODE_MAX_OUTPUT_TOKENS": str(self.token_cap)}

    @cached_property
    def _optional_fields(self) -> OptionalFields:
        # Read once: a parallel call may record a refusal before this one ends.
        word = self.effort if self.effort in ("low", *THOUGHTFUL) else None
        return OptionalFields.for_effort("claude-code", self.model, self.effort, {"--effort": word} if word else {})

    def read(self, outcome: Outcome) -> ProviderResult:
        """Return the answer. Raises ParameterRefused if the CLI has no flag for effort, or the API refuses effort."""
        status = 400 if outcome.exit_code and not has_started(outcome) else 200
        if refusal := self._optional_fields.refusal(status, outcome.stderr, excerpt(outcome.stderr)):
            raise refusal
        return read_output(outcome, structured=self.schema is not None, optional_fields=self._optional_fields)


def _binary() -> str:
    """Return the absolute path of the CLI. Raises AccessDenied with the fix."""
    name = str(agent_settings.CLI_BINARY or "")
    path = shutil.which(name)
    if path is None:
        raise AccessDenied(
            f"CLI_BINARY {name!r} was not found or is not executable: "
            "install the Claude Code CLI, or set STAPEL_AGENT['CLI_BINARY'] to its path"
        )
    return os.path.abspath(path)


@contextmanager
def _start_faults() -> Iterator[None]:
    """Raise the ProviderError for a CLI that was not started, so that nothing was sent."""
    try:
        yield
    except NotStarted as fault:
        if fault.reason.errno == errno.E2BIG:
            raise RequestRejected(
                "the schema is too long for the Claude Code CLI, which takes 128 KiB: shorten it"
            ) from None
        raise AccessDenied(
            f"CLI_BINARY {_binary()!r} could not be run ({fault.reason.strerror}): "
            "set STAPEL_AGENT['CLI_BINARY'] to the Claude Code CLI, and make sure that TMPDIR is writable"
        ) from None


def _encoded(text: str) -> bytes:
    # A lone surrogate cannot be encoded.
    return text.encode("utf-8", "replace")
