"""Rewrite Fluent patterns with the plural variants of another language.

Source: Project Fluent, "Fluent Syntax Guide": selectors, plural categories as keys, and numbers as exact keys.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from stapel_agent.plurals import CATEGORIES, Form, forms

from . import fluent
from .icu_messages import MAX_LENGTH
from .icu_plurals import TooLong, origin, shown

KEY = re.compile(r"(\*?)\[\s*+([\w.-]++)\s*+\]")
ARGUMENT = re.compile(r"\$([A-Za-z][\w-]*+)")
ORDINAL = re.compile(r"type:\s*+\"ordinal\"")
MAX_DEPTH = 50
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(slots=True)
class Variant:
    """One variant: its key as written, and its text."""

    written: str
    nodes: list[str | Selection] = field(default_factory=list)

    @property
    def selector(self) -> str:
        match = KEY.search(self.written)
        return match[2] if match else ""

    @property
    def number(self) -> str:
        """The one number that it is for, or an empty string."""
        return self.selector if self.is_exact else ""

    @property
    def is_default(self) -> bool:
        return "*[" in self.written

    @property
    def is_exact(self) -> bool:
        return NUMBER.fullmatch(self.selector) is not None

    @property
    def text(self) -> str:
        return "".join(map(str, self.nodes))

    def __len__(self) -> int:
        return len(self.written) + sum(map(len, self.nodes))

    def names(self, argument: str) -> bool:
        """Whether it shows the number of `argument`."""
        return argument in ARGUMENT.findall(self.text)

    def with_number(self, argument: str, number: str) -> list[str | Selection]:
        """Return its nodes with `number`, which may be nothing, in place of the number of `argument`."""
        blank = "" if number else "[ ]?"
        shown = re.compile(rf"{blank}\{{[^{{}}]*\${argument}(?![\w-])[^{{}}]*\}}")
        return [shown.sub(number, node) if isinstance(node, str) else node for node in self.nodes]

    def around(self, text: str) -> str:
        """Return the whole variant, with `text` in place of its own."""
        return f"{self.written}{text}"


@dataclass(slots=True)
class Selection:
    """A selector with its variants."""

    head: str
    branches: list[Variant] = field(default_factory=list)
    tail: str = ""

    def __str__(self) -> str:
        return "".join([self.head, *(variant.around(variant.text) for variant in self.branches), self.tail])

    def __len__(self) -> int:
        return len(self.head) + sum(map(len, self.branches)) + len(self.tail)

    @property
    def argument(self) -> str:
        match = ARGUMENT.search(self.head)
        return match[1] if match else ""

    @property
    def kind(self) -> str:
        """Its kind, by the name that ICU messages have for it."""
        return "select" if not self.is_counting else "selectordinal" if self.is_ordinal else "plural"

    @property
    def is_ordinal(self) -> bool:
        return ORDINAL.search(self.head) is not None

    @property
    def named(self) -> dict[str, Variant]:
        """The variants of plural categories. Empty if the selector does not count."""
        named = {variant.selector: variant for variant in self.branches if not variant.is_exact}
        is_plural = self.is_counting and "other" in named and named["other"].is_default
        is_counted = len(self.branches) > 1 or any(variant.names(self.argument) for variant in self.branches)
        return named if is_plural and is_counted else {}

    @property
    def is_counting(self) -> bool:
        """Whether all keys are numbers or plural categories."""
        return all(variant.is_exact or variant.selector in CATEGORIES for variant in self.branches)


def expanded(text: str, from_lang: str, to: str) -> str:
    """Return `text` with the plural variants of the language `to`. A text without plurals is returned unchanged."""
    found = nodes(text)
    try:
        for node in found:
            if isinstance(node, Selection):
                _expand(node, from_lang, to)
        return _bounded("".join(map(str, found)))
    except TooLong:
        return text


def _expand(selection: Selection, from_lang: str, to: str) -> None:
    for variant in selection.branches:
        for node in variant.nodes:
            if isinstance(node, Selection):
                _expand(node, from_lang, to)
    named, target = selection.named, forms(to, ordinal=selection.is_ordinal)
    if not (named and target) or named.keys() == {form.category for form in target}:
        _show_numbers(selection, target)
        return
    gap = _gap(selection)
    exact = [variant for variant in selection.branches if variant.is_exact]
    template = next((variant for variant in selection.branches if not variant.is_default), named["other"])
    made = [
        Variant(_written(named, template, form), origin(selection, named, form, from_lang).nodes) for form in target
    ]
    first, selection.branches = selection.branches[0], [*exact, *made]
    selection.head += " " * (first.is_default and "\n" in gap and not selection.branches[0].is_default)
    for number, variant in enumerate(selection.branches, 1):
        blanks = gap[:-1] if variant.is_default and "\n" in gap else gap
        variant.written = blanks * (number > 1) + variant.written.lstrip()
        variant.nodes = [_bounded(variant.text).rstrip()]


def _show_numbers(selection: Selection, target: Sequence[Form]) -> None:
    """Make each form that covers several numbers show the number."""
    for form in target:
        variant = selection.named.get(form.category)
        if variant and (longer := shown(selection, form, variant, selection.named["other"])) is not variant:
            blanks = variant.text[len(variant.text.rstrip()) :]
            variant.nodes = [longer.text.rstrip() + blanks]


def _written(named: dict[str, Variant], template: Variant, form: Form) -> str:
    if form.category in named:
        return named[form.category].written
    return KEY.sub(f"[{form.category}]", template.written).replace("*[", "[")


def _gap(selection: Selection) -> str:
    """Return the whitespace before each variant but the first, as before one that is not the default."""
    first, *others = selection.branches
    leads = [(one.written[: len(one.written) - len(one.written.lstrip())], one.is_default) for one in others]
    leads = leads or [(selection.head[len(selection.head.rstrip()) :], first.is_default)]
    lead, is_default = next((pair for pair in leads if not pair[1]), leads[0])
    return f"{lead} " if is_default and "\n" in lead else lead or " "


def nodes(text: str) -> list[str | Selection]:
    """Split `text` into texts and selections. Without selectors, the result is `text` alone."""
    if fluent.structure(text) is None:
        return [text]
    root: list[str | Selection] = []
    still_open: list[Selection] = []
    position = 0
    for match in fluent.TOKENS.finditer(text):
        kind = str(match.lastgroup)
        if kind == "placeable" or (kind == "variant" and not still_open):
            continue
        _add(root, still_open, text[position : match.start()])
        position = match.end()
        if len(still_open) > MAX_DEPTH:
            return [text]
        if kind == "select":
            selection = Selection(match[0])
            _add(root, still_open, selection)
            still_open.append(selection)
        elif kind == "variant":
            still_open[-1].branches.append(Variant(match[0]))
        elif still_open:
            still_open.pop().tail = match[0]
    _add(root, still_open, text[position:])
    return root


def _add(root: list[str | Selection], still_open: Sequence[Selection], node: str | Selection) -> None:
    if not node:
        return
    if not still_open:
        root.append(node)
    elif still_open[-1].branches:
        still_open[-1].branches[-1].nodes.append(node)
    elif isinstance(node, str):
        still_open[-1].head += node


def _bounded(text: str) -> str:
    if len(text) > MAX_LENGTH:
        raise TooLong
    return text
