"""What the tests of translations share."""

from functools import lru_cache

import pytest

from stapel_agent.translation import placeholders
from stapel_agent.translation.placeholders import Grammar
from tests.steps import CountedPattern


@pytest.fixture
def counted_patterns(monkeypatch):
    """Grammars whose patterns count the characters that they search."""
    grammar_of = placeholders.grammar_of

    @lru_cache
    def counted(name):
        grammar = grammar_of(name)
        closing = {opening: CountedPattern(pattern) for opening, pattern in grammar.closing.items()}
        return Grammar(CountedPattern(grammar.pattern), CountedPattern(grammar.undelimited), closing)

    monkeypatch.setattr(placeholders, "grammar_of", counted)
