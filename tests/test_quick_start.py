"""The README's quick start, word for word, in new `startproject` projects."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.core.management import call_command

from tests.documents import ROOT, block_after
from tests.scripted_server import Reply, ScriptedServer

pytestmark = pytest.mark.any_database

MODELS = """
from django.contrib.auth.models import AbstractUser
class Person(AbstractUser):
    shoe_size = __import__("django.db.models").db.models.IntegerField(default=42)
"""
HTTP = """
import json, sys, django
django.setup()
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
settings.ALLOWED_HOSTS = ["*"]
users = get_user_model().objects
staff = users.filter(username="staff").first() or users.create_superuser("staff", password="p")
session = Client()
session.force_login(staff)
key = Client(headers={"X-API-KEY": "choose-a-long-random-key"})
payload = {"prompt": "hi", "model": "small"}
asked = [client.post("/agent/api/v1/llm/complete", payload, content_type="application/json")
         for client in (Client(), session, key)]
pages = [session.get(path).status_code for path in ("/admin/agent/promptlog/", "/admin/agent/promptlog/usage/")]
print(json.dumps([[answer.status_code for answer in asked], pages]))
"""
TESTS = """
from django.test import TestCase
from stapel_agent import complete_json
from stapel_agent.testing import scripted_provider
class Cities(TestCase):
    def test_real_model(self):
        assert "tests may not call" in complete_json("Where?", "small")["reason"]
    def test_script(self):
        with scripted_provider({"city": "Lyon"}):
            assert complete_json("Where?", "small")["result"] == {"city": "Lyon"}
"""


MAKE_MIGRATIONS = "python manage.py makemigrations people"
CHECK = "python manage.py check --deploy --tag stapel_agent"
IN_TURN = """
import json, shlex, sys
from contextlib import redirect_stdout
from io import StringIO
from django.core.management import execute_from_command_line
printed = []
for line in sys.argv[1:]:
    with redirect_stdout(StringIO()) as output:
        execute_from_command_line(shlex.split(line)[1:]) if line.startswith("python ") else exec(line, {})
    printed.append(output.getvalue())
print(json.dumps(printed))
"""


@dataclass(frozen=True)
class Project:
    """A project on disk, whose commands run in separate processes."""

    folder: Path

    def append(self, name: str, text: str) -> None:
        with open(self.folder / "host" / name, "a", encoding="utf-8") as file:
            file.write(text)

    def run(self, *words: str) -> str:
        environment = {name: value for name, value in os.environ.items() if "_KEY" not in name}
        environment |= {"DJANGO_SETTINGS_MODULE": "host.settings", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, *words], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run_in_turn(self, *lines: str) -> list[str]:
        """Run commands that begin with "python manage.py", and programs, in one process. Returns what each printed."""
        return list(json.loads(self.run("-c", IN_TURN, *lines).splitlines()[-1]))

    def with_people(self) -> None:
        """The project's own user model, whose migrations are not made yet."""
        app = self.folder / "people"
        (app / "migrations").mkdir(parents=True)
        for name, text in {"__init__.py": "", "migrations/__init__.py": "", "models.py": MODELS}.items():
            (app / name).write_text(text)
        self.append("settings.py", 'INSTALLED_APPS += ["people"]\nAUTH_USER_MODEL = "people.Person"\n')

    def paste_quick_start(self, url: str, *more: str) -> list[str]:
        """Paste the blocks. Returns the commands."""
        settings = block_after("README.md", "<!-- file: settings.py -->")
        self.append("settings.py", settings.replace("http://127.0.0.1:11434/v1", url))
        self.append("urls.py", block_after("README.md", "<!-- file: urls.py -->"))
        for block in more:
            self.append("settings.py", block_after("README.md", f"<!-- file: {block} -->"))
        return block_after("README.md", "<!-- commands: quick start -->").splitlines()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    call_command("startproject", "host", tmp_path)
    return Project(tmp_path)


@pytest.fixture
def url() -> Iterator[str]:
    """An endpoint that answers every call with JSON."""
    message = {"role": "assistant", "content": '{"story": "Once upon a time"}'}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    reply = Reply.of({"choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 4}})
    with ScriptedServer(reply, reply, reply) as server:
        yield f"{server.url}/v1"


def test_quick_start__fresh_project(project, url):
    """In a new project, the commands have no finding, the model answers, and staff can call over HTTP.

    For other services, it then needs two more lines, and no migration.
    """
    _, check, answer = [project.run(*shlex.split(line)[1:]) for line in project.paste_quick_start(url)]
    assert "no issues" in check
    assert "Once upon a time" in answer
    assert project.run("-c", HTTP).splitlines()[-1] == "[[401, 200, 401], [200, 200]]"
    project.append("settings.py", block_after("README.md", "<!-- file: services.py -->"))
    check, asked = project.run_in_turn(CHECK, HTTP)
    assert "no issues" in check
    assert asked.splitlines()[-1] == "[[401, 200, 200], [200, 200]]"


def test_quick_start__own_user_model_before_the_first_migration(project, url):
    """A project with its own user model, not yet migrated, needs no other steps.

    The README's test runner then refuses a real model and accepts a script.
    """
    project.with_people()
    _, _, check, answer, asked = project.run_in_turn(MAKE_MIGRATIONS, *project.paste_quick_start(url), HTTP)
    assert "no issues" in check
    assert "Once upon a time" in answer
    assert asked.splitlines()[-1] == "[[401, 200, 401], [200, 200]]"
    (project.folder / "host" / "runner.py").write_text(block_after("README.md", "<!-- file: runner.py -->"))
    project.append("settings.py", 'TEST_RUNNER = "host.runner.TestRunner"\n')
    (project.folder / "host" / "tests.py").write_text(TESTS)
    assert "Found 2 test(s)" in project.run("manage.py", "test", "host")


def test_quick_start__existing_project(project, url):
    """A migrated project with its own user model and users can add the app without changing either."""
    project.with_people()
    person = "from people.models import Person; Person.objects.create_superuser('staff')"
    project.run_in_turn(MAKE_MIGRATIONS, "python manage.py migrate", person)
    migrated, check, answer, asked = project.run_in_turn(*project.paste_quick_start(url), HTTP)
    applied = [line.split()[1] for line in migrated.splitlines() if line.startswith("  Applying")]
    assert {name.partition(".")[0] for name in applied} == {"agent"}
    assert "no issues" in check
    assert "Once upon a time" in answer
    assert asked.splitlines()[-1] == "[[401, 200, 401], [200, 200]]"


def test_quick_start__stapel_project(project, url):
    """After the other sections, services can call, and no check has a finding."""
    *_, check, asked = project.run_in_turn(*project.paste_quick_start(url, "services.py", "stapel.py"), CHECK, HTTP)
    assert "no issues" in check
    assert asked.splitlines()[-1] == "[[401, 200, 200], [200, 200]]"


@pytest.mark.parametrize(
    ("line", "finding"),
    [
        ("del STAPEL_AGENT", "ANTHROPIC_API_KEY"),
        ('STAPEL_AGENT["OPENAI_COMPAT_MODELS"] = {"small": "llama3.2"}', "OPENAI_COMPAT_MODELS['large']"),
        ('STAPEL_AGENT["OPENAI_COMPAT_BASE_URL"] = ""', "OPENAI_COMPAT_BASE_URL is empty"),
        ('STAPEL_AGENT["DEFAULT_PROVIDER"] = "openai"', "'openai-compat'"),
    ],
)
def test_check__before_a_first_call(settings, line, finding):
    """Without --deploy, `check` reports what would make the first call fail, and names the setting."""
    host = {"INSTALLED_APPS": [], "REST_FRAMEWORK": {}}
    exec(block_after("README.md", "<!-- file: settings.py -->") + line, host)
    settings.STAPEL_AGENT = host.get("STAPEL_AGENT", {})
    assert finding in " ".join(warning.msg + str(warning.hint) for warning in run_checks(tags=["stapel_agent"]))
