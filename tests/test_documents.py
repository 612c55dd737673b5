"""The documents are true: every snippet runs, every command exists, and every table matches the code."""

import ast
import doctest
import json
import re
import shlex
import subprocess
import uuid
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from itertools import chain

import pytest
from django.apps import apps
from django.core.management import BaseCommand, get_commands, load_command_class
from django.dispatch import Signal
from stapel_core.comm import function_registry

import stapel_agent
from stapel_agent import answers, cache, errors, exceptions, signals, urls
from stapel_agent.accounting.usage_query import GROUPS
from stapel_agent.asking.retries import allows_fallback, delay_before_retry
from stapel_agent.cache import CachePolicy
from stapel_agent.catalogues import FILE_TYPES
from stapel_agent.conf import DEFAULTS
from stapel_agent.models import CostBasis, PromptLog, PromptStatus
from stapel_agent.providers import BUILTIN_PROVIDERS
from stapel_agent.providers.base import LlmProvider, ProviderResult
from stapel_agent.providers.registry import provider_registry
from stapel_agent.providers.wire.error_response import classify
from stapel_agent.providers.wire.status_codes import EXCEPTION_BY_STATUS
from stapel_agent.schemas.function_schemas import function_schema
from stapel_agent.serializers import CompleteAnswerSerializer, TranslateAnswerSerializer
from stapel_agent.signals import call_finished
from stapel_agent.telemetry import metrics
from stapel_agent.testing import ModelRequest
from stapel_agent.translation import job
from tests.answers import TRACED
from tests.documents import DOCUMENTS, FENCE, ROOT, anchors, block_after, blocks, read, table, titles

pytestmark = pytest.mark.any_database

RUN_ELSEWHERE = {"docs/callers.md"}
"""Its snippets need the packages of the fleet, whose tests run them."""
WITH_SNIPPETS = [name for name in DOCUMENTS if any(blocks(name, "python", "pycon")) and name not in RUN_ELSEWHERE]

# Never by its name from an index, where that name is a different package.
INSTALLATION = r"git clone \$URL_OF_THIS_REPOSITORY stapel-agent|pip install \./stapel-agent(\[(anthropic|otel)\])?"

REPLIES = {
    "capital of France": ProviderResult('{"city": "Paris"}', input_tokens=21, output_tokens=8),
    "animal": ProviderResult('{"animal": "cat"}'),
    "story": ProviderResult("Once upon a time ...", input_tokens=12, output_tokens=40),
    "Good morning": ProviderResult('{"1": "Guten Morgen"}', input_tokens=30, output_tokens=9),
    "Your cart": ProviderResult('{"1": "Seu carrinho, ⟦1⟧"}', input_tokens=40, output_tokens=12),
    "Cart is full": ProviderResult("{}", input_tokens=30, output_tokens=2),
}


def model_of_the_documents(request: ModelRequest) -> ProviderResult:
    return next(reply for words, reply in REPLIES.items() if words in request.prompt)


@pytest.fixture
def documented_model(scripted_model, agent, monkeypatch):
    """A model that gives the documented answers, in the host of the quick start. Registrations are undone."""
    host: dict = {"INSTALLED_APPS": [], "MIDDLEWARE": []}
    exec(block_after("README.md", "<!-- file: settings.py -->"), host)
    chosen = host["STAPEL_AGENT"]
    agent(**chosen)
    monkeypatch.setattr(function_registry, "_providers", dict(function_registry._providers))
    monkeypatch.setattr(call_finished, "receivers", list(call_finished.receivers))
    with provider_registry.overridden(provider_registry._registered):
        scripted_model.script(model_of_the_documents)
        yield scripted_model


@pytest.mark.django_db
@pytest.mark.parametrize("name", WITH_SNIPPETS)
def test_snippets__run(name, documented_model):
    """Every Python block runs, in order, and every session prints what the document shows."""
    names = {"INSTALLED_APPS": [], "MIDDLEWARE": [], "urlpatterns": [], "__name__": "snippets"}
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    parser = doctest.DocTestParser()
    for block in blocks(name, "python", "pycon"):
        if block.language == "python":
            exec(compile("\n" * block.line + block.text, name, "exec"), names)
        else:
            example = parser.get_doctest(block.text, names, f"{name}:{block.line}", name, block.line)
            runner.run(example, clear_globs=False)
            names.update(example.globs)
    assert runner.summarize(verbose=False).failed == 0


@pytest.mark.django_db(transaction=True)
def test_curl__as_pasted(documented_model, live_server, settings):
    """Every curl command of the README gets the answer that is shown below it."""
    settings.SERVICE_API_KEY = "choose-a-long-random-key"
    shown = [block.text for block in blocks("README.md", "bash", "json") if block.text.startswith(("curl", "{"))]
    assert len(shown) == 2
    for command, answer in zip(shown[::2], shown[1::2], strict=True):
        arguments = shlex.split(command.replace("http://127.0.0.1:8000", live_server.url).replace("\\\n", " "))
        got = subprocess.run(arguments, capture_output=True, text=True, check=True)
        assert uuid.UUID(json.loads(answer)["request_id"])
        assert json.loads(got.stdout) == {**json.loads(answer), **TRACED}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_commands__exist(name):
    """Every make target, manage.py command, pip extra and test path in a document exists."""
    for block in blocks(name, "bash"):
        for line in block.text.splitlines():
            words = shlex.split(line) if "curl" not in block.text else []
            if words[:1] == ["make"]:
                subprocess.run(["make", "-n", words[1]], cwd=ROOT, check=True, capture_output=True)
            elif words[:2] == ["python", "manage.py"]:
                assert words[2] in get_commands()
            else:
                assert not words or re.fullmatch(INSTALLATION, " ".join(words)), f"{name}: nothing runs {line!r}"
    for path in re.findall(r"`(?:\S+ )*(tests/\S+?\.py)`", read(name)):
        assert (ROOT / path).exists()
    assert set(re.findall(r"`(?:python )?manage\.py (\w+)", read(name))) <= get_commands().keys()
    for target in set(re.findall(r"`make (\w+)", read(name))):
        subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links__lead_somewhere(name):
    """Every relative link leads to a file of the project, and to a heading in it."""
    for path, _, heading in (target.partition("#") for target in re.findall(r"\]\(([^)\s]+)\)", read(name))):
        if "://" in path:
            continue
        linked = (ROOT / name).parent / path if path else ROOT / name
        assert linked.exists(), path
        assert not heading or heading in anchors(str(linked.resolve().relative_to(ROOT))), f"{path}#{heading}"


def test_links__from_the_readme():
    """The README links to every other document."""
    links = set(re.findall(r"\]\(([^)#\s]+)", read("README.md")))
    assert set(DOCUMENTS) - links == {"README.md"}


def test_documents__brief():
    """README and MODULE.md are short enough to read in one sitting."""
    lines = {name: read(name).count("\n") for name in ("README.md", "MODULE.md")}
    assert lines["README.md"] < 370
    assert lines["MODULE.md"] < 320


@pytest.mark.parametrize("name", DOCUMENTS)
def test_lines__width(name):
    """Prose fits in 120 columns. Tables and blocks may be wider."""
    prose = FENCE.sub("", read(name)).splitlines()
    assert [line for line in prose if len(line) > 120 and not line.startswith(("|", "[!["))] == []


def test_tables__each_once():
    """No table is in two places."""
    tables = [title for name in DOCUMENTS for title in titles(name)]
    assert sorted(tables) == sorted(set(tables))


def settings_rows() -> list[list[str]]:
    """The rows of all tables of settings."""
    groups = [title for title in titles("docs/settings.md") if title.startswith("settings of ")]
    return [cells for title in groups for cells in table("docs/settings.md", title)]


def test_settings__tables():
    """The tables list each setting once, with its default, and no other."""
    rows = [(cells[0].strip("`"), cells[1]) for cells in settings_rows()]
    assert sorted(key for key, _ in rows) == sorted(DEFAULTS)
    for key, cell in rows:
        if key != "MODELS":
            assert ast.literal_eval(cell.strip("`")) == DEFAULTS[key]
    models = dict(re.findall(r"`(\w+)`: `([\w.-]+)`", dict(rows)["MODELS"]))
    assert models == DEFAULTS["MODELS"]


def test_settings__meaning():
    """The tables describe each setting like its comment in `conf`."""
    commented = re.findall(r"((?:^    # .*\n)+)    \"(\w+)\":", read("stapel_agent/conf.py"), re.MULTILINE)
    comments = {key: " ".join(line.strip(" #") for line in lines.splitlines()) for lines, key in commented}
    told = {cells[0].strip("`"): cells[2] for cells in settings_rows()}
    assert {key: plain(text) for key, text in told.items()} == {key: plain(text) for key, text in comments.items()}


def test_settings__of_the_readme():
    """The settings in the README's table exist, with these defaults."""
    for keys, defaults, _ in table("README.md", "common settings"):
        shown = re.findall(r"`(\w+)`", keys)
        if shown != ["MODELS"]:
            assert [ast.literal_eval(text) for text in re.findall(r"`([^`]+)`", defaults)] == [
                DEFAULTS[key] for key in shown
            ]


def plain(text: str) -> str:
    """The words of a comment or a cell, without their different markup."""
    return re.sub(r"[`\"]", "", text).replace("->", "→").replace(". ", "; ").rstrip(".").lower()


def test_providers__table():
    """The provider matrix lists exactly the built-in providers, and marks the default."""
    rows = [cells[0] for cells in table("README.md", "providers")]
    assert [row.split("`")[1] for row in rows] == list(BUILTIN_PROVIDERS)
    assert [row.split("`")[1] for row in rows if row.endswith("(default)")] == [DEFAULTS["DEFAULT_PROVIDER"]]


def test_surfaces__table():
    """The table of the two surfaces lists exactly the fields of their schemas, required and optional."""
    fields = [row[1:] for row in table("README.md", "surfaces") if row[0].startswith(("required", "optional"))]
    for verb, cells in zip(("complete", "translate"), zip(*fields, strict=True), strict=True):
        required, *optional = (re.findall(r"`(\w+)`", cell) for cell in cells)
        schema = function_schema(f"llm.{verb}")
        assert set(required) - {"from"} == set(schema["required"])
        assert set(chain(*optional)) == schema["properties"].keys() - set(required)


def test_answers__table():
    """The only table of an answer's keys lists exactly the keys of the endpoints' answers."""
    told = [key for cells in table("docs/requests.md", "answers") for key in re.findall(r"`(\w+)`", cells[0])]
    assert told == list({**CompleteAnswerSerializer().fields, **TranslateAnswerSerializer().fields})


def test_names__imported():
    """MODULE.md imports exactly the public names."""
    lines = block_after("MODULE.md", "Public imports").splitlines()
    imported = [name for line in lines for name in line.removeprefix("from stapel_agent import ").split(", ")]
    assert sorted(imported) == stapel_agent.__all__


def test_endpoints__table():
    """The only table of endpoints lists exactly the endpoints, with their methods."""
    told = [tuple(cells[0].strip("`").split()) for cells in table("docs/requests.md", "endpoints")]
    routes = [(endpoint.callback.view_class, f"api/v1/{endpoint.pattern}") for endpoint in urls.endpoints]
    assert told == [("POST" if hasattr(view, "post") else "GET", route) for view, route in routes]


def test_errors__table():
    """The only table of error keys lists exactly the keys that this package adds, with their texts."""
    assert [[key.strip("`"), text] for key, text in table("docs/requests.md", "errors")] == [
        [key, text] for key, text in errors.ERRORS.items()
    ]


def test_file_types__table():
    """docs/translation.md lists the file types with their suffixes."""
    rows = [
        (name, tuple(re.findall(r"`(\.\w+)`", files))) for name, files, *_ in table("docs/translation.md", "file types")
    ]
    assert rows == [(file_type.name, file_type.suffixes) for file_type in FILE_TYPES]


def test_commands__table():
    """The only table of commands lists exactly the commands, with all their own options."""
    rows = {command.strip("`"): re.findall(r"`(--[\w-]+)`", options) for command, options, _ in commands_table()}
    assert rows == {name: own_options(parser) for name, parser in own_commands()}


def commands_table() -> list[list[str]]:
    return table("docs/operations.md", "commands")


def own_commands() -> Iterator[tuple[str, ArgumentParser]]:
    """Each management command of this package, or each of its subcommands, with its parser."""
    for name in sorted(command for command, app in get_commands().items() if app == "stapel_agent"):
        parser = load_command_class("stapel_agent", name).create_parser("manage.py", name)
        verbs = [action.choices for action in parser._actions if isinstance(action, _SubParsersAction)]
        yield from ((f"{name} {verb}", subparser) for choices in verbs for verb, subparser in choices.items())
        if not verbs:
            yield name, parser


def own_options(parser: ArgumentParser) -> list[str]:
    """The options of a command that are not Django's."""
    djangos = BaseCommand().create_parser("manage.py", "any")._option_string_actions
    options = [action.option_strings[-1] for action in parser._actions if action.option_strings]
    return [option for option in options if option not in djangos]


def test_checks__table():
    """The only table of checks lists exactly the ids that checks report."""
    rows = [cells[0].strip("`") for cells in table("docs/operations.md", "checks")]
    modules = [*(ROOT / "stapel_agent" / "checks").glob("*.py"), ROOT / "stapel_agent" / "settings_validation.py"]
    source = "".join(module.read_text() for module in modules)
    assert rows == sorted(set(re.findall(r'"(stapel_agent\.[EW]\d{3})"', source)))


def test_signals__table():
    """The only table of signals lists exactly the signals."""
    rows = [cells[0].strip("`") for cells in table("docs/operations.md", "signals")]
    assert rows == [name for name, value in vars(signals).items() if isinstance(value, Signal)]


def test_metrics__table():
    """The only table of metrics lists exactly the metrics as the code declares them."""
    assert table("docs/operations.md", "metrics") == [
        [f"`stapel_{metric.name}`", metric.kind, ", ".join(f"`{label}`" for label in metric.labels), metric.description]
        for metric in metrics.METRICS
    ]


def test_usage__groups():
    """The page on usage lists exactly the names that usage can be grouped by."""
    (groups,) = re.findall(r"`group_by` takes any of ([^.]*?), and rows", read("docs/usage.md"))
    assert re.findall(r"`(\w+)`", groups) == list(GROUPS)


def test_columns__table():
    """The only table of a row's columns lists exactly the columns, and every status."""
    rows = table("docs/ledger.md", "columns")
    columns = [name for cells in rows for name in re.findall(r"`(\w+)`", cells[0])]
    assert sorted(columns) == sorted(field.name for field in PromptLog._meta.get_fields())
    statuses = next(cells[1] for cells in rows if cells[0] == "`status`")
    assert re.findall(r"`(\w+)`", statuses) == PromptStatus.values


def test_cost_bases__table():
    """The only table of cost bases lists exactly the cost bases."""
    assert [cells[0].strip("`") for cells in table("docs/costs.md", "cost bases")] == CostBasis.values


def test_cache_policies__table():
    """The only table of cache policies lists exactly the ready-made ones, and marks the default."""
    cells = [cells[0] for cells in table("docs/caching.md", "cache policies")]
    *told, own = [cell.split("`")[1] if "`" in cell else cell for cell in cells]
    policies = [value for value in vars(cache).values() if isinstance(value, type) and issubclass(value, CachePolicy)]
    assert set(told) == {f"{cache.__name__}.{policy.__name__}" for policy in policies if policy is not CachePolicy}
    assert [cell for cell in cells if cell.endswith("(default)")] == [f"`{DEFAULTS['CACHE_POLICY']}` (default)"]
    assert own == "a class of your own"


def test_providers_offer__table():
    """The only table of what a provider may offer lists exactly the public attributes of LlmProvider."""
    told = [re.split(r"[ (`]+", cells[0].replace("async ", ""))[1] for cells in table("MODULE.md", "providers offer")]
    assert told == [name for name in vars(LlmProvider) if not name.startswith("_") and name != "complete"]


def test_tables__of_the_database():
    """The only table of database tables lists exactly the tables."""
    rows = {cells[0].strip("`") for cells in table("docs/ledger.md", "tables")}
    assert rows == {model._meta.db_table for model in apps.get_app_config("agent").get_models()}


def test_failures__table():
    """The only table of failures lists every failure, with its exceptions."""
    rows = table("docs/failures.md", "failures")
    for failure, names, *_ in rows:
        for name in re.findall(r"`(\w+)`", names):
            assert getattr(exceptions, name).failure == failure.strip("`")
    faults = [value for value in vars(exceptions).values() if isinstance(value, type)]
    told = {fault.failure for fault in faults if issubclass(fault, exceptions.AgentError)}
    told |= {answers.INTERNAL_ERROR, job.DEADLINE}
    assert {failure.strip("`") for failure, *_ in rows} == told


def test_statuses__table():
    """The only table of statuses lists the exception for each status, and whether it is retried and may fall back."""
    rows = table("docs/failures.md", "statuses")
    listed = {int(status): cells[1:] for cells in rows for status in re.findall(r"\b\d{3}\b", cells[0])}
    others = {int(first) * 100: cells[1:] for cells in rows for first in re.findall(r"(\d)xx", cells[0])}
    assert sorted(listed) == sorted(EXCEPTION_BY_STATUS)
    for status in range(300, 1000):
        fault = classify(status, "")
        name, follows = listed.get(status) or others.get(status // 100 * 100) or rows[-1][1:]
        assert name == f"`{type(fault).__name__}`", status
        assert (delay_before_retry(fault, 0, 60) is not None, allows_fallback(fault)) == (
            "retry" in follows,
            "fallback" in follows,
        ), status


def test_exceptions__tree():
    """The tree in the module's docstring is the tree of its classes."""
    drawn = re.findall(r"^[ │├└─]*([A-Z]\w+) {2,}\w", exceptions.__doc__, re.MULTILINE)
    faults = [value for value in vars(exceptions).values() if isinstance(value, type) and issubclass(value, Exception)]
    classes = {fault.__name__ for fault in faults}
    assert set(drawn) == classes
    for name, failure in re.findall(r"[├└]── (\w+) +([a-z_]+)", exceptions.__doc__):
        if failure not in {"not", "an"}:
            assert getattr(exceptions, name).failure == failure
