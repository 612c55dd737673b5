"""Counts work in steps, which are the same on any machine, however busy it is."""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from types import FrameType
from typing import Any, ClassVar


@dataclass(frozen=True)
class CountedPattern:
    """A regular expression that counts the characters it has searched."""

    pattern: re.Pattern[str]
    characters: ClassVar[int] = 0

    def search(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        match = self.pattern.search(text, start, end)
        CountedPattern.characters += (match.end() if match else min(end, len(text))) - start
        return match

    def match(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        match = self.pattern.match(text, start, end)
        CountedPattern.characters += match.end() - start if match else 1
        return match


def steps_of(work: Callable[[], Any]) -> int:
    """How many functions `work` calls, in Python or C, and how many characters counted patterns search for it."""
    characters = CountedPattern.characters
    return calls_of(work, ("call", "c_call")) + CountedPattern.characters - characters


def calls_of(work: Callable[[], Any], kinds: Collection[str] = ("call",)) -> int:
    """How many functions `work` calls, in Python or as `kinds` says, without those of garbage that others left."""
    calls = 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in kinds

    before = sys.getprofile()
    gc.disable()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
        gc.enable()
    return calls


def grows_linearly(work: Callable[[int], Any], size: int) -> bool:
    """Whether four times the size takes about four times the steps, and far less than sixteen times as many."""
    work(size)  # fills caches
    return steps_of(lambda: work(4 * size)) <= 8 * steps_of(lambda: work(size)) + 1000
