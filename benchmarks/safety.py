"""Sanitising retrieved text is linear in time, even for texts that are designed to take longer.

Reference: one pass of `str.translate` over the same text. If the ratio at 1 MB is that at 100 KB, time is linear.
"""

from functools import partial

from benchmarks.host import milliseconds, show, verdict
from stapel_agent.safety.markers import APPEARANCES, sanitize_for_rag

SIZES = {"100 KB": 100_000, "1 MB": 1_000_000}
SHAPES = {
    "English prose": "The quick brown fox jumps over the lazy dog. ",
    "Persian prose": "می\u200cخواهم کتاب\u200cها را ببینم. ",
    "HTML": '<p class="a">Some <b>bold</b> text</p>\n',
    "control tokens": "<|im_start|>",
    "angle brackets": "<",
    "angle brackets apart": "<  ",
    "closing tags that never close": "</",
    "one name that never ends": "</a_",
    "tokens that never end": "<|aaaaaaaa",
    "square brackets apart": "[ \n",
    "backticks": "`",
    "lines": "\n",
    "lines of blanks": "\n       ",
    "headers that never end": "\n### system   ",
    "zero width spaces": "\u200b",
    "letters hidden from each other": "a\u200d",
    "marks of direction": "א\u200f\u200e",
    "tags": "\U000e0067",
}


def text_of(shape: str, size: int) -> str:
    """`shape` repeated to `size` characters. A shape that never ends begins once."""
    if shape == "</a_":
        return "</" + "a_" * (size // 2)
    return (shape * (size // len(shape) + 1))[:size]


def main() -> None:
    print("\nsafety")
    linear = True
    for name, shape in SHAPES.items():
        ratios = []
        for size, characters in SIZES.items():
            text = text_of(shape, characters)
            steps = partial(text.translate, APPEARANCES), partial(sanitize_for_rag, text)
            reference, sanitised = milliseconds(*steps, rounds=5, warm_up=1)
            ratios.append(sanitised / reference)
            show(f"{name}, {size}", sanitised, note=f"= {ratios[-1]:.1f}x str.translate ({reference:.3f} ms)")
        linear &= ratios[1] < 3 * ratios[0]
    verdict("ten times the text in less than thirty times the time", linear)


if __name__ == "__main__":
    main()
