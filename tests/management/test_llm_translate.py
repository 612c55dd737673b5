"""`manage.py llm_translate`, as a person runs it."""

import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import termios
from contextlib import suppress
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from stapel_agent.models import PromptLog
from stapel_agent.providers.base import ProviderResult
from stapel_agent.testing import translating
from tests.documents import ROOT, block_after

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

TEXTS = {"greeting": "Hello", "menu": {"save": "Save", "size": 3}}
TRANSLATED = {"greeting": "HELLO", "menu": {"save": "SAVE", "size": 3}}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A catalogue with two texts and a number."""
    path = tmp_path / "en.json"
    path.write_text(json.dumps(TEXTS, indent=2) + "\n")
    return path


@pytest.fixture
def slices_of_one(agent):
    """A slice for each text."""
    agent(TRANSLATE_CHUNK_ENTRIES=1, TRANSLATE_CONCURRENCY=1)


def run(*arguments: object, **options: object) -> tuple[str, str]:
    """What the command prints to stdout and stderr. A CommandError is the last line of stderr."""
    out, err = StringIO(), StringIO()
    try:
        call_command("llm_translate", *map(str, arguments), stdout=out, stderr=err, **options)
    except CommandError as fault:
        err.write(f"CommandError: {fault}\n")
    return out.getvalue(), err.getvalue()


def row(out: str, language: str = "de") -> list[str]:
    """The numbers of a language in the summary: kept, translated, failed, left, input and output tokens."""
    return next(line for line in out.splitlines() if line.startswith(f"{language} ")).split()[1:7]


def test_json__new_languages(source, scripted_model):
    """Each language gets a file beside the source, in the source's shape, and a row in the summary."""
    scripted_model.script(translating(str.upper))
    out, err = run(source, "--to", "de", "--to", "pt-BR", "--from", "en")
    assert err == ""
    for name in ("de.json", "pt-BR.json"):
        assert (source.parent / name).read_text() == json.dumps(TRANSLATED, indent=2) + "\n"
    assert [row(out, language)[:4] for language in ("de", "pt-BR")] == [["0", "2", "0", "0"]] * 2
    assert {log.metadata["to"] for log in PromptLog.objects.all()} == {"de", "pt-BR"}


def test_out__folder(source, scripted_model, tmp_path):
    """The files go to another folder, which is created. The arguments reach the provider."""
    scripted_model.script(translating(str.upper))
    run(source, "--to", "de", "--out", tmp_path / "über" / "uns", "--model", "large", "--provider", "claude-code")
    assert json.loads((tmp_path / "über" / "uns" / "de.json").read_text())["greeting"] == "HELLO"
    assert PromptLog.objects.values_list("model_size", "metadata__provider").get() == ("large", "claude-code")


@pytest.mark.parametrize(("option", "asked"), [([], "low"), (["--effort", "high"], "high")])
def test_effort__reaches_the_model(source, scripted_model, option, asked):
    """--effort sets how hard the model thinks. Without it, the settings for translations apply."""
    scripted_model.script(translating(str.upper))
    run(source, "--to", "de", *option)
    assert [request.effort for request in scripted_model.requests] == [asked]


def test_glossary_and_context__reach_the_model(source, scripted_model):
    """The model gets the glossary of the language, and the context."""
    glossary = source.parent / "terms.json"
    glossary.write_text('{"de": {"Save": "Sichern"}, "fr": {"Save": "Enregistrer"}}')
    scripted_model.script(lambda request: translating(lambda text: text.replace("Save", "Sichern"))(request))
    run(source, "--to", "de", "--glossary", glossary, "--context", "Buttons of a shop.")
    (asked,) = scripted_model.requests
    told = f"{asked.system_prompt} {asked.prompt}"
    assert ["Sichern" in told, "Enregistrer" in told, "Buttons of a shop." in told] == [True, False, True]


def test_plural_forms__asked_one_by_one(tmp_path, scripted_model):
    """If there are more than two forms, the model gets an example number for each, besides the caller's context."""
    source = tmp_path / "shop.pot"
    source.write_text('msgid "%d file"\nmsgid_plural "%d files"\nmsgstr[0] ""\nmsgstr[1] ""\n')

    def counting(request):
        number = re.search(r"numbers such as (\d)", request.system_prompt or "")
        form = {"2": "файла", "5": "файлов"}.get(number[1]) if number else "файл"
        return translating(lambda text: re.sub("files?", form, text))(request)

    scripted_model.script(counting)
    out, err = run(source, "--to", "ru", "--context", "Of a shop.")
    assert (row(out, "ru")[:4], err) == (["0", "3", "0", "0"], "")
    assert all("Of a shop." in request.system_prompt for request in scripted_model.requests)
    assert re.findall(r'msgstr\[\d\] "(.*)"', (tmp_path / "ru.po").read_text()) == [
        "%d файл",
        "%d файла",
        "%d файлов",
    ]


def test_kept__existing_translations(source, scripted_model):
    """Existing translations are neither sent nor changed. The others are added."""
    target = source.parent / "de.json"
    target.write_text('{\n\t"mine": "only here",\n\t"greeting": "Moin"\n}')
    scripted_model.script(translating(str.upper))
    out, _ = run(source, "--to", "de")
    assert row(out)[:4] == ["1", "1", "0", "0"]
    assert (
        target.read_text()
        == '{\n\t"mine": "only here",\n\t"greeting": "Moin",\n\t"menu": {\n\t\t"save": "SAVE",\n\t\t"size": 3\n\t}\n}'
    )
    assert "Hello" not in scripted_model.requests[0].prompt


def test_overwrite__asks_for_all(source, scripted_model):
    """Only --overwrite replaces existing translations."""
    target = source.parent / "de.json"
    target.write_text('{"greeting": "Moin", "mine": "only here"}')
    scripted_model.script(translating(str.upper))
    out, _ = run(source, "--to", "de", "--overwrite")
    assert row(out)[:4] == ["0", "2", "0", "0"]
    assert json.loads(target.read_text()) == {
        "greeting": "HELLO",
        "menu": {"save": "SAVE", "size": 3},
        "mine": "only here",
    }


def test_complete__nothing_happens(source, scripted_model):
    """A second run makes no call and does not change the file."""
    scripted_model.script(translating(str.upper))
    run(source, "--to", "de")
    target = source.parent / "de.json"
    os.utime(target, (1, 1))
    scripted_model.script("never asked")
    out, err = run(source, "--to", "de")
    assert (row(out)[:4], err) == (["2", "0", "0", "0"], "")
    assert scripted_model.requests == []
    assert target.stat().st_mtime == 1


def test_interrupted__goes_on(source, scripted_model, slices_of_one):
    """After Ctrl-C, the file has the finished translations, and the exit code is 130. The next run does the rest."""

    def interrupted(request):
        if "Save" in request.prompt:
            raise KeyboardInterrupt
        return translating(str.upper)(request)

    scripted_model.script(interrupted)
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("llm_translate", str(source), "--to", "de", "--to", "fr", stdout=out, stderr=err)
    assert ended.value.code == 130
    assert row(out.getvalue())[:4] == ["0", "1", "0", "1"]
    assert err.getvalue() == "interrupted; run the same command to continue\n"
    assert json.loads((source.parent / "de.json").read_text()) == {"greeting": "HELLO", "menu": {"size": 3}}
    assert not (source.parent / "fr.json").exists()

    scripted_model.script(translating(str.upper))
    out, _ = run(source, "--to", "de")
    assert row(out)[:4] == ["1", "1", "0", "0"]
    assert len(scripted_model.requests) == 1


def test_person__saves_meanwhile(source, scripted_model, slices_of_one):
    """A translation that a person saves during the run is kept, instead of the model's."""
    target = source.parent / "de.json"

    def interfering(request):
        if "Save" in request.prompt:
            target.write_text('{"greeting": "Moin", "menu": {"save": "Sichern"}}')
        return translating(str.upper)(request)

    scripted_model.script(interfering)
    run(source, "--to", "de")
    assert json.loads(target.read_text()) == {"greeting": "Moin", "menu": {"save": "Sichern", "size": 3}}


def test_nobody_answers__ends_the_run(source, scripted_model, slices_of_one):
    """If no provider can be asked, the first slice reports it, nothing more is asked, and no file is created."""
    out, err = run(source, "--to", "de", "--to", "fr", "--model", "tiny")
    assert row(out)[:4] == ["0", "0", "1", "1"]
    assert "fr " not in out
    assert re.fullmatch(
        r"de: rejected: .*tiny.*\nCommandError: not translated: 2; fix the problem named above, then run"
        r" the same command to translate the missing texts\n",
        err,
    )
    assert not (source.parent / "de.json").exists()


def test_over_budget__one_reason(tmp_path, scripted_model, agent):
    """A reason is printed once, although its amounts differ. The last line says what helps."""
    agent(
        BUDGETS=[{"scope": "source", "period": "month", "tokens": 100}],
        TRANSLATE_CHUNK_ENTRIES=1,
        TRANSLATE_CONCURRENCY=2,
    )
    source = tmp_path / "en.json"
    source.write_text(json.dumps({"a": "A text", "b": "A text that is longer than the other one"}))
    _, err = run(source, "--to", "de")
    assert re.fullmatch(
        r"de: over_budget: .*\n"
        r"CommandError: not translated: 2; raise the budget or wait until it is reset, then run the same .*\n",
        err,
    )


def test_bad_answer__next_slice_goes_on(source, scripted_model, slices_of_one):
    """An unusable answer that was paid for fails its texts. The next texts are still asked for."""
    scripted_model.script(
        lambda request: "prose" if "Hello" in request.prompt else translating(str.upper)(request),
    )
    out, err = run(source, "--to", "de")
    assert row(out)[:4] == ["0", "1", "1", "0"]
    assert row(out)[4] != "0"
    assert "  /greeting\nCommandError: not translated: 1; " in err
    assert json.loads((source.parent / "de.json").read_text()) == {"menu": {"save": "SAVE", "size": 3}}


def test_failed_text__named_and_left_out(source, scripted_model):
    """A text that the model always omits is missing from the file and listed with the reason. The others are there."""

    def forgetful(request):
        reply = json.loads(translating(str.upper)(request))
        return json.dumps({key: text for key, text in reply.items() if text != "HELLO"})

    scripted_model.script(forgetful)
    out, err = run(source, "--to", "de")
    assert row(out)[:4] == ["0", "1", "1", "0"]
    assert re.fullmatch(r"de: \S.*\n  /greeting\nCommandError: not translated: 1; .*\n", err)
    assert json.loads((source.parent / "de.json").read_text()) == {"menu": {"save": "SAVE", "size": 3}}


def test_failures__in_several_files(tmp_path, scripted_model):
    """If several files are translated into a language, the file is named."""
    sources = [tmp_path / "locales" / "en" / f"{name}.json" for name in "ab"]
    sources[0].parent.mkdir(parents=True)
    for source in sources:
        source.write_text('{"key": "text"}')
    scripted_model.script("prose")
    err = run(*sources, "--to", "de")[1]
    named = re.findall(r"^(\S+/locales/de/\w+\.json): invalid_answer: ", err, re.MULTILINE)
    assert named == [str(tmp_path / "locales" / "de" / f"{name}.json") for name in "ab"]


def test_failures__many(tmp_path, scripted_model):
    """Ten texts are listed for each reason, and all of them with --verbosity 2. Names cannot move the cursor."""
    source = tmp_path / "en.json"
    source.write_text(json.dumps({f"key {number}\x1b[2J": "text" for number in range(12)}))
    scripted_model.script("prose")
    _, err = run(source, "--to", "de")
    assert err.count("  /key ") == 10
    assert "\n  and 2 more, which --verbosity 2 names\n" in err
    assert "\x1b" not in err
    assert run(source, "--to", "de", verbosity=2)[1].count("  /key ") == 12


def test_verbosity__nothing_but_errors(source, scripted_model):
    """--verbosity 0 prints only what went wrong."""
    scripted_model.script("prose")
    out, err = run(source, "--to", "de", verbosity=0)
    assert (out, "/greeting" in err) == ("", True)
    scripted_model.script(translating(str.upper))
    assert run(source, "--to", "de", verbosity=0) == ("", "")


def test_django_layout__fills_in_place(tmp_path, scripted_model):
    """In <locale>/<language>/LC_MESSAGES/, each language has its own file: the source, or a new one beside it."""
    source = tmp_path / "locale" / "de" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.write_text('msgid "Hello"\nmsgstr ""\n\nmsgid "Bye"\nmsgstr "Tschüss"\n')
    scripted_model.script(translating(str.upper))
    out, err = run(source, "--to", "de", "--to", "zh-hans")
    assert (row(out)[:4], row(out, "zh-hans")[:4], err) == (["1", "1", "0", "0"], ["0", "2", "0", "0"], "")
    assert source.read_text().endswith('\n\nmsgid "Hello"\nmsgstr "HELLO"\n\nmsgid "Bye"\nmsgstr "Tschüss"\n')
    assert (tmp_path / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po").exists()


@pytest.mark.parametrize(
    ("name", "content", "arguments", "mend"),
    [
        ("en.json", None, [], "cannot be read: No such file"),
        ("en.json", b'{"a": "\xe4"}', [], "is not UTF-8 in line 1: save it as UTF-8"),
        ("en.json", b'{"a": ', [], "is not JSON that can be translated: "),
        ("en.json", b'["a"]', [], 'must hold one object, such as {"key": "text"}'),
        ("en.json", b'{"a": 1, "a": 2}', [], "the key 'a' occurs twice in an object"),
        ("en.json", b'{"a": NaN}', [], "NaN is not a finite number"),
        ("en.json", b'{"a": "\\ud800"}', [], "an unpaired surrogate"),
        ("en.json", b'{"a":' * 200 + b"1" + b"}" * 200, [], "more than 100 levels deep"),
        ("en.json", b'{"a":' * 200_000, [], "is not JSON that can be translated: "),
        ("en.toml", b"a = 'b'", [], "its name must end in one of .json, .arb, .po, .pot, .xml"),
        ("de.json", b'{"a": "b"}', ["--from", "en"], "is the source itself: choose another folder with --out"),
        ("de.json", b'{"a": "b"}', [], "is in 'de' already: leave out --to de, or name the language of its texts"),
        ("de.json", b'{"a": "b"}', ["--out", "out"], "is in 'de' already"),
        ("shop.json", b'{"de": {"a": "b"}}', [], "is in 'de' already"),
        ("shop.arb", b'{"@@locale": "de", "a": "b"}', [], "is in 'de' already"),
        ("shop.yml", b"de:\n  a: b\n", [], "is in 'de' already"),
        ("shop.yml", b"de:\n  a: b\n", ["--estimate"], "is in 'de' already"),
        ("a.pot", b'msgid "a"\nmsgstr ""\n', ["--to", "en"], "is in 'en' already"),
        ("en.json", b'{"a": "b"}', ["--to", "xx"], "unknown language 'xx': use a tag such as 'de'"),
        ("en.json", b'{"a": "b"}', ["--to", "../de"], "unknown language '../de'"),
        ("en.json", b'{"a": "b"}', ["--from", "DE"], "--from 'DE' is also a target language: leave out one of them"),
        ("en.json", b'{"a": "b"}', ["--out", "/dev/null"], "cannot be written: choose another folder with --out"),
        ("en.json", b'{"a": "b"}', ["--glossary", "/dev/null"], "'/dev/null' is not JSON"),
        ("a.po", b'msgid "a"\nmsgstr\n', [], "is not a gettext file: line 2 is not valid in a gettext file"),
        ("a.po", b'msgid "a"\nmsgstr ""\n\nmsgid "a"\nmsgstr ""\n', [], "'a' occurs twice: merge the two with msguniq"),
    ],
)
def test_refused__with_the_mend(tmp_path, scripted_model, name, content, arguments, mend):
    """If a file or language cannot be used, the error says what to do. No model is called, and nothing is written."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    out, err = run(tmp_path / name, "--to", "de", *arguments)
    assert err.startswith("CommandError: ")
    assert mend in err
    assert (out, scripted_model.requests) == ("", [])
    assert [path.name for path in tmp_path.iterdir()] == ([name] if content is not None else [])


def test_refused__folder(source, scripted_model):
    """A folder is no catalogue: its files are to be named."""
    _, err = run(source.parent, "--to", "de")
    assert f"'{source.parent}' is a folder: name the files in it, as with '{source.parent}/*.json'" in err


def test_refused__one_bad_target_before_all(source, scripted_model):
    """All targets are read before the first call."""
    (source.parent / "fr.json").write_text('{"menu": "no object"}')
    _, err = run(source, "--to", "de", "--to", "fr")
    assert "differs from the source in structure at '/menu': correct it, or use --overwrite" in err
    assert scripted_model.requests == []


def test_progress__none_in_a_pipe(source, scripted_model, capsys):
    """Without a terminal, there is no progress bar."""
    scripted_model.script(translating(str.upper))
    run(source, "--to", "de")
    assert capsys.readouterr() == ("", "")


def test_progress__bar_on_a_terminal(source, scripted_model, monkeypatch):
    """On a terminal, a progress bar for each language reaches its end."""
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 80))
    scripted_model.script(translating(str.upper))
    with os.fdopen(end, "w") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        run(source, "--to", "de", "--to", "fr")
    seen = b""
    with suppress(OSError):  # Linux's end of file on a terminal
        while piece := os.read(terminal, 4096):
            seen += piece
    os.close(terminal)
    assert [re.search(language + rb": 100%.*2/2", seen) is not None for language in (b"de", b"fr")] == [True, True]


CHILD = """
import sys, django
django.setup()
from django.core.management import call_command, execute_from_command_line
from stapel_agent.testing import scripted_provider

def wait(request):
    print("asked", flush=True)
    sys.stdin.read()

call_command("migrate", verbosity=0)
with scripted_provider(wait):
    execute_from_command_line(["manage.py", "llm_translate", *sys.argv[1:]])
"""


def test_ctrl_c__exit_code(source):
    """SIGINT ends the process with exit code 130, after a summary."""
    settings = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(ROOT), "DATABASE": "sqlite"}
    command, pipe = [sys.executable, "-c", CHILD, str(source), "--to", "de"], subprocess.PIPE
    process = subprocess.Popen(command, env={**os.environ, **settings}, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert process.stdout.readline() == "asked\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, err) == (130, "interrupted; run the same command to continue\n")
    assert row(out)[:4] == ["0", "0", "0", "2"]


def test_document__as_shown(tmp_path, monkeypatch, scripted_model):
    """The documented command prints the documented output."""
    monkeypatch.chdir(tmp_path)
    Path("locales").mkdir()
    Path("locales/en.json").write_text('{"greeting": "Good morning", "menu": {"save": "Save", "open": "Open"}}')
    Path("locales/de.json").write_text('{"greeting": "Guten Morgen"}')
    command = shlex.split(block_after("docs/translation.md", "## Catalogues"))
    upper = translating(str.upper)
    scripted_model.script(
        lambda request: ProviderResult(upper(request), input_tokens=152, output_tokens=21),
        lambda request: ProviderResult(upper(request), input_tokens=158, output_tokens=30),
    )
    out, err = run(*command[3:])
    assert (out, err) == (block_after("docs/translation.md", "On a terminal, a bar shows"), "")
