"""Give a message the plural forms that an existing translation uses, so that the two can be compared mark by mark.

A translation may lack a form that no whole number needs, since programs use `other` or the default in its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stapel_agent.parsing import joined_within
from stapel_agent.plurals import Form, category, forms
from stapel_agent.translation.language import base

from .fluent_plurals import Selection, Variant
from .icu_messages import MAX_LENGTH
from .icu_plurals import Branch, Choice, Nodes

AS_OTHER = {"he": "two", "iw": "two", "ar": "zero"}
"""Forms of one number, by language, that are right in the words of `other` too."""
COMMON = 1000
"""Forms for larger numbers or fractions alone are rare."""
DIGITS = re.compile(r"\d+")


class Unlike(Exception):
    """The translation has other arguments than the source, or lacks a form that its language needs."""


@dataclass(frozen=True)
class FormsInUse:
    """Rewrites messages in `from_lang` with the forms of their translations into `to`."""

    from_lang: str
    to: str

    def text(self, source: Nodes, translation: Nodes) -> str:
        """Return the text of `source` with the branches of `translation`, as they are written. Raises Unlike."""
        free = [node for node in translation if not isinstance(node, str)]
        is_selected = any(isinstance(node, Selection) for node in free)
        nodes = [_selected(source, free[0])] if is_selected and all(map(_is_text, source)) else source
        text = _joined(node if isinstance(node, str) else self._rewritten(node, free) for node in nodes)
        if free:
            raise Unlike
        return text

    def _rewritten(self, ours: Choice | Selection, free: list[Choice | Selection]) -> str:
        """Return `ours` with the branches of one of `free`, or no choice if the language has one form."""
        if free or len(self._forms(ours)) != 1:
            return self._choice(ours, _taken(free, ours))
        return self.text(_without_forms(ours), ())

    def _forms(self, choice: Choice | Selection) -> Sequence[Form]:
        return () if choice.kind == "select" else forms(self.to, ordinal=choice.kind == "selectordinal")

    def _choice(self, ours: Choice | Selection, theirs: Choice | Selection) -> str:
        target = self._forms(ours)
        named: dict[str, Branch | Variant] = {branch.selector: branch for branch in ours.branches}
        selectors = [branch.selector for branch in theirs.branches]
        is_plural = bool(target) and "other" in named
        if len(set(selectors)) < len(selectors) or not (is_plural or named.keys() == set(selectors)):
            raise Unlike
        if is_plural:
            _check_forms(ours, theirs, target, AS_OTHER.get(base(self.to), ""))
        pairs = (
            (branch, self._nodes_for(branch, ours, target) if is_plural else named[branch.selector].nodes)
            for branch in theirs.branches
        )
        branches = _joined(branch.around(self.text(nodes, branch.nodes)) for branch, nodes in pairs)
        return f"{theirs.head}{branches}{theirs.tail}"

    def _nodes_for(self, branch: Branch | Variant, ours: Choice | Selection, target: Sequence[Form]) -> Nodes:
        """Return what the source says for the number of `branch`, and shows as `branch` does."""
        form = next((form for form in target if form.category == branch.selector), None)
        number = branch.number or ("" if form is None or form.only is None else str(form.only))
        other = next(one for one in ours.branches if one.selector == "other")
        origin = self._origin(ours, number or (form.example if form else "")) or other
        is_shown = branch.names(ours.argument)
        is_short = other.names(ours.argument) and not origin.names(ours.argument)
        if branch.selector == "other" or (is_short and (is_shown or not number)):
            return other.nodes
        if is_shown or not number or "offset:" in ours.head:
            return origin.nodes
        silent = origin.with_number(ours.argument, "")
        text = "".join(map(str, silent))
        is_figure = set(DIGITS.findall(branch.text)) - set(DIGITS.findall(text)) or not any(map(str.isalpha, text))
        return origin.with_number(ours.argument, number) if is_figure else silent

    def _origin(self, ours: Choice | Selection, number: str) -> Branch | Variant | None:
        """Return the source's branch for a number, if it has one."""
        name = category(self.from_lang, number, ordinal=ours.kind == "selectordinal") if number else ""
        branches: list[Branch | Variant] = [*ours.branches]
        exact = (branch for branch in branches if branch.number and branch.number == number)
        return next(exact, None) or next((branch for branch in branches if branch.selector == name), None)


def _joined(pieces: Iterable[str]) -> str:
    text = joined_within(MAX_LENGTH, pieces)
    if text is None:
        raise Unlike
    return text


def _is_text(node: object) -> bool:
    return isinstance(node, str)


def _selected(source: Nodes, theirs: Selection) -> Selection:
    """Return a text of Fluent as the only variant of a selector that its translation adds. Raises Unlike."""
    variant = Variant("*[other] ", list(source))
    if not variant.names(theirs.argument):
        raise Unlike
    return Selection(theirs.head, [variant], theirs.tail)


def _without_forms(ours: Choice | Selection) -> Nodes:
    """Return the text of `ours` for all numbers. Raises Unlike if it has another text for one of them."""
    branches: list[Branch | Variant] = [*ours.branches]
    other = next((branch for branch in branches if branch.selector == "other"), None)
    if other is None or any(branch.number for branch in branches):
        raise Unlike
    return [f"{{{ours.argument}}}" if node == "#" else node for node in other.nodes]


def _taken(free: list[Choice | Selection], wanted: Choice | Selection) -> Choice | Selection:
    """Take the choice by the same argument from `free`. Raises Unlike."""
    head = wanted.head.split()
    for number, choice in enumerate(free):
        if "".join(choice.head.split()) == "".join(head):
            return free.pop(number)
    raise Unlike


def _check_forms(ours: Choice | Selection, theirs: Choice | Selection, target: Sequence[Form], as_other: str) -> None:
    """Check that a translation has the forms of the numbers that the source speaks of. Raises Unlike."""
    named = {branch.selector for branch in theirs.branches if not branch.number}
    numbers = {branch.number for branch in theirs.branches if branch.number}
    said = numbers | {"1" if form.category == "one" else str(form.only) for form in target if form.category in named}
    needed = {form.category for form in target if _is_common(form) and not _is_served(form, numbers)} - {as_other}
    if isinstance(theirs, Choice):
        needed.add("other")
    elif not any(variant.is_default for variant in theirs.branches):
        raise Unlike
    if not (
        needed <= named <= {form.category for form in target} and said >= {one.number for one in ours.branches} - {""}
    ):
        raise Unlike


def _is_served(form: Form, numbers: set[str]) -> bool:
    """Whether exact cases are for the numbers of `form`. French has its form for 0 too, where `other` is as common."""
    return set(map(str, form.whole)) - {"0"} <= numbers and not numbers.isdisjoint(map(str, form.whole))


def _is_common(form: Form) -> bool:
    return form.example.isdigit() and int(form.example) <= COMMON
