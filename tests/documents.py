"""Reads the project's documents: their fenced blocks, tables and links."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TABLE = r"<!-- table: {} -->\n((?:\|.*\n)+)"
CELL_BORDER = re.compile(r"(?<=\s)\|(?=\s)")
DOCUMENTS = sorted(str(path.relative_to(ROOT)) for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")))


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and its first line."""

    language: str
    text: str
    line: int


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, *languages: str) -> Iterator[Block]:
    text = read(name)
    for match in FENCE.finditer(text):
        if match[1] in languages:
            yield Block(match[1], match[2], text.count("\n", 0, match.start()) + 1)


def block_after(name: str, marker: str) -> str:
    """The first fenced block after `marker`."""
    text = read(name)
    match = FENCE.search(text, text.index(marker))
    assert match
    return match[2]


def setups() -> dict[str, dict[str, Any]]:
    """The documented entries of PROVIDERS, by their dialect."""
    found = re.findall(r"<!-- setup: (\w+) -->\n```python\n(.*?)\n```", read("docs/models.md"), re.DOTALL)
    return {name: ast.literal_eval(text) for name, text in found}


def table(name: str, title: str) -> list[list[str]]:
    """The cells of the table that follows a comment with this `title`."""
    match = re.search(TABLE.format(title), read(name))
    assert match, f"{name} has no table {title!r}"
    return [[cell.strip() for cell in CELL_BORDER.split(line[1:-1])] for line in match[1].splitlines()[2:]]


def titles(name: str) -> list[str]:
    """The titles of a document's tables."""
    return re.findall(r"<!-- table: (.+) -->", read(name))


def anchors(name: str) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    prose = re.sub(r"^```.*?^```$", "", read(name), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}
