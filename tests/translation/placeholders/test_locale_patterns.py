"""Patterns of dates and prices that each language writes in its own order."""

from stapel_agent.translation import Entry, review
from stapel_agent.translation.placeholders.locale_patterns import is_same_pattern, misplaced_time
from tests.rows import each_row


@each_row(
    [
        ("%B %d, %Y", "%e. %B %Y"),
        ("%b %d", "%e ב%b"),
        ("%Y-%m-%d", "%-d/%-m/%Y"),
        ("%a, %d %b %Y %H:%M:%S %z", "%a %e. %B %Y %H:%M %z"),
        ("%I:%M %p", "%H:%M"),
        ("%u%n", "%n %u"),
        ("-%u%n", "-%n\u00a0%u"),
        ("%n%", "%n %"),
    ]
)
def test_is_same_pattern(source, translation):
    """Parts of a date may be written in another way, and between words; a price needs its number and unit."""
    assert is_same_pattern(source, translation)


@each_row(
    [
        ("%B %d, %Y", "%d. %B"),
        ("%H:%M", "%H"),
        ("%Y-%m-%d", "%d %d.%m.%Y"),
        ("%Y-%m-%d", "%d.%m.%Q"),
        ("%Y-%m-%d", "%d.%m.%Y {x}"),
        ("%Y-%m-%d", "%d.%m.%Y 12"),
        ("%Y-%m-%d", "%d.%m.%Y evil.example/x"),
        ("%I:%M %p", "%I:%M"),
        ("%H:%M", "%I:%M"),
        ("%d %s", "%s %d"),
        ("%d", "%d de"),
        ("Posted on %B %d", "%d. %B"),
        ("%u%n", "%u"),
        ("%u%n", "%n %s"),
        ("- (", "- ("),
    ]
)
def test_is_same_pattern__not(source, translation):
    """A lost part, another placeholder, or a text with words is not the same pattern."""
    assert not is_same_pattern(source, translation)


@each_row(
    [
        ("%H:%M", "%M:%H", "has hours, minutes and seconds in another order"),
        ("%I:%M:%S %p", "%p %I:%S:%M", "has hours, minutes and seconds in another order"),
        ("%Y-%m-%d", "%d.%m.%Y %H:%M", "has a time of day, which the pattern does not have"),
        ("%b %d", "%e %b, %T", "has a time of day, which the pattern does not have"),
        ("%Y-%m-%d", "%d.%m.%Y", ""),
        ("%b %d", "%d.%m.%Y", ""),
        ("%a, %d %b %Y %H:%M:%S %z", "%Y年%m月%d日(%a) %H時%M分%S秒 %z", ""),
        ("%I:%M %p", "%p %I:%M", ""),
        ("%M of %H", "%H von %M", ""),
        ("%d %s", "%s %d", ""),
    ]
)
def test_review__time(source, translation, fault):
    """A time is in the order that every language has, and a date alone does not get one."""
    assert misplaced_time(source, translation) == fault
    assert not fault or review(Entry(source), translation, "en", "de").fault == fault
