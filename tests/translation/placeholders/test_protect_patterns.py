"""The caller's own regular expressions for text that must stay unchanged."""

import contextlib
import warnings

import pytest

from stapel_agent.exceptions import InvalidRequest
from stapel_agent.translation.placeholders import protect_patterns
from stapel_agent.translation.placeholders.masking import Damaged, Protected
from stapel_agent.translation.placeholders.protect_patterns import TooSlow, check_patterns, own_spans
from tests.rows import each_row


def test_compiled__set_operations():
    """Brackets and doubled signs in a set are literals, and no warning of Python's escapes."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(own_spans(["[[:x:]]", "[-0-9||&&]+"], "x] 1-2& y")) == [(0, 2), (3, 7)]


def test_masked():
    """Matches are hidden, in addition to what the format hides. The structure of a message takes precedence."""
    assert Protected("ACME-12 has {n} and <<x y>>", "icu", (r"ACME-\d+", "<<.*?>>")).masked == "⟦1⟧ has ⟦2⟧ and ⟦3⟧"
    with pytest.raises(Damaged):
        Protected("Hi ACME-12", "", (r"ACME-\d+",)).restore("Hallo ACME-13")


def test_restore__date_beside_a_match():
    """The directives of a date may be reordered beside a match, but not if they are matches themselves."""
    assert Protected("ACME: %d/%m/%Y", "", ("ACME",)).restore("⟦1⟧: ⟦4⟧-⟦3⟧-⟦2⟧") == "ACME: %Y-%m-%d"
    with pytest.raises(Damaged):
        Protected("On %d/%m/%Y", "none", ("%[a-zA-Z]",)).restore("Am ⟦3⟧-⟦2⟧-⟦1⟧")


@each_row([
    "(a+)+b", r"(?:\w|-|aa)+", "a*a*a*b", "(.*)*", "((a{0,20}){0,20}){0,20}", "(", "x{99999999999}", "",
    r"(?:(?:\b){9999}){9999}x", r"(?:\b){4294967294}z", "(?:(?=a)){4000000000}z", "(?:(?:){65535}){65535}z",
    "(?a)(?u)a",
])  # fmt: skip
def test_check__refused(pattern):
    """An expression that is invalid or could take too long is rejected before a model is called."""
    with pytest.raises(InvalidRequest, match="protect"):
        check_patterns([pattern])


@pytest.mark.parametrize("patterns", ["abc", [1], ["a"] * 21, ["a" * 201], None])
def test_check__no_list(patterns):
    """Only a bounded list of bounded texts is accepted."""
    with pytest.raises(InvalidRequest, match="protect"):
        check_patterns(patterns)


@pytest.mark.parametrize("pattern", [r"<<\w+>>", r"\[\[.*?\]\]", ".*.*x", r"(?:ab){0,3}", r"\w+\w+!", "(?<=a)b*$"])
@pytest.mark.parametrize("part", ["a", "<", "[", "ab", "<<a"])
def test_own_spans__bounded(monkeypatch, pattern, part):
    """An accepted expression ends on any text, or raises TooSlow."""
    monkeypatch.setattr(protect_patterns, "MAX_SECONDS", 0.1)
    text = part * 30_000
    with contextlib.suppress(TooSlow):
        assert all(0 <= start < end <= len(text) for start, end in own_spans([pattern], text))
