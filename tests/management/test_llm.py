"""`manage.py llm`, used by people and by scripts."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from io import StringIO
from tempfile import NamedTemporaryFile
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import caches
from django.core.management import CommandError, call_command, load_command_class
from django.utils import timezone

from example.model import NAME as MODEL_NAME
from stapel_agent import services
from stapel_agent.cache import CachePolicy
from stapel_agent.exceptions import AccessDenied
from stapel_agent.management import recent_calls
from stapel_agent.management.summary import counted
from stapel_agent.models import PromptLog, Translation
from stapel_agent.providers.base import LlmProvider, ProviderResult, ProviderTimeout
from stapel_agent.testing import translating
from tests.answers import REQUEST_ID, by
from tests.documents import block_after
from tests.engine_fixtures import answer
from tests.image_samples import PNG_DATA
from tests.scripted_chain import provider_of, scripted_chain
from tests.scripted_server import Reply, ScriptedServer

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

BUILTIN = {"anthropic": None, "openai-compat": None, "claude-code": None}
"""PROVIDERS without the built-in ones."""


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def run(*arguments: object, stdout: StringIO | None = None) -> tuple[str, str]:
    """What the command prints to stdout and stderr. A CommandError is the last line of stderr."""
    out, err = stdout or StringIO(), StringIO()
    try:
        call_command("llm", *map(str, arguments), stdout=out, stderr=err)
    except CommandError as fault:
        assert fault.returncode == 1
        err.write(f"CommandError: {fault}\n")
    return out.getvalue(), err.getvalue()


class Ready(LlmProvider):
    """A completely configured provider."""

    def complete(self, **arguments):
        return ProviderResult('{"ok": true}', input_tokens=9, output_tokens=4)


class Lacking(Ready):
    def configuration_error(self):
        return "HOUSE_KEY is empty: set it"


class Raising(Ready):
    def resolve_model(self, model_size, default):
        raise ValueError("a secret")


class Hostile(Ready):
    def resolve_model(self, model_size, default):
        return "evil\x1b[2J\u202emodel"


# --- ask


def test_ask__result(scripted_model):
    """stdout has the text only. stderr says who answered and what it cost. The ledger has the call."""
    scripted_model.script(ProviderResult("Zürich,\nof course.", 21, 8))
    out, err = run("ask", "The largest city?", "--size", "large", "--provider", "openai-compat")
    row = PromptLog.objects.get()
    assert out == "Zürich,\nof course.\n"
    assert err == f"openai-compat claude-opus-4-8, 21 input and 8 output tokens, request {row.request_id}\n"
    assert (row.source, row.prompt, row.model_size) == ("other", "The largest city?", "large")


def test_ask__thinking(scripted_model):
    """Thinking tokens are shown with the output tokens that they are part of."""
    scripted_model.script(ProviderResult("Zürich", 21, 80, thinking_tokens=60))
    assert "21 input and 80 output tokens (60 thinking), request " in run("ask", "The largest city?")[1]


def test_ask__whole_answer(scripted_model):
    """With --json, stdout has the whole answer on one line, and stderr is empty."""
    scripted_model.script('{"city": "Zürich"}')
    out, err = run("ask", "The largest city?", "--json")
    usage = {"input_tokens": 10, "output_tokens": 5}
    assert json.loads(out) == {"status": "ok", "result": {"city": "Zürich"}, "usage": usage, **by()}
    assert (out.count("\n"), err) == (1, "")


@pytest.mark.parametrize(
    "words",
    [
        ["ask", "Say hello.", "--settings", "tests.settings", "--traceback", "-v", "0"],
        ["usage", "--settings", "tests.settings", "--no-color"],
        ["logs", "--pythonpath", ".", "--force-color"],
        ["providers", "--settings=tests.settings"],
        ["forget", "--all", "--verbosity", "0"],
    ],
)
def test_subcommands__options_of_django(scripted_model, words):
    """Django's own options work after the subcommand as well as before it."""
    parser = load_command_class("stapel_agent", "llm").create_parser("manage.py", "llm")
    before = vars(parser.parse_args(["--traceback", words[0], *(["--all"] if words[0] == "forget" else [])]))
    given = vars(parser.parse_args(words))
    assert given.keys() == before.keys()
    assert (before["traceback"], given["traceback"]) == (True, "--traceback" in words)
    assert given["verbosity"] == (0 if {"-v", "--verbosity"} & {*words} else 1)


@pytest.mark.parametrize("kind", [[], ["--json"]])
@pytest.mark.parametrize(("option", "asked"), [([], None), (["--effort", "max"], "max")])
def test_ask__effort(scripted_model, kind, option, asked):
    """--effort sets how hard the model thinks, for text and for JSON."""
    scripted_model.script("{}")
    run("ask", "The largest city?", *option, *kind)
    assert [request.effort for request in scripted_model.requests] == [asked]


@pytest.mark.parametrize("as_json", [False, True])
def test_ask__failure(scripted_model, tmp_path, agent, as_json):
    """A failure is printed to stderr with what was spent. The exit status is 1."""
    agent(SCHEMA_RETRIES=0)
    schema = tmp_path / "any.json"
    schema.write_text("{}")
    scripted_model.script("Once upon\x1b[2J a time")
    out, err = run("ask", "A story?", *(["--json"] if as_json else ["--schema", schema]))
    assert err.splitlines()[-1] == "CommandError: invalid_answer: the answer contains no JSON"
    if as_json:
        assert json.loads(out)["status"] == "failure"
    else:
        assert out == ""
        assert "comment: Once upon\ufffd[2J a time\n10 input and 5 output tokens, request " in err


def test_ask__schema(scripted_model, tmp_path):
    """The schema in the file is sent to the provider, and the answer is validated against it."""
    schema = tmp_path / "city.json"
    schema.write_text('{"type": "object", "required": ["city"]}')
    scripted_model.script("{}", '{"city": "Bern"}')
    out, _ = run("ask", "The capital?", "--schema", schema)
    assert json.loads(out) == {"city": "Bern"}
    assert [request.schema for request in scripted_model.requests] == [json.loads(schema.read_text())] * 2


@pytest.mark.parametrize("content", [None, b"{", b"[]", b"\xff", b"[" * 100_000, b"7"])
def test_ask__schema_file_is_invalid(scripted_model, tmp_path, content):
    """A file without a schema is reported with the fix, and no model is called."""
    schema = tmp_path / "schema.json"
    if content is not None:
        schema.write_bytes(content)
    _, err = run("ask", "hi", "--schema", schema)
    assert err.startswith(f"CommandError: --schema {str(schema)!r} ")
    assert err.endswith("give a file that contains one JSON Schema, an object\n")
    assert scripted_model.requests == []


@pytest.mark.parametrize("options", [["--model", "huge"], ["--provider", "nobody"], ["--json", "--provider", "nobody"]])
def test_ask__unknown_size_or_provider(scripted_model, options):
    """The error for an unknown size or provider lists the known ones."""
    _, err = run("ask", "hi", *options)
    assert re.search(r"rejected: .*'(huge|nobody)'.*: .*(small|openai-compat)", err)


def test_ask__from_standard_input(scripted_model, monkeypatch):
    """Without a prompt, or with a dash, the whole standard input is the prompt. A terminal gets an error instead."""
    for arguments in ([], ["-"]):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("two\nlines ü".encode())))
        run("ask", *arguments)
    assert [request.prompt for request in scripted_model.requests] == ["two\nlines ü"] * 2
    monkeypatch.setattr(sys, "stdin", Terminal())
    assert "CommandError: give a prompt" in run("ask")[1]


def test_ask__image(scripted_model, tmp_path):
    """Images may be files and URLs. A missing file is reported before a provider is called."""
    picture = tmp_path / "dot.png"
    picture.write_bytes(b64decode(PNG_DATA["data_b64"]))
    run("ask", "What is it?", "--image", picture, "--image", "https://pictures.example/a.png")
    file, link = scripted_model.requests[0].images
    assert (file.media_type, link.url) == ("image/png", "https://pictures.example/a.png")
    assert "cannot be read" in run("ask", "What is it?", "--image", tmp_path / "gone.png")[1]
    assert len(scripted_model.requests) == 1


# --- logs


def logged(scripted_model) -> None:
    scripted_model.script("one\x1b[2J", ProviderTimeout("slow"), "three")
    services.complete("say one", "small", user_id="7")
    services.complete("say two", "small", user_id="8")
    services.complete("say three", "large", user_id="7")


def test_logs__last_calls(scripted_model):
    """The last calls are printed, one per line, the newest last. Filters and a count select them."""
    logged(scripted_model)
    lines = run("logs")[0].splitlines()
    assert ["say one" in lines[0], "timeout" in lines[1], "say three" in lines[2]] == [True] * 3
    assert "10 in, 5 out" in lines[0]
    assert re.match(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ  success", lines[0])
    assert len(run("logs", "-n", "2")[0].splitlines()) == 2
    assert len(run("logs", "--user-id", "7")[0].splitlines()) == 2
    assert "slow" in run("logs", "--status", "timeout")[0]
    assert run("logs", "--model", "none") == ("", "no calls match\n")


@pytest.mark.parametrize(
    ("known", "estimate", "written"),
    [
        ("0.50", None, "$0.5"),
        (None, "0.25", "up to $0.25"),
        ("0.5", "0.25", "$0.5 + up to $0.25"),
        (None, None, "no price"),
    ],
)
def test_logs__cost(known, estimate, written):
    """A call whose outcome is unknown may cost its estimate, on top of what is known."""
    row = PromptLog(status="timeout", created_at=datetime(2026, 1, 1, tzinfo=UTC))
    row.cost_usd, row.estimated_cost_usd = (figure and Decimal(figure) for figure in (known, estimate))
    assert f"  {written}  ? ms" in recent_calls.call_line(row)


@pytest.mark.parametrize("uses_zones", [True, False])
def test_logs__in_utc(settings, uses_zones):
    """Django returns times in the zone of the database, and without USE_TZ in that of the host."""
    settings.USE_TZ, settings.TIME_ZONE = uses_zones, "Asia/Tokyo"
    moment = datetime(2026, 1, 1, 3, tzinfo=ZoneInfo("Asia/Tokyo"))
    row = PromptLog(status="success", created_at=moment if uses_zones else moment.replace(tzinfo=None))
    assert recent_calls.call_line(row).startswith("2025-12-31 18:00:00Z  success")


def test_logs__in_full(scripted_model):
    """--full adds the texts, without control characters. --json prints each row as a line."""
    logged(scripted_model)
    out, _ = run("logs", "--full", "--user-id", "7", "-n", "2")
    assert "  response:\n    one\ufffd[2J\n" in out
    rows = [json.loads(line) for line in run("logs", "--json")[0].splitlines()]
    assert [row["prompt"] for row in rows] == ["say one", "say two", "say three"]


def test_logs__follow(scripted_model, monkeypatch):
    """-f prints each new call once, when it has ended, until Ctrl-C."""
    logged(scripted_model)
    rounds = iter(["say four", "say five"])

    def next_call(seconds):
        prompt = next(rounds, None)
        if prompt is None:
            raise KeyboardInterrupt
        services.complete(prompt, "small")

    monkeypatch.setattr(recent_calls.time, "sleep", next_call)
    out = StringIO()
    with pytest.raises(SystemExit) as end:
        run("logs", "-n", "1", "-f", stdout=out)
    assert end.value.code == 130
    assert [line.split()[-1] for line in out.getvalue().splitlines()] == ["three", "four", "five"]


def test_usage__as_llm_usage(scripted_model):
    """`llm usage` prints the same as `llm_usage`."""
    logged(scripted_model)
    out = StringIO()
    call_command("llm_usage", "--group-by", "user_id", stdout=out)
    assert run("usage", "--group-by", "user_id")[0] == out.getvalue()


def test_ask__standard_input_is_not_utf8(scripted_model, monkeypatch):
    """Bytes that are not UTF-8 are reported with the fix."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe")))
    _, err = run("ask", "-")
    assert err == "CommandError: the prompt on standard input is not UTF-8 (invalid start byte): convert it\n"


def test_ask__control_characters(scripted_model, tmp_path):
    """Unprintable characters are escaped in JSON, so the value stays the same. In plain text they are removed."""
    scripted_model.script("a\x1b[2J\u202eb\tc")
    assert run("ask", "hi")[0] == "a\ufffd[2J\ufffdb\tc\n"
    hostile = {"key\u202e": "\x1b[2J \x9b31m \u200b \U000e0041 \ud800 tab\t"}
    scripted_model.script(json.dumps(hostile))
    schema = tmp_path / "any.json"
    schema.write_text("{}")
    out, _ = run("ask", "hi", "--schema", schema)
    assert all(sign.isprintable() for sign in out.replace("\n", ""))
    assert json.loads(out) == json.loads(json.dumps(hostile).replace("\\ud800", "\\ufffd"))


def test_ask__interrupted(agent):
    """After Ctrl-C, the exit status is that of a shell, without a traceback."""

    class Interrupted(LlmProvider):
        def complete(self, **arguments):
            raise KeyboardInterrupt

    agent(PROVIDERS={"interrupted": Interrupted})
    with pytest.raises(SystemExit) as end:
        run("ask", "hi", "--provider", "interrupted")
    assert end.value.code == 130
    assert PromptLog.objects.get().status == "error"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "ask | logs"),
        (["explain"], "explain"),
        (["logs", "--request-id", "x"], "argument --request-id: must be the request_id of an answer, a UUID, not 'x'"),
    ],
)
def test_usage__invalid_options(arguments, named):
    """An argument that is missing or invalid is named."""
    with pytest.raises(CommandError, match=re.escape(named)):
        call_command("llm", *arguments)


# --- providers


def test_providers__usable_or_not(agent):
    """Each provider has a paragraph with its class, its models and what it lacks, even if it cannot be imported."""
    providers = {
        "ready": Ready,
        "lacking": Lacking,
        "raising": Raising,
        "gone": "no.such.Provider",
        "int": "builtins.int",
    }
    agent(PROVIDERS={**BUILTIN, **providers}, DEFAULT_PROVIDER="nobody", MODELS={"small": "s", "large": "l"})
    fix = "name an LlmProvider subclass in STAPEL_AGENT['PROVIDERS'], or None to remove it"
    out, err = run("providers")
    assert (out, err) == (
        f"""\
ready
  class          {__name__}.Ready
  models         small s, large l
  configuration  ok
lacking
  class          {__name__}.Lacking
  models         small s, large l
  configuration  HOUSE_KEY is empty: set it
raising
  class          {__name__}.Raising
  configuration  the provider's own code raised ValueError: fix its class
gone
  class          no.such.Provider
  configuration  provider 'gone' cannot be imported from 'no.such.Provider' (ModuleNotFoundError): {fix}
int
  class          builtins.int
  configuration  provider 'int' is not an LlmProvider subclass: {fix}
nobody (default)
  configuration  DEFAULT_PROVIDER 'nobody' is not registered: use one of gone, int, lacking, raising, ready: {fix}
""",
        "",
    )
    assert not PromptLog.objects.exists()


@pytest.mark.parametrize(
    ("default", "named"),
    [*((value, "DEFAULT_PROVIDER") for value in (["nobody"], {"nobody": 1}, None, 1.5)), (float("nan"), "provider")],
    ids=str,
)
def test_providers__wrong_settings(agent, default, named):
    """The report covers settings of another kind too, because calls that fail for them refer to it."""
    agent(PROVIDERS={**BUILTIN, "listed": ["no.such.Provider"]}, DEFAULT_PROVIDER=default, MODELS={"small": "s"})
    fix = "name an LlmProvider subclass in STAPEL_AGENT['PROVIDERS'], or None to remove it"
    out, err = run("providers")
    assert (out, err) == (
        f"""\
listed
  configuration  provider 'listed' is not an LlmProvider subclass: {fix}
{default} (default)
  configuration  {named} {default!r} is not registered: use one of listed: {fix}
""",
        "",
    )


def test_providers__ping(agent):
    """Each configured provider gets a tiny question. If one does not answer, the exit status is 1."""
    models = scripted_chain(agent, denied=AccessDenied("the key is wrong"), other="prose")
    providers = {name: provider_of(model) for name, model in models.items()}
    agent(PROVIDERS={**BUILTIN, **providers, "lacking": Lacking}, RETRIES=0)
    out, err = run("providers", "--ping", "--json")
    reports = {report["name"]: report["ping"] for report in json.loads(out)}
    seconds = {name: ping.pop("seconds") for name, ping in reports.items() if ping}
    assert reports == {
        "denied": {
            "reason": "auth: the key is wrong (its fallback 'other' answered)",
            "usage": {"input_tokens": 10, "output_tokens": 5},
            "request_id": REQUEST_ID,
        },
        "other": {"reason": None, "usage": {"input_tokens": 10, "output_tokens": 5}, "request_id": REQUEST_ID},
        "lacking": None,
    }
    assert all(0 <= value < 10 for value in seconds.values())
    assert err == "CommandError: configured, but did not answer: denied\n"
    assert {request.max_tokens for model in models.values() for request in model.requests} == {32}
    assert list(PromptLog.objects.values_list("source", "metadata__ping").distinct()) == [("other", True)]


class Replicated:
    """A database router that reads from a replica, which is away."""

    def db_for_read(self, model, **hints):
        return "replica" if model is PromptLog else None

    def db_for_write(self, model, **hints):
        return "default"


def test_providers__ping_beside_a_replica(agent, settings):
    """A ping's outcome is read where it was written."""
    settings.DATABASE_ROUTERS = [Replicated()]
    models = scripted_chain(agent, denied=AccessDenied("the key is wrong"), other="prose")
    agent(PROVIDERS={**BUILTIN, **{name: provider_of(model) for name, model in models.items()}}, RETRIES=0)
    out, _ = run("providers", "--ping")
    assert "auth: the key is wrong (its fallback 'other' answered)" in out


def test_providers__ping_of_each_key(agent, monkeypatch):
    """Each of several keys is tried. A refused key is reported by its digest, a missing one by its variable."""
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with ScriptedServer(answer("ok"), Reply(b"no such key", status=401), answer("ok")) as server:
        keys = ["key-of-one", "key-of-two", "key-of-three", {"env": "NO_SUCH_KEY"}]
        endpoint = {"base_url": server.url, "api_key": keys, "models": {"small": "m"}}
        agent(PROVIDERS={**BUILTIN, "pool": endpoint}, DEFAULT_PROVIDER="pool", RETRIES=0)
        out, err = run("providers", "--ping")
    asked = {request.headers["authorization"].removeprefix("Bearer ") for request in server.requests}
    assert asked == {"key-of-one", "key-of-two", "key-of-three"}
    assert "ping           answered" in out
    unset = "PROVIDERS['pool']['api_key'] names the environment variable NO_SUCH_KEY, which is not set"
    assert f"warning        {unset}: calls use the other keys\n" in out
    digest = hashlib.sha256(b"key-of-two").hexdigest()[:8]
    refused = f"key 2 of 3, whose SHA-256 begins with {digest}, failed: auth: HTTP 401: no such key"
    assert f"warning        {refused}\n" in out
    assert err == ""


def test_providers__ping_of_keys_that_cannot_be_read(agent):
    """If a host's class fails to tell its keys, it still gets one question."""

    class Keyed(Ready):
        supports_api_key = True

        def api_keys(self):
            raise OSError("no vault")

    agent(PROVIDERS={**BUILTIN, "keyed": Keyed})
    out, _ = run("providers", "--ping")
    assert "ping           " in out


def test_providers__ping_with_a_refused_key(agent):
    """If the vendor refuses the key, the report names its setting."""
    with ScriptedServer(Reply(b"no such key", status=401)) as server:
        endpoint = {"base_url": server.url, "api_key": "key-of-four", "models": {"small": "m"}}
        agent(PROVIDERS={**BUILTIN, "mine": endpoint}, DEFAULT_PROVIDER="mine", RETRIES=0)
        out, _ = run("providers", "--ping")
    assert "ping           auth: HTTP 401: no such key; check PROVIDERS['mine']['api_key'], " in out


def test_providers__ping_that_is_cut_off(agent):
    """An answer of another form still shows that the connection works. Its usage is shown."""
    scripted_chain(agent, rambling=ProviderResult("Well, ", 9, 32, finish_reason="length"))
    out, err = run("providers", "--ping")
    assert re.search(r"ping           answered, \d+\.\d\d s, 9 input and 32 output tokens\n", out)
    assert "rambling" not in err


def test_providers__cost(agent, monkeypatch):
    """The cost of a ping is shown if the answer states it."""
    from stapel_agent import services

    usage = {"input_tokens": 9, "output_tokens": 4, "cost_usd": "0.000021"}
    answer = {"status": "ok", "result": "", "usage": usage, "provider": "ready"}
    monkeypatch.setattr(services, "complete", lambda *arguments, **options: answer)
    agent(PROVIDERS={**BUILTIN, "ready": Ready})
    out, _ = run("providers", "--ping")
    assert "s, 9 input and 4 output tokens, $0.000021\n" in out


@pytest.mark.parametrize("columns", [20, 60, 200])
def test_providers__on_a_terminal(agent, monkeypatch, columns):
    """On a terminal, long texts are wrapped between words and indented, and no line is cut."""
    monkeypatch.setenv("COLUMNS", str(columns))
    agent(PROVIDERS={**BUILTIN, "lacking": Lacking, "gone": "no.such.Provider"})
    wrapped, _ = run("providers", stdout=Terminal())
    whole, _ = run("providers")
    assert wrapped.split() == whole.split()
    assert all(len(line) <= max(columns, 45) for line in wrapped.splitlines() if " " in line[17:])
    assert (wrapped == whole) == (columns == 200)


def test_providers__control_characters(agent):
    """A provider's text cannot move the cursor."""
    agent(PROVIDERS={**BUILTIN, "hostile": Hostile})
    out, _ = run("providers")
    assert all(sign.isprintable() for sign in out.replace("\n", ""))


def test_providers__settings_that_are_wrong(agent):
    """Invalid MODELS are reported for each provider, without a crash."""
    agent(PROVIDERS={**BUILTIN, "ready": Ready}, MODELS=["small"])
    out, _ = run("providers")
    assert "configuration  MODELS must map sizes to model names" in out


def test_providers__reader_has_gone():
    """If the reader of the output ends early, such as `head`, the command ends without a traceback."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "django", "llm", "providers", "--settings", "tests.settings"]
    with os.fdopen(writer, "w") as pipe:
        done = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_ask__encoding_of_the_output(scripted_model, monkeypatch, encoding):
    """Texts that standard output cannot encode are escaped as in JSON, in every form of output."""
    text = "Gr\u00fc\u00dfe, \u4f60\u597d \U0001f44b"
    scripted_model.script(json.dumps({"text": text}, ensure_ascii=False))
    schema = '{"type": "object"}'
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding))
    with NamedTemporaryFile("w") as file:
        file.write(schema)
        file.flush()
        call_command("llm", "ask", text, "--schema", file.name, stderr=StringIO())
    for options in ([], ["--full"], ["--json"]):
        call_command("llm", "logs", *options)
    sys.stdout.flush()
    answer, *lines = written.getvalue().decode(encoding).partition("}\n")
    assert json.loads(f"{answer}}}") == {"text": text}
    assert ("Gr\u00fc\u00dfe, " in lines[1]) is (encoding != "ascii")
    assert ("\u4f60" in lines[1]) is (encoding == "utf-8")


def test_forget__given_output(monkeypatch):
    """An output that the caller gives is escaped too, and standard output is left alone."""
    standard, given = (io.TextIOWrapper(io.BytesIO(), "ascii") for _ in range(2))
    monkeypatch.setattr(sys, "stdout", standard)
    call_command("llm", "forget", "--all", stdout=given)
    given.write("\u4f60")
    given.flush()
    assert (given.buffer.getvalue(), standard.errors) == (b"forgotten: 0 translations\n\\u4f60", "strict")


def test_forget__output_that_has_become_a_pipe(monkeypatch, tmp_path):
    """The output may be redirected by `dup2()` after it was opened, as a supervisor does."""
    reader, writer = os.pipe()
    with open(reader, "rb") as pipe, open(tmp_path / "out", "w", encoding="utf-8") as out:
        os.dup2(writer, out.fileno())
        os.close(writer)
        monkeypatch.setattr(sys, "stdout", out)
        call_command("llm", "forget", "--all")
        out.close()
        assert pipe.read() == b"forgotten: 0 translations\n"


def test_providers__models_that_cannot_work(agent):
    """An endpoint is not shown with Anthropic's models. Sizes without a model of its own are listed."""
    agent(
        PROVIDERS={
            **BUILTIN,
            "half": {"base" + "_url": "http://127.0.0.1:9/v1", "models": {"small": "llama3.2"}},
            "none": {"base" + "_url": "http://127.0.0.1:9/v1"},
        },
        DEFAULT_PROVIDER="half",
    )
    out, _ = run("providers")
    assert "models         small llama3.2; none for medium, large" in out
    assert "claude" not in out.replace("is an Anthropic model", "").partition("none\n")[0]
    half, none = json.loads(run("providers", "--json")[0])
    assert (half["models"], half["error"]) == ({"small": "llama3.2"}, None)
    assert none["models"] == {}
    assert "set PROVIDERS['none']['models']['large'] to a model of that endpoint" in none["error"]


# --- with a real model


@pytest.fixture
def real_host(local_model, agent):
    agent(
        PROVIDERS={"anthropic": None, "claude-code": None},
        DEFAULT_PROVIDER="openai-compat",
        OPENAI_COMPAT_BASE_URL=local_model,
        MODELS={"small": MODEL_NAME},
    )


@pytest.mark.model
def test_model__ask(real_host, tmp_path):
    """A real model answers according to a schema."""
    schema = tmp_path / "city.json"
    schema.write_text('{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}')
    out, err = run("ask", "What is the capital of France?", "--schema", schema)
    assert isinstance(json.loads(out)["city"], str)
    assert re.fullmatch(rf"openai-compat {MODEL_NAME}, \d+ input and \d+ output tokens, request \S+\n", err)


@pytest.mark.model
def test_model__ping(real_host):
    """A real model answers a ping, with the time and the tokens that it took."""
    (report,) = json.loads(run("providers", "--ping", "--json")[0])
    ping, row = report.pop("ping"), PromptLog.objects.get()
    assert report == {
        "name": "openai-compat",
        "path": "stapel_agent.providers.openai_compat.OpenAICompatProvider",
        "is_default": True,
        "models": {"small": MODEL_NAME},
        "error": None,
    }
    assert (ping["reason"], ping["request_id"]) == (None, str(row.request_id))
    assert ping["usage"] == {"input_tokens": row.input_tokens, "output_tokens": row.output_tokens}
    assert 0 < row.output_tokens <= 32
    assert ping["seconds"] * 1000 >= row.duration_ms


# --- the documents


VARYING = [(r"\d+\.\d\d s", "0.00 s"), (r"request [0-9a-f-]{36}", "request 0")]


def fixed(text: str) -> str:
    """`text` without the parts that differ from run to run."""
    for pattern, replacement in VARYING:
        text = re.sub(pattern, replacement, text)
    return text


@pytest.mark.sdk
def test_documents__show_what_is_printed(agent, monkeypatch, tmp_path):
    """The documented commands print the documented output, in the host of the quick start."""
    host: dict = {"INSTALLED_APPS": [], "MIDDLEWARE": []}
    exec(block_after("README.md", "<!-- file: settings.py -->"), host)
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    usage = {"prompt_tokens": 21, "completion_tokens": 8}
    message = {"message": {"content": "Once upon a time ..."}, "finish_reason": "stop"}
    with ScriptedServer(Reply.of({"choices": [message], "usage": usage})) as model:
        agent(**{**host["STAPEL_AGENT"], "OPENAI_COMPAT_BASE_URL": model.url})
        for name, commands, title in (
            ("README.md", "<!-- commands: quick start -->", "ask"),
            ("docs/operations.md", "<!-- command: providers -->", "providers"),
        ):
            command = block_after(name, commands).splitlines()[-1]
            shown = block_after(name, f"<!-- output: {title} -->")
            assert fixed("".join(run(*shlex.split(command)[3:]))) == fixed(shown)


# forget


@pytest.fixture
def kept(agent, scripted_model):
    """Translations of two workspaces, one of them from last week."""
    scripted_model.script(*[translating(str.upper)] * 9)
    for workspace in ("a", "b", None):
        services.translate("en", "de", {"k": "Save", "m": "Open"}, workspace_id=workspace, user_id="7")
    services.translate("en", "pt_br", {"k": "Save"}, workspace_id="a")
    Translation.objects.filter(workspace_id="b").update(created_at=timezone.now() - timedelta(days=3))


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (["--text", "Save"], 3),
        (["--text", " Save\n", "--to", "pt-BR"], 6),
        (["--text", "save"], 7),
        (["--text", "Sav"], 7),
        (["--to", "pt_BR"], 6),
        (["--to", "fr"], 7),
        (["--workspace-id", "a"], 4),
        (["--workspace-id", "a", "--text", "Open"], 6),
        (["--since", f"{timezone.now() - timedelta(days=1):%Y-%m-%d}"], 2),
        (["--since", "2026-01-01T10:00", "--workspace-id", "b"], 5),
        (["--all"], 0),
    ],
)
def test_forget__selected(kept, arguments, left):
    """Translations that match all conditions are removed. The others stay."""
    assert Translation.objects.count() == 7
    assert run("forget", *arguments)[0] == f"forgotten: {counted(7 - left, 'translation')}\n"
    assert Translation.objects.count() == left


def test_forget__asks_again(agent, scripted_model):
    """A forgotten text is sent to the model again."""
    scripted_model.script(translating(str.upper), translating(str.title))
    ask = partial(services.translate, "en", "de", {"k": "save it"})
    assert [ask()["result"]["k"] for _ in range(2)] == ["SAVE IT", "SAVE IT"]
    run("forget", "--text", "save it")
    assert ask()["result"]["k"] == "Save It"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "say what to forget"),
        (["--all", "--to", "de"], "say what to forget"),
        (["--to", "German"], "--to must be a language tag"),
        (["--since", "yesterday"], "--since must be a date or a time"),
        (["--since", "2026-13-45"], "--since must be a date or a time"),
    ],
)
def test_forget__invalid_conditions(kept, arguments, message):
    """Without conditions, the command forgets nothing."""
    assert message in run("forget", *arguments)[1]
    assert Translation.objects.count() == 7


def test_forget__policy_without_a_search(agent, scripted_model):
    """Django's cache stores digests, so all answers are forgotten at once. The host's own entries stay."""
    caches["default"].clear()
    caches["default"].set("hosts", "own")
    agent(CACHE_POLICY="stapel_agent.cache.DjangoCachePolicy")
    scripted_model.script(*[translating(str.upper)] * 2, *[translating(str.title)] * 2)
    answers = [services.translate("en", "de", {"k": text})["result"]["k"] for text in ("one", "two", "one")]
    assert run("forget", "--text", "one")[0].startswith("forgotten: all answers")
    answers += [services.translate("en", "de", {"k": text})["result"]["k"] for text in ("one", "two", "one")]
    assert answers == ["ONE", "TWO", "ONE", "One", "Two", "One"]
    assert caches["default"].get("hosts") == "own"


def test_forget__policy_without_forget(agent):
    """A policy without forget() is named."""

    class Mine(CachePolicy):
        pass

    agent(CACHE_POLICY=Mine)
    assert "Mine cannot forget answers: implement its forget() method" in run("forget", "--all")[1]


def test_forget__pieces_of_a_long_text(agent, scripted_model):
    """The pieces of a long text are forgotten with it."""
    agent(MAX_TOKENS=300)
    scripted_model.script(*[translating(str.upper)] * 30)
    text = " ".join(f"This is sentence number {word} of a long text." for word in range(60))
    services.translate("en", "de", {"k": text, "m": "apart"})
    assert Translation.objects.count() > 2
    run("forget", "--text", text)
    assert [kept.source_text for kept in Translation.objects.all()] == ["apart"]
