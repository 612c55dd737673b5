"""Random texts in every format: a faithful model changes nothing, and a damaged mark is always noticed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stapel_agent.translation.placeholders.masking import MARK, Damaged, Protected
from stapel_agent.translation.placeholders.placeholder_formats import FORMATS
from tests.translation.placeholders.test_masking import FRAGMENTS
from tests.translation.placeholders.test_placeholder_formats import ESCAPED, HIDDEN, REORDERED

unhurried = settings(deadline=None, max_examples=15)  # a busy machine must not fail the test

PLACEHOLDERS = {
    name: sorted({text for format, text, *_ in [*HIDDEN, *REORDERED, *ESCAPED] if format == name}) for name in FORMATS
}
BROKEN_MARKS = ["", "⟦{0}", "{0}⟧", "[{0}]", "⟦⟧", "⟦{0}⟧⟦{0}⟧", "⟦x⟧", "⟦0⟧", "⟦9{0}⟧", "⟦{0}.⟧", "{{{0}}}"]


def texts(name):
    """Texts with whole and broken placeholders of the format, between words and signs."""
    whole = PLACEHOLDERS[name]
    part = st.sampled_from([*whole, *FRAGMENTS]) | st.sampled_from(whole).flatmap(
        lambda text: st.integers(1, len(text)).map(lambda end: text[:end])
    )
    return st.lists(part, min_size=1, max_size=8).map("".join)


@pytest.mark.parametrize("name", FORMATS)
@unhurried
@given(data=st.data())
def test_restore__identity(name, data):
    """An answer that equals the question gives the source, in every format."""
    source = data.draw(texts(name))
    protected = Protected(source, name)
    assert protected.restore(protected.masked) == source


@pytest.mark.parametrize("name", FORMATS)
@unhurried
@given(data=st.data())
def test_restore__damaged_mark(name, data):
    """A lost, doubled or misspelt mark is refused, in every format."""
    protected = Protected(data.draw(texts(name).filter(lambda text: Protected(text, name).has_marks)), name)
    mark = data.draw(st.sampled_from(list(MARK.finditer(protected.masked))))
    broken = data.draw(st.sampled_from(BROKEN_MARKS)).format(mark[1])
    with pytest.raises(Damaged):
        protected.restore(f"{protected.masked[: mark.start()]}{broken}{protected.masked[mark.end() :]}")


@pytest.mark.parametrize("name", FORMATS)
@unhurried
@given(data=st.data())
def test_restore__other_mark(name, data):
    """One mark in place of another is refused, unless both hide the same text: then nothing changes."""
    several = texts(name).filter(lambda text: Protected(text, name).masked.count("⟦") > 1)
    protected = Protected(data.draw(several), name)
    marks = list(MARK.finditer(protected.masked))
    mark, other = data.draw(st.sampled_from(marks)), data.draw(st.sampled_from(marks))
    damaged = f"{protected.masked[: mark.start()]}{other[0]}{protected.masked[mark.end() :]}"
    try:
        assert protected.restore(damaged) == protected.source
    except Damaged:
        return
    assert protected.in_full(mark[0]) == protected.in_full(other[0])
