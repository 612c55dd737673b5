"""`llm_translate` on growing files: the processor time of the whole command, which should grow with the work."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.host import on_each_engine, show, verdict
from benchmarks.translation import Model, asked

SIZES = (1_000, 2_000, 4_000, 8_000)
TURNS = 3
"""Their mean counts: SQLite sometimes clears its log, which affects few of the short runs."""
HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'


def gettext(folder: Path, count: int) -> Path:
    """A template of `count` entries that no other run has."""
    entries = (f'\n#: shop.py:{n}\nmsgid "Text {n} of {count} is not empty"\nmsgstr ""\n' for n in range(count))
    path = folder / "shop.pot"
    path.write_text(HEADER + "".join(entries))
    return path


def nested_json(folder: Path, count: int) -> Path:
    """An object of objects with ten texts each."""
    tree = {f"page{n}": {f"key{m}": f"Text {n} {m} of {count}, as JSON" for m in range(10)} for n in range(count // 10)}
    path = folder / "en.json"
    path.write_text(json.dumps(tree, indent=2))
    return path


def android(folder: Path, count: int) -> Path:
    """Android's resources, with a comment on each."""
    strings = (
        f'    <!-- Note {n} -->\n    <string name="s{n}">Text {n} of {count} is here</string>\n' for n in range(count)
    )
    return _written(folder / "values" / "strings.xml", f"<resources>\n{''.join(strings)}</resources>\n")


def apple(folder: Path, count: int) -> Path:
    """Apple's strings, with a comment on each."""
    lines = (f'/* Note {n} */\n"key{n}" = "Text {n} of {count} for Apple";\n\n' for n in range(count))
    return _written(folder / "en.lproj" / "Localizable.strings", "".join(lines))


def string_catalog(folder: Path, count: int) -> Path:
    """Apple's string catalog, in Xcode's layout."""
    tree = {"sourceLanguage": "en", "strings": {f"Text {n} of {count} in a catalog": {} for n in range(count)}}
    return _written(folder / "Localizable.xcstrings", json.dumps(tree, indent=2, separators=(",", " : ")))


def rails(folder: Path, count: int) -> Path:
    """Rails' YAML, with ten texts below each key."""
    lines = (f"  page{n}:\n" * (n % 10 == 0) + f"    key{n}: Text {n} of {count} for Rails\n" for n in range(count))
    return _written(folder / "en.yml", "en:\n" + "".join(lines))


def fluent(folder: Path, count: int) -> Path:
    """Fluent messages, with a comment on each."""
    return _written(
        folder / "en.ftl", "".join(f"# Note {n}\nkey{n} = Text {n} of {count} in Fluent\n" for n in range(count))
    )


def _written(path: Path, content: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    return path


FILES = {
    "gettext": gettext,
    "JSON": nested_json,
    "Android": android,
    "Apple strings": apple,
    "string catalog": string_catalog,
    "Rails": rails,
    "Fluent": fluent,
}


def seconds(source: Path) -> float:
    """The processor time of a run that translates all of `source`."""
    from django.core.management import call_command

    with asked(Model()):
        started_at = time.process_time()
        call_command("llm_translate", str(source), "--to", "de", verbosity=0, skip_checks=True)
    return time.process_time() - started_at


def run(made: Callable[[Path, int], Path], count: int, turn: int) -> float:
    """Run each size in turns, in its own folder with its own texts."""
    with TemporaryDirectory() as folder:
        return seconds(made(Path(folder), count + turn * 10)) * count / (count + turn * 10)


def measure() -> None:
    with TemporaryDirectory() as folder:
        seconds(gettext(Path(folder), 100))  # things that are done once per process
    for name, made in FILES.items():
        took = []
        for count in SIZES:
            took.append(sum(run(made, count, turn) for turn in range(TURNS)) / TURNS)
            reference = " (reference)" if count == SIZES[0] else ""
            show(f"{count:,} {name} entries, processor time{reference}", took[-1], "s", f"= {took[-1] / took[0]:.1f}x")
        verdict("8,000 in <= 9x the time of 1,000", took[-1] <= 9 * took[0])


if __name__ == "__main__":
    on_each_engine("benchmarks.catalogues", measure, engines=["sqlite"])  # the files are what is measured
