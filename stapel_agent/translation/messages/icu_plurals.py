"""Rewrite ICU messages with the plural forms of another language, which may need six or one instead of two."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from stapel_agent.plurals import CATEGORIES, Form, category, forms

from . import icu_messages
from .icu_messages import Token

MAX_FORMS = 60
"""Maximum forms of one message whose numbers are sent to the model."""
ORDINALS = {"plural": False, "selectordinal": True}
"""Whether the numbers are ordinals, by the type of the argument."""

NAME = re.compile(r"\{?+\s*+([^\s,}|]*+)")

Nodes = Sequence[Any]
"""Texts with the choices between them: those of ICU messages, or the selections of Fluent."""
Numbers = tuple[tuple[str, str], ...]
"""Arguments, each with an example number."""


class TooLong(Exception):
    """The message would exceed the maximum length."""


@dataclass(slots=True)
class Branch:
    """One branch: the whitespace before its `selector`, the syntax before its text, and the text."""

    before: str
    selector: str
    opening: str = ""
    nodes: list[str | Choice] = field(default_factory=list)

    @property
    def is_explicit(self) -> bool:
        """Whether it is for one number instead of a category."""
        return self.selector.startswith("=")

    @property
    def number(self) -> str:
        """The one number that it is for, or an empty string."""
        return self.selector[1:] if self.is_explicit else ""

    @property
    def text(self) -> str:
        return "".join(map(str, self.nodes))

    @property
    def written(self) -> str:
        """The syntax before its text."""
        return f"{self.before}{self.selector}{self.opening}"

    def __len__(self) -> int:
        return len(self.written) + sum(map(len, self.nodes)) + 1

    @property
    def has_words(self) -> bool:
        """Whether there is anything in it to translate."""
        return any(
            not isinstance(node, str) or (node[:1] != "{" and any(map(str.isalpha, node))) for node in self.nodes
        )

    def names(self, argument: str, *, by_hash: bool = True) -> bool:
        """Whether it shows the number of `argument`: by name, or as `#`, the number of the innermost plural."""
        return any(_shows(node, argument, by_hash) for node in self.nodes)

    def with_number(self, argument: str, number: str) -> list[str | Choice]:
        """Return its nodes with `number` in place of the number of `argument`."""
        return [number if isinstance(node, str) and _shows(node, argument, True) else node for node in self.nodes]

    def around(self, text: str) -> str:
        """Return the whole branch, with `text` in place of its own."""
        return f"{self.written}{text}}}"


@dataclass(slots=True)
class Choice:
    """An argument with branches, and the syntax before the first and after the last."""

    head: str
    argument: str
    kind: str
    branches: list[Branch]
    tail: str

    def __str__(self) -> str:
        return "".join([self.head, *(branch.around(branch.text) for branch in self.branches), self.tail])

    def __len__(self) -> int:
        return len(self.head) + sum(map(len, self.branches)) + len(self.tail)


@dataclass(frozen=True, slots=True)
class NumberedForm:
    """Where the text of a branch begins, and its example numbers by argument."""

    start: int
    numbers: Numbers


def has_plurals(text: str) -> bool:
    """Whether `text` may be a message with plural forms."""
    return icu_messages.has_branches(text) and ("plural" in text or "selectordinal" in text)


def expanded(text: str, from_lang: str, to: str) -> str:
    """Return `text` with the plural forms of the language `to`. A text without plurals is returned unchanged.

    Each form copies the source's form for the same number. A form that covers several numbers copies a text that
    shows the number, since Russian uses the form of 1 for 21. Explicit cases (`=0`) stay.
    """
    if not has_plurals(text):
        return text
    tokens = icu_messages.tokens(text)
    if tokens is None:
        return text
    try:
        return _text(_Reader(tokens).nodes(), from_lang, to)
    except TooLong:
        return text


def numbered(nodes: Nodes, to: str) -> list[NumberedForm]:
    """Return where the plural forms in `nodes` begin, with example numbers. At most MAX_FORMS."""
    return list(islice(_number(nodes, 0, (), to), MAX_FORMS))


def nodes(text: str) -> list[str | Choice]:
    """Split `text` into texts and arguments. Without branches, the result is `text` alone."""
    tokens = icu_messages.tokens(text) if icu_messages.has_branches(text) else None
    return [text] if tokens is None else _Reader(tokens).nodes()


class _Reader:
    """Reads the tokens of a valid message."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._position = 0

    def nodes(self) -> list[str | Choice]:
        """Read everything up to the brace that closes the current branch."""
        nodes: list[str | Choice] = []
        while self._position < len(self._tokens) and self._text != "}":
            nodes.append(self._argument() if self._text == "{" and self._is_syntax else self._take())
        return nodes

    def _argument(self) -> str | Choice:
        head, argument, kind = self._take(), "", ""
        while self._text != "}" or not self._is_syntax:
            if self._type == "selector":
                return self._choice(head, argument, kind)
            argument = self._text if self._type == "name" else argument
            kind = self._text if self._type == "type" else kind
            head += self._take()
        return head + self._take()

    def _choice(self, head: str, argument: str, kind: str) -> Choice:
        stripped = head.rstrip()
        before, branches = head[len(stripped) :], list[Branch]()
        while self._type == "selector":
            branch = Branch(before, self._take())
            while self._text != "{":
                branch.opening += self._take()
            branch.opening += self._take()
            branch.nodes = self.nodes()
            self._take()
            branches.append(branch)
            before = self._take() if self._type == "space" else ""
        return Choice(stripped, argument, kind, branches, before + self._take())

    @property
    def _text(self) -> str:
        return self._tokens[self._position]["text"] if self._position < len(self._tokens) else "}"

    @property
    def _type(self) -> str:
        return self._tokens[self._position]["type"] if self._position < len(self._tokens) else "end"

    @property
    def _is_syntax(self) -> bool:
        return self._type == "syntax"

    def _take(self) -> str:
        text = self._text
        self._position += 1
        return text


def _shows(node: str | Choice, argument: str, by_hash: bool) -> bool:
    if isinstance(node, str):
        return (node == "#" and by_hash) or (node[:1] == "{" and _name(node) == argument)
    by_hash = by_hash and node.kind == "select"
    return any(branch.names(argument, by_hash=by_hash) for branch in node.branches)


def _name(argument: str) -> str:
    """Return the name in an argument such as `{name, number}`."""
    match = NAME.match(argument, 1)
    return match[1] if match else ""


def _text(nodes: Sequence[str | Choice], from_lang: str, to: str) -> str:
    text = "".join(node if isinstance(node, str) else _choice_text(node, from_lang, to) for node in nodes)
    if len(text) > icu_messages.MAX_LENGTH:
        raise TooLong
    return text


def _choice_text(choice: Choice, from_lang: str, to: str) -> str:
    texts = {id(branch): f"{branch.opening}{_text(branch.nodes, from_lang, to)}}}" for branch in choice.branches}
    wanted = _wanted(choice, from_lang, to)
    parts = (f"{before}{selector}{texts[id(branch)]}" for before, selector, branch in wanted)
    return f"{choice.head}{''.join(parts)}{choice.tail}"


def _wanted(choice: Choice, from_lang: str, to: str) -> Iterator[tuple[str, str, Branch]]:
    """Yield the new branches of `choice`: the whitespace before each, its selector, and the branch to copy."""
    ordinal = ORDINALS.get(choice.kind)
    named = {branch.selector: branch for branch in choice.branches if not branch.is_explicit}
    target = forms(to, ordinal=ordinal) if ordinal is not None else ()
    is_whole = "other" in named and named.keys() <= set(CATEGORIES)
    if not (target and is_whole and any(branch.has_words for branch in named.values())):
        yield from ((branch.before, branch.selector, branch) for branch in choice.branches)
        return
    order = list(named) if len(named) == len(target) else CATEGORIES
    origins = {form.category: origin(choice, named, form, from_lang) for form in target}
    selectors = sorted(origins, key=lambda name: order.index(name) if name in order else len(order))
    for branch in choice.branches:
        if branch.is_explicit:
            yield branch.before, branch.selector, branch
        elif branch is next(iter(named.values())):
            blanks = [branch.before, *[other.before for other in named.values()][1:2]]
            yield from ((blanks[min(n, len(blanks) - 1)], name, origins[name]) for n, name in enumerate(selectors))


def shown(choice: Any, form: Form, branch: Any, other: Any) -> Any:
    """Return `branch`, or `other` if only that shows the number and `form` is for several numbers."""
    is_short = form.only is None and other.names(choice.argument) and not branch.names(choice.argument)
    return other if is_short else branch


def origin(choice: Any, named: Mapping[str, Any], form: Form, from_lang: str) -> Any:
    """Return the source's branch for the example number of `form`."""
    other = named["other"]
    if form.category == "other":
        return other
    name = category(from_lang, form.example, ordinal=choice.kind == "selectordinal") if form.example else ""
    return shown(choice, form, named.get(name or form.category, other), other)


def _number(nodes: Nodes, position: int, numbers: Numbers, to: str) -> Iterator[NumberedForm]:
    """Yield the forms in `nodes`, which begin at `position` inside branches for `numbers`."""
    for node in nodes:
        if not isinstance(node, str):
            place = position + len(node.head)
            for branch in node.branches:
                begin = place + len(branch.written)
                if inside := numbers + _example(node, branch, to):
                    yield NumberedForm(begin, inside)
                yield from _number(branch.nodes, begin, inside, to)
                place += len(branch)
        position += len(node)


def _example(choice: Any, branch: Any, to: str) -> Numbers:
    """Return the argument of a branch with its example number, or nothing if it has no number."""
    ordinal = ORDINALS.get(choice.kind)
    if ordinal is None or not choice.argument:
        return ()
    examples = {form.category: form.example for form in forms(to, ordinal=ordinal)}
    example = branch.number or examples.get(branch.selector, "")
    return ((choice.argument, example),) if example else ()
