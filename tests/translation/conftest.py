"""Fixtures for the tests of translations."""

from functools import lru_cache

import pytest

from stapel_agent.translation.placeholders import protected_spans
from stapel_agent.translation.placeholders.protected_spans import Grammar
from tests.steps import CountedPattern


@pytest.fixture
def counted_patterns(monkeypatch):
    """Grammars whose patterns count the characters that they search, and end a search after fewer than usual."""
    grammar_of = protected_spans.grammar_of

    @lru_cache
    def counted(name):
        grammar = grammar_of(name)
        closing = {opening: CountedPattern(pattern) for opening, pattern in grammar.closing.items()}
        patterns = (grammar.pattern, grammar.without_addresses, grammar.undelimited)
        return Grammar(*map(CountedPattern, patterns), closing)

    monkeypatch.setattr(protected_spans, "grammar_of", counted)
    monkeypatch.setattr(protected_spans, "MAX_EXPRESSION", 100)
