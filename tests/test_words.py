"""The project keeps to docs/words.md: its names exist, and its forbidden words occur nowhere."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from itertools import count, takewhile

import pytest

from tests.documents import DOCUMENTS, ROOT, read, table
from tests.rows import every_row

WORDS = "docs/words.md"
PACKAGE = ROOT / "stapel_agent"
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent.name != "migrations")
OTHERS_WORDS = re.compile(r"network backend|^prompt log$")
"""httpcore's name of one of its parts, and the ledger's name in the admin since the first release."""
STORIES = re.compile(
    r"\b(TODO|FIXME|XXX|HACK|previously|formerly|used to|for now|currently|recently|legacy|deprecated|workaround)\b"
    r"|(?<!Schema )\b20\d\d-\d\d|#\d+",
    re.IGNORECASE,
)
"""Words that only dates, plans and stories need."""
STILTED = re.compile(
    r"\b(mend(s|ed|ing)?|amiss|anew|lest|heed(s|ed)?|thereof|of no use|in vain|for want of|all the same"
    r"|as ever|at the least|but for|told (of|by|apart|from|without)|none the less)\b",
    re.IGNORECASE,
)
"""Words for which there are commoner ones, such as "fix", "again", "except" and "reported"."""
COMMENT_LINES = 3


def comments(source: str) -> Iterator[str]:
    """The comments, each with all its lines."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    written = {token.start[0]: token for token in tokens if token.type == tokenize.COMMENT}
    lines = {number: token.string for number, token in written.items() if token.line.lstrip().startswith("#")}
    yield from (token.string for number, token in written.items() if number not in lines)
    for first in (number for number in lines if number - 1 not in lines):
        yield "\n".join(lines[number] for number in takewhile(lines.__contains__, count(first)))


def docstrings(source: str) -> Iterator[str]:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    yield from (ast.get_docstring(node) or "" for node in ast.walk(ast.parse(source)) if isinstance(node, documented))


def prose_of_code(source: str) -> Iterator[str]:
    """Comments, docstrings and all other prose."""
    yield from comments(source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.value


def prose_of(document: str) -> str:
    """A document without its code."""
    prose = re.sub(r"^```.*?^```$", "", read(document), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`]*`", "", prose)


@lru_cache(maxsize=1)
def done_without() -> re.Pattern[str]:
    words = [word for *_, words in table(WORDS, "words") for word in words.split(", ") if word]
    assert len(words) > 10
    return re.compile(rf"\b({'|'.join(words)})s?\b", re.IGNORECASE)


def test_words__in_the_code():
    """No comment, docstring or message has a forbidden word."""
    with every_row() as row:
        for path in SOURCES:
            with row(path):
                told = [OTHERS_WORDS.sub("", text) for text in prose_of_code(path.read_text(encoding="utf-8"))]
                assert [text for text in told if done_without().search(text)] == []


def test_comments__tell_no_stories():
    """Comments and docstrings tell no stories, comments have at most three lines, and the pages they name exist."""
    with every_row() as row:
        for path in SOURCES:
            with row(path):
                source = path.read_text(encoding="utf-8")
                told = [*comments(source), *docstrings(source)]
                assert [text for text in told if STORIES.search(text)] == []
                assert [comment for comment in comments(source) if comment.count("\n") >= COMMENT_LINES] == []
                assert all((ROOT / page).exists() for text in told for page in re.findall(r"\bdocs/\w+\.md", text))


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name != WORDS])
def test_words__in_the_documents(name):
    """No document has a forbidden word."""
    assert done_without().findall(prose_of(name)) == []


@pytest.mark.parametrize("folder", ["stapel_agent", "tests", "benchmarks", "example"])
def test_words__plain_in_comments(folder):
    """No comment or docstring has a stilted word."""
    sources = [(path.name, path.read_text(encoding="utf-8")) for path in (ROOT / folder).rglob("*.py")]
    suspects = [(name, source) for name, source in sources if STILTED.search(source)]
    prose = [(name, text) for name, source in suspects for text in (*comments(source), *docstrings(source))]
    assert [(name, text) for name, text in prose if STILTED.search(text)] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_words__plain_in_documents(name):
    """No document has a stilted word."""
    assert STILTED.findall(prose_of(name)) == []


def test_words__in_code():
    """The names for the words exist."""
    names = [name for _, _, cell, _ in table(WORDS, "words") for name in re.findall(r"`([\w.]+)`", cell)]
    for name in names:
        *modules, last = name.split(".")
        home = import_module(".".join(["stapel_agent", *modules, *([last] if last.islower() else [])]))
        assert last.islower() or isinstance(getattr(home, last), type)
