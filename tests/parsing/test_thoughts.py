"""Thoughts that a server leaves in a model's answer."""

import pytest

from stapel_agent.parsing import parse_json_response, parse_translation_response
from tests.rows import each_row

DRAFT = 'Maybe:\n```json\n{"a": 0}\n```\nNo, that 5" one is wrong.'
FINAL = '{"a": 1}'
ANSWER = {"a": 1}

FAMILIES = {
    "blanks": ("<think >", "</think >", ""),
    "attribute": ('<think signature="x">', "</think>", ""),
    "Seed-OSS": ("<seed:think>", "</seed:think>", ""),
    "LongCat": ("<longcat_think>", "</longcat_think>", ""),
    "Mistral": ("[THINK]", "[/THINK]", ""),
    "gpt-oss": ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>", "<|return|>"),
    "gpt-oss, JSON": (
        "<|start|>assistant<|channel|>analysis<|message|>",
        "<|channel|>final <|constrain|>json<|message|>",
        "<|end|>",
    ),
    "Gemma": ("<|channel>thought\n", "<channel|>", ""),
    "Gemini": ("<ctrl94>thought\n", "<ctrl95>", ""),
    "Cohere": ("<|START_THINKING|>", "<|END_THINKING|><|START_RESPONSE|>", "<|END_RESPONSE|>"),
    "OpenThinker": ("<|begin_of_thought|>", "<|end_of_thought|>\n<|begin_of_solution|>", "<|end_of_solution|>"),
    "Apertus": ("<|inner_prefix|>", "<|inner_suffix|>", ""),
    "Solar": ("<|think:start|>", "<|think:end|>", ""),
    "Kimi-VL": ("◁think▷", "◁/think▷", ""),
    "openPangu": ("[unused16]", "[unused17]", ""),
}
WITHOUT_TOKENS = {
    "gpt-oss without tokens": ("analysis", "assistantfinal", ""),
    "gpt-oss without tokens, with a call": ("commentary to=functions.x json", "assistantfinal", ""),
    "Granite": ("Here is my thought process: ", "Here is my response: ", ""),
    "Granite, abridged": ("Here's my thought process: ", "Here's my response: ", ""),
    "Apriel": ("Here are my reasoning steps:\n", "\n[BEGIN FINAL RESPONSE]\n", "\n[END FINAL RESPONSE]"),
}


@pytest.mark.parametrize("family", [*FAMILIES, *WITHOUT_TOKENS])
def test_thoughts__of_each_family(family):
    """Thoughts are neither result nor comment, and neither are the tags around the answer."""
    opening, closing, end = {**FAMILIES, **WITHOUT_TOKENS}[family]
    text = f"{opening}{DRAFT}{closing}{FINAL}{end}"
    assert parse_json_response(text) == (ANSWER, None)
    assert parse_translation_response(text) == ANSWER
    assert parse_json_response(f"{opening}4{closing}5{end}") == (5, None)


@pytest.mark.parametrize("family", FAMILIES)
def test_thoughts__opening_in_the_prompt(family):
    """Text before a closing tag was thought, even if the opening tag is missing."""
    _, closing, end = FAMILIES[family]
    for draft in (DRAFT, f'{DRAFT} He said "hm', f'{DRAFT} Is it "a" or "b"?', f"{DRAFT} Or `a", f"{DRAFT}\n"):
        assert parse_json_response(f"{draft}{closing}{FINAL}{end}") == (ANSWER, None)


@pytest.mark.parametrize("family", FAMILIES)
def test_thoughts__never_closed(family):
    """A thought without an end contains no answer."""
    opening, _, _ = FAMILIES[family]
    assert parse_json_response(f"{opening}{DRAFT}") == (None, None)


@each_row([
    ("", "<|im_end|>"), ("", "<|eot_id|>"), ("", "<|endoftext|>"), ("<|begin_of_box|>", "<|end_of_box|>"),
])  # fmt: skip
def test_thoughts__tokens_around_the_answer(before, after):
    """Tokens of a model's chat template that a server leaves in the text are neither result nor comment."""
    assert parse_json_response(f"{before}5{after}") == (5, None)
    assert parse_json_response(f"{before}{FINAL}{after}") == (ANSWER, None)


def test_thoughts__call_of_a_tool():
    """The arguments of a tool that a model tries to call are not its answer."""
    assert parse_json_response('<|channel|>commentary<|message|>{"path": "/"}<|end|>') == (None, None)


@pytest.mark.parametrize("family", FAMILIES)
def test_thoughts__tags_in_a_string(family):
    """Tags in a string of the answer are part of it."""
    opening, closing, end = FAMILIES[family]
    quoted = f"{opening}b{closing}{end}".replace("\n", " ").replace('"', "'")
    for text in (f'{{"a": "{quoted}"}}', f'Sure: {{"a": "{quoted}"}}', f'```json\n{{"a": "{quoted}"}}\n```'):
        assert parse_json_response(text)[0] == {"a": quoted}


@each_row([
    ("Text in `<think>` is left out:", ""), ("", "It has no `</think>`, `[THINK]` or `<|channel|>`."),
    ('A thought begins with "[THINK]".', 'It ends with "</think>".'), ("It is <thinkable> and </thoughtful>:", ""),
    ("With [think], [THINKING] and <|channels|>:", ""), ("analysis of it:", "See assistantfinal."), ("<think/>", ""),
    ('标签"<think>"表示思考。', '以"</think>"结束。'),
    ("Here is my thought process: none.", ""), ("", "Here is my response: done."), ("", "<think />"),
])  # fmt: skip
def test_thoughts__only_mentioned(before, after):
    """Prose that mentions tags, or has words like them, hides no answer and stays in the comment."""
    comment = "\n".join(filter(None, (before, after)))
    assert parse_json_response(f"{before} {FINAL} {after}") == (ANSWER, comment)
