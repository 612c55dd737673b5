"""What the documents say is true: every snippet runs, every command is there, every table agrees with the code."""

import ast
import doctest
import json
import re
import shlex
import subprocess
import sys
import uuid

import pytest
from django.core.management import get_commands
from stapel_core.comm import function_registry

from stapel_agent import exceptions, telemetry
from stapel_agent.conf import DEFAULTS
from stapel_agent.providers.base import ProviderResult
from stapel_agent.providers.registry import registry
from stapel_agent.signals import call_finished
from stapel_agent.testing import ModelRequest
from tests.answers import TRACED
from tests.documents import ROOT, block_after, blocks, read, table

DOCUMENTS = [
    "README.md",
    "MODULE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "docs/budgets.md",
    "docs/callers.md",
    "docs/dialects.md",
    "docs/failures.md",
    "docs/translation.md",
]

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
    """A model that says what the documents show, in the host of the quick start; what they register is forgotten."""
    host: dict = {"INSTALLED_APPS": [], "MIDDLEWARE": []}
    exec(block_after("README.md", "<!-- file: settings.py -->"), host)
    chosen = host["STAPEL_AGENT"]
    agent(DEFAULT_PROVIDER=chosen["DEFAULT_PROVIDER"], MODELS=chosen["OPENAI_COMPAT_MODELS"])
    monkeypatch.setattr(function_registry, "_providers", dict(function_registry._providers))
    monkeypatch.setattr(call_finished, "receivers", list(call_finished.receivers))
    with registry.overridden(registry._registered):
        scripted_model.script(model_of_the_documents)
        yield scripted_model


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["README.md", "MODULE.md", "docs/budgets.md", "docs/translation.md"])
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
    assert len(shown) == 4
    for command, answer in zip(shown[::2], shown[1::2], strict=True):
        arguments = shlex.split(command.replace("http://127.0.0.1:8000", live_server.url).replace("\\\n", " "))
        got = subprocess.run(arguments, capture_output=True, text=True, check=True)
        assert uuid.UUID(json.loads(answer)["request_id"])
        assert json.loads(got.stdout) == {**json.loads(answer), **TRACED}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_commands__exist(name):
    """Every make target, manage.py command, pip extra and test path that a document names is there."""
    for block in blocks(name, "bash"):
        for line in block.text.splitlines():
            words = shlex.split(line) if "curl" not in block.text else []
            if words[:1] == ["make"]:
                subprocess.run(["make", "-n", words[1]], cwd=ROOT, check=True, capture_output=True)
            elif words[:2] == ["python", "manage.py"]:
                assert words[2] in get_commands()
            elif words[:2] == ["pip", "install"]:
                assert re.fullmatch(r"stapel-agent(\[(anthropic|otel)\])?", words[2])
            else:
                assert words == [], f"{name}: nothing runs {line!r}"
    for path in re.findall(r"`(?:\S+ )*(tests/\S+?\.py)`", read(name)):
        assert (ROOT / path).exists()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links__lead_somewhere(name):
    """Every relative link leads to a file of the project, and to a heading in it."""
    for path, _, heading in (target.partition("#") for target in re.findall(r"\]\(([^)\s]+)\)", read(name))):
        if "://" in path:
            continue
        linked = (ROOT / name).parent / path if path else ROOT / name
        assert linked.exists(), path
        headings = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.MULTILINE) if heading else []
        assert not heading or heading in {title.lower().replace(" ", "-") for title in headings}


def test_settings__table():
    """The README's table has every setting, with its default, and no other."""
    rows = {cells[0].strip("`"): cells[1] for cells in table("README.md", "settings")}
    assert list(rows) == list(DEFAULTS)
    for key, cell in rows.items():
        if key != "MODELS":
            assert ast.literal_eval(cell.strip("`")) == DEFAULTS[key]
    models = dict(re.findall(r"`(\w+)`: `([\w.-]+)`", rows["MODELS"]))
    assert models == DEFAULTS["MODELS"]


def test_checks__table():
    """MODULE.md's table has every id that a check can report, and no other."""
    rows = [cells[0].strip("`") for cells in table("MODULE.md", "checks")]
    source = "".join(read(f"stapel_agent/{name}.py") for name in ("checks", "setting_kinds"))
    assert rows == sorted(set(re.findall(r'"(stapel_agent\.[EW]\d{3})"', source)))


def test_metrics__table():
    """MODULE.md's table has every metric as the code declares it, and no other."""
    assert table("MODULE.md", "metrics") == [
        [f"`stapel_{metric.name}`", metric.kind, ", ".join(f"`{label}`" for label in metric.labels), metric.description]
        for metric in telemetry.METRICS
    ]


def test_failures__table():
    """MODULE.md's table names each exception's failure truly, and every failure there is."""
    rows = table("MODULE.md", "failures")
    for failure, names, *_ in rows:
        for name in re.findall(r"`(\w+)`", names):
            assert getattr(exceptions, name).failure == failure.strip("`")
    faults = [value for value in vars(exceptions).values() if isinstance(value, type)]
    told = {fault.failure for fault in faults if issubclass(fault, exceptions.AgentError)}
    assert {failure.strip("`") for failure, *_ in rows} == told


def test_exceptions__tree():
    """The tree drawn in the module's docstring is the tree of its classes."""
    drawn = re.findall(r"^[ │├└─]*([A-Z]\w+) {2,}\w", exceptions.__doc__, re.MULTILINE)
    classes = {name for name, value in vars(exceptions).items() if isinstance(value, type)}
    assert set(drawn) == classes
    for name, failure in re.findall(r"[├└]── (\w+) +([a-z_]+)", exceptions.__doc__):
        if failure not in {"not", "an"}:
            assert getattr(exceptions, name).failure == failure


QUICK_START = """
import sys, django
from django.core.management import call_command
django.setup()
call_command("migrate", verbosity=0)
call_command("check", tags=["stapel_agent"], fail_level="WARNING", verbosity=0)
call_command("check", tags=["stapel_agent"], deploy=True, fail_level="WARNING", verbosity=0)
from django.urls import resolve
assert resolve("/agent/api/v1/llm/complete").view_name == "agent:v1:llm-complete"
from stapel_core.comm import call
print(call("llm.complete", {"prompt": "hi", "model": "small"})["reason"])
"""


def test_quick_start__in_a_new_project(tmp_path):
    """The quick start's blocks, pasted into a project that Django has just made, are a host that works."""
    subprocess.run([sys.executable, "-m", "django", "startproject", "host", tmp_path], check=True)
    for name in ("settings.py", "urls.py"):
        with open(tmp_path / "host" / name, "a", encoding="utf-8") as file:
            file.write(block_after("README.md", f"<!-- file: {name} -->").replace(":11434/", ":9/"))
    (tmp_path / "try.py").write_text(QUICK_START)
    done = subprocess.run(
        [sys.executable, "try.py"],
        cwd=tmp_path,
        env={"DJANGO_SETTINGS_MODULE": "host.settings", "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("overloaded: the provider cannot be reached")
