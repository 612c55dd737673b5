"""The measures of the package's code: `python -m tests.measures` prints each beside its limit."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median

PACKAGE = Path(__file__).parent.parent / "stapel_agent"
COPIED_LINES = 6

LAZY_IMPORTS = {
    "apps.py": "Django allows no models before its apps are ready",
    "providers/anthropic.py": "the SDK is optional, and takes a second to load",
    "providers/anthropic_sdk.py": "the SDK is optional, and takes a second to load",
    "translation/language/language_detection.py": "the detector is optional, and takes a second to load",
    "translation/word_forms.py": "the stemmers are optional",
    "catalogues/fluent_catalogue.py": "the parser is optional",
    "telemetry/tracing.py": "OpenTelemetry is optional",
}
"""Module -> why its functions import."""

WRITERS = (
    r"\brow\.save\(|\brows\.filter\((pk|condition).*\)\.update\("
    r"|PromptLog\.objects\S*\.(update|delete|create|bulk_create)\(|INSERT INTO \{TABLE\}"
)
FEW = {
    "writer of the ledger": (2, WRITERS),  # `ledger` writes rows, and `scrubbing` removes texts
    "builder of answers": (1, r'(return|=) {"status": '),
    "registry class": (1, r"^class \w*Registry\b"),
    "classifier of HTTP statuses": (1, r"^ +429: "),
    "walker of the chain": (1, r"= Chain\("),
}
"""Roles that few modules may have -> how many, and the code that shows the role."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Measure:
    """One measure of the code, its limit, and the places where it was found."""

    name: str
    figure: float
    least: float
    most: float
    where: str = ""

    @property
    def is_kept(self) -> bool:
        return self.least <= self.figure <= self.most

    def __str__(self) -> str:
        limit = f"{self.least:g} to {self.most:g}" if self.least else f"at most {self.most:g}"
        return f"{'  ' if self.is_kept else '! '}{self.name:<44}{self.figure:>9.4g}   {limit:<14} {self.where}".rstrip()


@cache
def sources() -> dict[str, str]:
    """Module -> text, of all handwritten modules."""
    paths = sorted(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)
    return {str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8") for path in paths}


@cache
def functions() -> dict[str, Function]:
    """Place -> each function."""
    return {
        f"{module}:{node.lineno} {node.name}": node
        for module, text in sources().items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, Function)
    }


def measures() -> Iterator[Measure]:
    lines = {module: text.count("\n") for module, text in sources().items()}
    lengths = {where: _length(node) for where, node in functions().items()}
    yield Measure("modules: the longest, lines", *_most(lines, 350))
    yield Measure("modules: median, lines", median(lines.values()), 0, 130)
    yield Measure("functions: the longest, lines", *_most(lengths, 35))
    yield Measure("functions: median, lines", median(lengths.values()), 0, 6)
    yield Measure("imports in functions, without a reason", *_none(inner_imports()))
    yield Measure("modules directly in the package", len([module for module in lines if "/" not in module]), 0, 30)
    yield Measure("circles of imports between modules", *_none(circle(module_imports())))
    yield Measure("circles of imports between packages", *_none(circle(package_imports())))
    yield Measure("imports past a package's __init__", *_none(imports_past_init()))
    yield from few()
    yield Measure(f"runs of {COPIED_LINES} lines that are copied", *_none(copied_runs()))
    yield Measure("comments, % of lines of code and comments", comment_share(), 2, 5)
    yield Measure("async twins of a function, % of lines", twin_share(), 0, 5)


def inner_imports() -> Iterator[str]:
    for where, node in functions().items():
        if imports(node) and where.partition(":")[0] not in LAZY_IMPORTS:
            yield where


def imports(node: Function) -> bool:
    return any(isinstance(inner, ast.Import | ast.ImportFrom) for inner in ast.walk(node))


@cache
def module_imports() -> dict[str, set[str]]:
    """Module -> the modules that it imports, including those for type checkers only. A package is its `__init__`.

    The package's own lazy `__init__` does not count, nor does a module count as its package for its siblings.
    """
    names = {_module_name(path): path for path in sources()}
    found = {name: set(_imported(name, path, names)) for name, path in names.items() if name}
    return {name: {other for other in others if not name.startswith(f"{other}.")} for name, others in found.items()}


def package_imports() -> dict[str, set[str]]:
    """The same for the direct members of `stapel_agent/`."""
    packages: dict[str, set[str]] = {}
    for module, others in module_imports().items():
        room = module.partition(".")[0]
        packages.setdefault(room, set()).update({other.partition(".")[0] for other in others} - {room})
    return packages


def imports_past_init() -> Iterator[str]:
    """Imports of a module inside another package, instead of from the package's `__init__`."""
    for module, others in module_imports().items():
        for other in others:
            if "." in other and other.partition(".")[0] != module.partition(".")[0]:
                yield f"{module} -> {other}"


def circle(graph: dict[str, set[str]]) -> list[str]:
    """The first import circle, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as fault:
        return [" -> ".join(fault.args[1])]
    return []


def few() -> Iterator[Measure]:
    for name, (number, pattern) in FEW.items():
        found = [module for module, text in sources().items() if re.search(pattern, text, re.MULTILINE)]
        yield Measure(f"modules that are a {name}", len(found), number, number, ", ".join(found))


def copied_runs() -> Iterator[str]:
    """Lines of function bodies that occur in another place too, without blank lines, docstrings and comments."""
    first: dict[tuple[str, ...], str] = {}
    for places, lines in (_body(where, node) for where, node in functions().items()):
        for start in range(len(lines) - COPIED_LINES + 1):
            run, place = tuple(lines[start : start + COPIED_LINES]), places[start]
            if first.setdefault(run, place) != place:
                yield f"{first[run]} ~ {place}"


def comment_share() -> float:
    """Docstrings count as neither code nor comments: they are the interface."""
    comments = code = 0
    for text in sources().values():
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
        comments += sum(token.type == tokenize.COMMENT for token in tokens)
        code += sum(token.type == tokenize.NEWLINE for token in tokens)
    return 100 * comments / (comments + code)


def twin_share() -> float:
    """The share of async functions that differ from the synchronous one beside them only in how they wait."""
    named = {(where.partition(":")[0], node.name) for where, node in functions().items()}
    twins = [
        _length(node)
        for where, node in functions().items()
        if isinstance(node, ast.AsyncFunctionDef) and (where.partition(":")[0], _sync_name(node.name)) in named
    ]
    return 100 * sum(twins) / sum(text.count("\n") for text in sources().values())


def _module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("__init__").rstrip("/").replace("/", ".")


def _imported(name: str, path: str, names: dict[str, str]) -> Iterator[str]:
    package = name if path.endswith("__init__.py") else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(sources()[path])):
        if not isinstance(node, ast.ImportFrom):
            continue
        parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        base = ".".join([*filter(None, parents), *filter(None, [node.module or ""])])
        base = (
            base
            if node.level
            else base.removeprefix("stapel_agent").lstrip(".")
            if base.startswith("stapel_agent")
            else "-"
        )
        for alias in node.names:
            target = f"{base}.{alias.name}".lstrip(".")
            yield from {target if target in names else base} & (names.keys() - {"", name})


def _body(where: str, node: Function) -> tuple[list[str], list[str]]:
    """The places of a body's lines, and the lines."""
    module = where.partition(":")[0]
    first = node.body[0].end_lineno + 1 if ast.get_docstring(node) is not None else node.body[0].lineno
    numbered = enumerate(sources()[module].splitlines()[first - 1 : node.end_lineno], first)
    kept = {f"{module}:{number}": line.strip() for number, line in numbered if line.strip() and line.strip()[0] != "#"}
    return list(kept), list(kept.values())


def _sync_name(name: str) -> str:
    """`acomplete`, `_acomplete` and `__aenter__` are the twins of `complete`, `_complete` and `__enter__`."""
    bare = name.lstrip("_")
    return name[: len(name) - len(bare)] + bare.removeprefix("a")


def _length(node: Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _most(figures: dict[str, int], limit: int) -> tuple[float, float, float, str]:
    where = max(figures, key=figures.__getitem__)
    return figures[where], 0, limit, where


def _none(found: Iterable[str]) -> tuple[float, float, float, str]:
    places = list(found)
    return len(places), 0, 0, ", ".join(places)


if __name__ == "__main__":
    kept = list(measures())
    print(*kept, sep="\n")
    sys.exit(not all(measure.is_kept for measure in kept))
