"""Bar charts as SVG, without scripts. Each bar is a link as high as the chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

HEIGHT = 100
COLUMN, GAP = 10, 2
# The smallest amount stays visible.
LEAST = 1
# The height of an outlined bar, whose size is unknown.
UNKNOWN = 12


@dataclass(frozen=True)
class Bar:
    """`size` decides the height, `text` is the label, and `address` the link."""

    size: float
    text: str
    address: str
    is_unknown: bool = False


def bar_chart(name: str, title: str, bars: Sequence[Bar | None]) -> SafeString:
    """Draw the bars side by side; None is a gap. The longest is as high as the chart, which fills its container."""
    longest = max((bar.size for bar in bars if bar), default=0)
    drawn = format_html_join("", "{}", ((_drawn(bar, place, longest),) for place, bar in enumerate(bars) if bar))
    return format_html(
        '<svg class="agent-chart" viewBox="0 0 {} {}" preserveAspectRatio="none" role="group"'
        ' aria-labelledby="{name}-title {name}-desc"><title id="{name}-title">{}</title>'
        '<desc id="{name}-desc">Bars: {}. The table below has the same figures.</desc>{}</svg>',
        max(1, len(bars)) * COLUMN,
        HEIGHT,
        title,
        sum(bar is not None for bar in bars),
        drawn,
        name=name,
    )


def _drawn(bar: Bar, place: int, longest: float) -> SafeString:
    height = UNKNOWN if bar.is_unknown else max(LEAST, HEIGHT * bar.size / longest) if bar.size else 0
    left = place * COLUMN
    return format_html(
        '<a href="{}" aria-label="{text}"><title>{text}</title>'
        '<rect class="agent-column" x="{}" y="0" width="{}" height="{}"/>'
        '<rect class="agent-bar{}" x="{}" y="{}" width="{}" height="{}"/></a>',
        bar.address,
        left,
        COLUMN,
        HEIGHT,
        " agent-unknown" if bar.is_unknown else "",
        left + GAP / 2,
        f"{HEIGHT - height:.2f}",
        COLUMN - GAP,
        f"{height:.2f}",
        text=bar.text,
    )
