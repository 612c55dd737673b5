"""Texts in YAML: written in the style of the source where it can hold them, and in double quotes otherwise."""

from __future__ import annotations

import json
import re

import yaml

from .text_file import CatalogueError

LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
HEADER = re.compile(r"(?P<header>[|>][-+]?)[ \t]*(?:#[^\n]*)?\n+(?P<indent>[ ]+)")
FLOW_SYNTAX = re.compile(r"[\[\]{},:?#]")
"""Characters in a list that YAML readers treat differently."""
UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def encode(text: str, raw: str, *, in_flow: bool, ends_line: bool) -> str:
    """Return `text` in the style of `raw`, or in double quotes. After a block, `ends_line` must be true."""
    styled = _in_style(text, raw, in_flow=in_flow) if ends_line or not HEADER.match(raw) else ""
    for written in (styled, _double_quoted(text)):
        if written and read(written, in_flow=in_flow) == text:
            return written
    raise CatalogueError(f"{text[:80]!r} cannot be written in YAML")


def read(written: str, *, in_flow: bool) -> object:
    """Return the value of `written` in a block or a list, or None if it is not valid there."""
    document = f"[{written}]" if in_flow else f"k: {written}\nl: m\n"
    try:
        value = yaml.load(document, Loader=LOADER)  # noqa: S506  (a safe loader)
    except yaml.YAMLError:
        return None
    if in_flow:
        return value[0] if isinstance(value, list) and len(value) == 1 else None
    return value.get("k") if isinstance(value, dict) and value.keys() == {"k", "l"} else None


def _in_style(text: str, raw: str, *, in_flow: bool) -> str:
    if raw[:1] == "'":
        return "'" + text.replace("'", "''") + "'"
    if raw[:1] == '"':
        return _double_quoted(text)
    if block := HEADER.match(raw):
        lines = text.rstrip("\n").split("\n")
        separator = "\n" if raw[0] == "|" else "\n\n"
        indented = separator.join(f"{block['indent']}{line}" if line else "" for line in lines)
        return f"{block['header']}\n{indented}"
    is_word = text[:1].isalpha() and "\n" not in text  # anything else may be a number or a symbol in Ruby
    return text if is_word and not (in_flow and FLOW_SYNTAX.search(text)) else ""


def _double_quoted(text: str) -> str:
    written = json.dumps(text, ensure_ascii=False)
    return UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", written)
