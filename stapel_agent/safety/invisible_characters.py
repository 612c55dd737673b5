"""Removes invisible characters, except where a script or an emoji needs them."""

from __future__ import annotations

import re

# The contents of [...]. No class further down contains any of these characters: visible characters identify a place.
DIRECTION_MARKS = "\u061c\u200e\u200f"
VARIATION_SELECTORS = "\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
INVISIBLE = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # controls, except line ends
    "\u00ad\u034f\u200b-\u200d"  # soft hyphen, grapheme joiner, zero width space and joiners
    "\u202a-\u202e\u2066-\u2069"  # embeddings, overrides and isolates of direction
    "\u2060-\u2065\u206a-\u206f\ufeff\ufff0-\ufffb"  # word joiner, byte order mark, annotations
    "\u115f\u1160\u3164\uffa0\u17b4\u17b5\u180e"  # fillers of Hangul, vowels of Khmer, Mongolian separator
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"  # shorthand, music, tags
    + VARIATION_SELECTORS
)
HIDDEN = INVISIBLE + DIRECTION_MARKS

LETTER = r"[^\W\d_\u115f\u1160\u3164\uffa0]"
EMOJI = (
    r"[\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff"
    r"\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
HAN = r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
MONGOLIAN = r"[\u1820-\u18aa]"
# Scripts whose letters join, stack, or stand without spaces: Hebrew and Arabic, of India, South East Asia, Mongolia.
JOINING = (
    r"[\u0590-\u061b\u061d-\u109f\u1700-\u17b3\u17b6-\u180a\u1810-\u18af\u1900-\u1cff\ua800-\uabff"
    r"\ufb1d-\ufdff\ufe70-\ufefc\U00010a00-\U00011fff\U0001e900-\U0001e95f]"
)
RIGHT_TO_LEFT = re.compile(r"[\u0590-\u05ff\u0620-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff]")
# Flags of England, Scotland and Wales: the only sequences of tags that are emoji.
FLAGS = [
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in region) + "\U000e007f"
    for region in ("gbeng", "gbsct", "gbwls")
]

# Each (?<!...) is a place where the character just read belongs to the text. A place depends on visible neighbours
# only, so removing one character never changes the place of another.
REMOVED = re.compile(
    rf"""
    ({"|".join(FLAGS)})
    | [{INVISIBLE}]
      (?<! {LETTER}{{2}} \xad (?={LETTER}{{2}}) )                 # where a word may be hyphenated
      (?<! {JOINING} [\u034f\u200b-\u200d] (?![{HIDDEN}]) )       # Persian, Hindi, Khmer, ...
      (?<! [^{HIDDEN}] [\u034f\u200b-\u200d] (?={JOINING}) )      # a Latin word with a Persian ending
      (?<! {EMOJI} [\ufe0e\ufe0f] )
      (?<! [\#*0-9] \ufe0f (?=\u20e3) )                           # a keycap
      (?<! {EMOJI} \u200d (?={EMOJI}) )                           # a family
      (?<! {EMOJI} \ufe0f \u200d (?={EMOJI}) )
      (?<! {HAN} [\ufe00-\ufe02\U000e0100-\U000e011f] )           # a variant of a name's ideograph
      (?<! {MONGOLIAN} [\u180b-\u180f] )
      (?<! [\u1000-\u109f\u2200-\u22ff] \ufe00 )                  # of Myanmar, of a sign of mathematics
    """,
    re.VERBOSE,
)
BREAK = re.compile(r"[\x0b\x0c\x85]")
DIRECTIONS = re.compile(rf"([{DIRECTION_MARKS}])[{DIRECTION_MARKS}]*+")
UNSEEN = re.compile(f"[{HIDDEN}]+")
SEEN = re.compile(f"[^{HIDDEN}]+")


def without_invisible(text: str) -> str:
    """`text` without invisible characters that have no function where they stand.

    Vertical tab, form feed and next line become line feeds. A single direction mark stays in a text with letters
    written from right to left.
    """
    text = REMOVED.sub(r"\1", BREAK.sub("\n", text))
    return DIRECTIONS.sub(r"\1" if RIGHT_TO_LEFT.search(text) else "", text)
