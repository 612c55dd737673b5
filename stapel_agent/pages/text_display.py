"""Foreign text as HTML: escaped, with invisible characters spelled out, JSON indented, and bounded in size."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from stapel_agent.parsing import joined_within

DISPLAYED_CHARACTERS = 100_000
NOTHING = "-"

# Control characters, zero-width and direction marks, lone surrogates: browsers drop them, obey them or fail on them.
UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


def text_block(text: str | None) -> SafeString | str:
    """`text` as a scrolling block. JSON is indented, with the stored form folded below it."""
    if not text:
        return NOTHING
    pretty = indented(text)
    if pretty is None or pretty == text:
        return _preformatted(text)
    return format_html(
        "{}<details><summary>As stored</summary>{}</details>", _preformatted(pretty), _preformatted(text)
    )


def json_block(value: Any) -> SafeString | str:
    """A JSON value as a scrolling block."""
    if value is None:
        return NOTHING
    compact = json.dumps(value, ensure_ascii=False)
    return _preformatted(indented(compact) or compact)


def indented(text: str) -> str | None:
    """`text` indented if it is a JSON object or array of displayable size, or None."""
    if len(text) > DISPLAYED_CHARACTERS or not text.lstrip().startswith(("{", "[")):
        return None
    try:
        pieces = json.JSONEncoder(indent=2, ensure_ascii=False, allow_nan=False).iterencode(json.loads(text))
        # A small text of deep brackets grows a thousandfold when indented.
        return joined_within(DISPLAYED_CHARACTERS, pieces)
    except (ValueError, RecursionError):
        return None


def visible(text: str) -> str:
    """`text` with characters spelled out that are invisible or change their neighbours."""
    return UNSEEN.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text)


def _preformatted(text: str) -> SafeString:
    shown, cut = text[:DISPLAYED_CHARACTERS], len(text) - DISPLAYED_CHARACTERS
    block = format_html('<pre class="agent-text" dir="auto" tabindex="0">{}</pre>', visible(shown))
    if cut <= 0:
        return block
    note = f"The first {len(shown):,} of {len(text):,} characters are shown; {cut:,} are cut."
    return format_html('<p class="agent-note">{}</p>{}', note, block)


def local(moment: datetime) -> datetime:
    """`moment` in the host's time zone."""
    return timezone.localtime(moment) if settings.USE_TZ else moment


def moment_text(moment: datetime) -> str:
    return f"{local(moment):%Y-%m-%d %H:%M:%S}"
