"""Removes what a model thought from its answer. Servers that do not separate thoughts leave them in the text."""

from __future__ import annotations

import re

TAG_NAME = r"(?:\w++:|longcat_)?+(?:think(?:ing)?|thought|reasoning)"
FINAL_CHANNEL = r"<\|channel\|>\s*+final\b.{0,64}?<\|message\|>"
BLOCKS = (
    # DeepSeek, Qwen, GLM and most others; <seed:think> of Seed-OSS, <longcat_think> of LongCat
    (rf"(?i:<(?P<tag>{TAG_NAME})(?:\s[^<>]*+(?<!/))?>)", r"(?i:</(?P=tag)\s*+>)"),
    (r"\[THINK\]", r"\[/THINK\]"),  # Mistral
    (r"<\|channel\|>(?!\s*+final\b)", FINAL_CHANNEL),  # gpt-oss: analysis, and commentary such as calls of tools
    (r"<\|channel>", r"<channel\|>"),  # Gemma
    (r"<ctrl94>", r"<ctrl95>"),  # Gemini
    (r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),  # Cohere
    (r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),  # OpenThinker, Sky-T1
    (r"<\|inner_prefix\|>", r"<\|inner_suffix\|>"),  # Apertus
    (r"<\|think:start\|>", r"<\|think:end\|>"),  # Solar
    (r"◁think▷", r"◁/think▷"),  # Kimi-VL
    (r"\[unused16\]", r"\[unused17\]"),  # openPangu
)
"""The tags that open and close a thought. A thought that is never closed runs to the end."""
ANSWER_BEGINS = (
    rf"(?i:</{TAG_NAME}\s*+>)",
    *(closing for _, closing in BLOCKS[1:]),  # the opening was in the prompt, not in the answer
    r"\A(?:(?:analysis|commentary).*?)?assistantfinal(?=\w|\s*+[\[{\"`])",  # gpt-oss without its tokens
    r"\AHere(?:'s| is) my thought process:.*?Here(?:'s| is) my response:",  # Granite
    r"\[BEGIN FINAL RESPONSE\]",  # Apriel
    r"<\|START_RESPONSE\|>",
    r"<\|begin_of_solution\|>",
)
"""Marks where the answer begins: everything before it was a thought."""
ANSWER_ENDS = (
    r"\[END FINAL RESPONSE\]|<\|(?:END_RESPONSE|end_of_solution|end|return|im_end|eot_id|endoftext)\|>"
    r"|<\|(?:begin|end)_of_box\|>|<\|start\|>assistant"
)
# May be a string in the answer. Prose has other quotes, as in: a 5" screen. Chinese has no spaces around its quotes.
STRING = r'(?<![A-Za-z0-9_\\])"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+(?:"(?![A-Za-z0-9_])|\\?(?=\n|\Z))'
CODE_SPAN = r"`[^`\n]{1,32}+`"  # may be a tag that is only mentioned
WHOLE_BLOCKS = [rf"{opening}.*?(?:{closing}|\Z)" for opening, closing in BLOCKS]
THOUGHT = re.compile(
    rf"(?P<quoted>{STRING}|{CODE_SPAN})|{'|'.join(WHOLE_BLOCKS)}|(?P<before>{'|'.join(ANSWER_BEGINS)})|{ANSWER_ENDS}",
    re.DOTALL,
)


def without_thoughts(text: str) -> str:
    """Return `text` without the blocks in which the model thinks, and without the tags around its answer."""
    kept, end = [], 0
    for match in THOUGHT.finditer(text):
        if match["quoted"]:
            continue
        kept.append(text[end : match.start()])
        end = match.end()
        if match["before"]:
            kept.clear()
    return "".join([*kept, text[end:]]).strip()
