"""Hide placeholders and markup from the model behind numbered marks, and restore them in its translation.

A mark is `⟦1⟧`: it has no letters to translate, and its brackets are rare in texts. If a text has such brackets, they
are hidden too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stapel_agent.translation.messages import fluent, icu_messages

from . import character_references
from .equal_placeholders import is_blank, meaning
from .format_validators import LONE_APOSTROPHE, VALIDATORS, is_java_message
from .injected_code import injected
from .mark_order import misplaced
from .placeholder_formats import FORMATS, GUESS, SPACED_LETTERS
from .protected_spans import Span, is_fluent, spans

MARK = re.compile(r"⟦\s?+(\d{1,7}+)\s?+⟧")
BESIDE = re.compile(r"⟦(\d{1,7}+)⟧\s?([%$])")
"""A sign after a mark that another language writes before it."""
PRICE = re.compile(rf"\$\d(?![{SPACED_LETTERS}$]|[.,]\d)")
"""A price that elsewhere could be a placeholder."""
BREAK = re.compile(r"[\n\r\v\f\x85\u2028\u2029]")
BLANKS = re.compile(rf"\s{{2,}}+|{BREAK.pattern}")
"""Whitespace that may be a line break, which a single space is not."""
PERCENT_SIGNS = re.compile("[٪％]")
"""Percent signs that no format interprets."""
DIRECTIVES = re.compile(r"(?:%[-_0^#]?+[A-Za-z%]|[^\w%]++)++%?+")
"""A pattern of a date or a price without words: `%a, %d %b %z`, `%u%n`."""
QUOTE = re.compile(r"['\"]")
BARE_QUOTE = re.compile(r"(?<!\\)['\"]")
APOSTROPHE = re.compile(r"(?<!')(?:'')*+'(?=⟦)")
ENTITY = re.compile(r"&#?\w{1,31};")
# Fragments that a page or a format string would interpret, although they are not complete markup or placeholders.
FRAGMENTS = re.compile(r"[{}]|<(?=[A-Za-z/!?])")
SPECIAL = re.compile("[{}#'|<>]")
"""Characters that may be the syntax of an ICU message."""
WRITTEN_SO = {"name", "entity"}
"""Kinds that ordinary text may match by chance: some languages write a colon before a word."""
READ = {"brace", "delimited", "printf", "number", "variable", "own"}
"""Kinds of placeholders that an adjacent letter may turn into others."""
QUOTED_LENGTH = 80


class Damaged(Exception):
    """A translation that lost, moved or added protected text. The message says what, in marks."""


@dataclass(frozen=True)
class Protected:
    """A text with hidden placeholders and markup. The model sees `masked`."""

    source: str
    format: str = GUESS
    protect: Sequence[str] = ()

    @cached_property
    def masked(self) -> str:
        pieces, position = [], 0
        for number, span in enumerate(self._spans, 1):
            pieces += [self.source[position : span.start], f"⟦{number}⟧"]
            position = span.end
        return "".join([*pieces, self.source[position:]])

    @property
    def has_marks(self) -> bool:
        return bool(self._spans)

    @property
    def has_words(self) -> bool:
        """Whether there is anything to translate."""
        if DIRECTIVES.fullmatch(self.source):
            return False
        words = MARK.sub("", self.masked)
        return any(map(str.isalpha, ENTITY.sub("", words) if "&" in words else words))

    @property
    def tags(self) -> list[str]:
        """The hidden tags, without duplicates."""
        return list(dict.fromkeys(self.source[span.start : span.end] for span in self._spans if span.kind == "tag"))

    def restore(self, translation: str) -> str:
        """Return `translation` with the hidden parts restored. Raises Damaged."""
        translation = character_references.corrected(self.masked, translation)
        self._check_marks(translation)
        self._check_inventions(translation)
        written = self._with_apostrophes(self._with_breaks(translation))
        restored = self._unmasked(written)
        if self._has_syntax:
            self._check_message(written, restored)
        else:
            self._check_reading(restored)
        self._validate(restored)
        return restored

    def with_own_marks(self, translation: str) -> str:
        """Mask an existing translation with the source's marks, wherever their hidden text means the same.

        Raises Damaged for apostrophes that `restore` would double.
        """
        if FORMATS[self.format].apostrophe == "doubled":
            self._validate(translation)
        free, format = dict[str, list[int]](), FORMATS[self.format]
        for number, hidden in self._hidden.items():
            free.setdefault(meaning(hidden, format), []).append(number)
        if "%%" in free:
            translation = PERCENT_SIGNS.sub("%%", translation)
        pieces, position = [], 0
        for span in self._spans_of(translation):
            hidden = translation[span.start : span.end]
            numbers = free.get(meaning(hidden, format))
            other = " " if is_blank(hidden, format) else hidden
            pieces += [translation[position : span.start], f"⟦{numbers.pop(0)}⟧" if numbers else other]
            position = span.end
        return "".join([*pieces, translation[position:]])

    def mark_before(self, position: int) -> int:
        """The number of the last mark that begins before `position` in the source, or 0."""
        return sum(span.start < position for span in self._spans)

    def in_full(self, remark: str) -> str:
        """Replace the marks in a remark with the hidden text, shortened if necessary."""
        return MARK.sub(lambda mark: repr(self._hidden.get(int(mark[1]), mark[0])[:QUOTED_LENGTH]), remark)

    @cached_property
    def _spans(self) -> list[Span]:
        return spans(self.source, FORMATS[self.format], self.protect)

    def _spans_of(self, text: str) -> list[Span]:
        """The spans of a translation, in which the signs that the source has after a brace may stand before it.

        A price of the source, such as "$1 million", is a price here too.
        """
        for sign in self._signs:
            if f"{sign}{{" in text and text.count(sign) <= self.source.count(sign):
                text = text.replace(f"{sign}{{", "\ufffc{")
        found = spans(text, FORMATS[self.format], self.protect)
        return [span for span in found if text[span.start : span.end] not in self._prices] if self._prices else found

    @cached_property
    def _prices(self) -> set[str]:
        return set(PRICE.findall(self.masked)) if "$" in self.masked else set()

    @cached_property
    def _signs(self) -> set[str]:
        """The signs that stand beside a placeholder in braces, and do not begin any: Turkish writes "%{0}"."""
        if "⟦" not in self.masked or not BESIDE.search(self.masked):
            return set()
        signs = {beside[2] for beside in BESIDE.finditer(self.masked) if self._hidden[int(beside[1])].startswith("{")}
        return signs - {hidden[0] for hidden in self._hidden.values()}

    @cached_property
    def _hidden(self) -> Mapping[int, str]:
        return {number: self.source[span.start : span.end] for number, span in enumerate(self._spans, 1)}

    @cached_property
    def _has_syntax(self) -> bool:
        """Whether it is a message with arguments or branches."""
        return any(span.kind == "icu" for span in self._spans)

    @cached_property
    def _is_fluent(self) -> bool:
        return is_fluent(self.source, FORMATS[self.format])

    def _unmasked(self, text: str) -> str:
        return MARK.sub(lambda mark: self._hidden[int(mark[1])], text)

    def _check_marks(self, translation: str) -> None:
        found = [int(mark[1]) for mark in MARK.finditer(translation)]
        if found == list(self._hidden):
            return
        kinds = [span.kind for span in self._spans]
        keeps_order = FORMATS[self.format].keeps_order
        if fault := misplaced(found, list(self._hidden.values()), kinds, keeps_order):
            raise Damaged(fault)

    def _check_inventions(self, translation: str) -> None:
        # The source may also look like a placeholder next to a mark.
        if (invented := self._looks(translation)) and invented - self._looks(self.masked):
            raise Damaged("has a placeholder, markup or an address that the text does not have")
        fragments = set(FRAGMENTS.findall(translation))
        if strange := fragments and fragments - set(FRAGMENTS.findall(self.masked)):
            raise Damaged(f"has {min(strange)!r}, which the text does not have")
        if fault := injected(self.masked, translation, has_tags=bool(self.tags)):
            raise Damaged(fault)
        if fault := character_references.changed(self.masked, translation, self._hidden.values()):
            raise Damaged(fault)
        format = FORMATS[self.format]
        is_printf = format.escapes_percent and any(map(self._is_printf, self._spans))
        if is_printf and "%" in translation and "%" not in self.masked:
            raise Damaged("has a percent sign that could be read as a placeholder")
        if format.plural_separator:
            self._check_plural_forms(translation, format.plural_separator)

    def _check_plural_forms(self, translation: str, separator: str) -> None:
        theirs, ours = translation.split(separator), self.masked.split(separator)
        # Without a format, a bar may be the full stop of a language, or stand between other things than forms.
        if len(theirs) != len(ours) and (len(ours) > 1 or self.format):
            raise Damaged(f"has {len(theirs) - 1} {separator!r} in place of {len(ours) - 1}")
        if self.format and [*map(self._shown, theirs)] != [*map(self._shown, ours)]:
            raise Damaged("has a placeholder in another plural form")

    def _shown(self, masked: str) -> Counter[str]:
        """Count what is hidden in a part of a masked text."""
        return Counter(self._hidden[int(mark[1])] for mark in MARK.finditer(masked))

    def _is_printf(self, span: Span) -> bool:
        return span.kind == "printf" or (span.kind == "own" and self.source[span.start] == "%")

    def _with_breaks(self, translation: str) -> str:
        """Return `translation` with the source's line breaks and the whitespace around them."""
        if not (BREAK.search(translation) or BREAK.search(self.masked)):
            return translation
        ours = [blanks for blanks in BLANKS.findall(self.masked) if BREAK.search(blanks)]
        theirs = sum(BREAK.search(blanks) is not None for blanks in BLANKS.findall(translation))
        if len(ours) != theirs:
            raise Damaged(f"has {theirs} line breaks in place of {len(ours)}")
        following = iter(ours)
        return BLANKS.sub(lambda blanks: next(following) if BREAK.search(blanks[0]) else blanks[0], translation)

    def _with_apostrophes(self, translation: str) -> str:
        """Return `translation` with apostrophes written as the format requires."""
        style = FORMATS[self.format].apostrophe
        if style == "plain" or not QUOTE.search(translation):
            return translation
        if style == "backslash":
            # Quotes around the whole text make apostrophes in it literal.
            has_bare = BARE_QUOTE.search(self.masked)
            return translation if has_bare else BARE_QUOTE.sub(r"\\\g<0>", translation)
        if style == "doubled":
            is_quoting = not is_java_message(self.source) or LONE_APOSTROPHE.search(self.masked)
            return translation if is_quoting else LONE_APOSTROPHE.sub(r"\g<0>'", translation)
        # Programs differ in whether it quotes the syntax after it, and in whether two of them print as one.
        return translation if APOSTROPHE.search(self.masked) else APOSTROPHE.sub(self._typographic, translation)

    def _typographic(self, apostrophe: re.Match[str]) -> str:
        mark = MARK.match(apostrophe.string, apostrophe.end())
        is_brace = mark and self._hidden[int(mark[1])].startswith("{")
        is_syntax = is_brace or self._has_syntax
        return f"{apostrophe[0][:-1]}’" if is_syntax else apostrophe[0]

    def _check_message(self, written: str, message: str) -> None:
        if self._is_fluent:
            if self._branches(written) != self._branches(self.masked):
                raise Damaged("does not keep the structure of the selectors")
        elif not self._differs_in_words_alone(written, message):
            is_kept = self._signature(written) == self._signature(self.masked)
            # Hidden text may contain apostrophes, which quote syntax in their new place.
            is_kept &= "'" not in message or icu_messages.signature(message) == icu_messages.signature(self.source)
            if not is_kept:
                raise Damaged("does not keep the structure of the ICU message")
        if self._filled(written) != self._filled(self.masked):
            raise Damaged("has a branch without its text")

    def _differs_in_words_alone(self, written: str, message: str) -> bool:
        """Whether the marks are in the source's order, and no text between them has a meaning in a message."""
        if "'" in message or MARK.findall(written) != MARK.findall(self.masked):
            return False
        return not (SPECIAL.search(MARK.sub("", written)) or SPECIAL.search(MARK.sub("", self.masked)))

    def _filled(self, masked: str) -> Counter[str]:
        """Count the branches that contain a word or a placeholder, by the syntax before them."""
        filled, opener, position = Counter[str](), "", 0
        for mark in MARK.finditer(masked):
            if opener and any(map(str.isalnum, masked[position : mark.start()])):
                filled[opener] += 1
                opener = ""
            hidden, position = self._hidden[int(mark[1])], mark.end()
            if hidden.rstrip().endswith(("{", "]")):
                opener = hidden
            elif opener and not hidden.lstrip().startswith("}"):
                filled[opener] += 1
                opener = ""
        return filled

    def _branches(self, masked: str) -> list[Any]:
        """Return the syntax of a Fluent pattern in order, with counts of the hidden text in between."""
        branches: list[Any] = [Counter[str]()]
        for number in (int(mark[1]) for mark in MARK.finditer(masked)):
            hidden = self._hidden[number]
            if fluent.is_syntax(hidden):
                branches += [hidden, Counter[str]()]
            else:
                branches[-1][hidden] += 1
        return branches

    def _check_reading(self, restored: str) -> None:
        """Check that `restored` has the same placeholders as the source when it is parsed, in any order."""
        if self._spans and _read(restored, self._spans_of(restored)) != _read(self.source, self._spans):
            raise Damaged("has a placeholder next to text that changes its meaning")

    def _validate(self, restored: str) -> None:
        """Check `restored` with the validator of its format."""
        name = "fluent" if self._is_fluent else FORMATS[self.format].validator
        if fault := name and VALIDATORS[name](self.source, restored):
            raise Damaged(fault)

    def _looks(self, masked: str) -> Counter[str]:
        """Count what looks like a placeholder, markup or an address in a masked text."""
        words = MARK.sub("\ufffc", masked)
        return Counter(words[span.start : span.end] for span in self._spans_of(words) if span.kind not in WRITTEN_SO)

    def _signature(self, masked: str) -> Any:
        """Return the message's signature, with marks for everything except syntax. Equal texts get equal marks."""
        marks = {hidden: f"⟦{number}⟧" for number, hidden in self._hidden.items()}
        kept = {number: marks[hidden] for number, hidden in self._hidden.items()}
        kept |= {n: self._hidden[n] for n, span in enumerate(self._spans, 1) if span.kind == "icu"}
        return icu_messages.signature(MARK.sub(lambda mark: kept[int(mark[1])], masked), MARK)


def _read(text: str, found: Iterable[Span]) -> list[str]:
    """The placeholders of the kinds in READ, sorted."""
    return sorted(text[span.start : span.end] for span in found if span.kind in READ)
