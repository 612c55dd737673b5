"""The words for effort that each vendor's models accept. docs/dialects.md lists the source of each rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stapel_agent.model_profiles import EFFORTS

from .dialect import NONE, EffortRule

Fields = Mapping[str, Any]
NOT_THINKING: Fields = {"enable_thinking": False}
SPLIT: Fields = {"reasoning_split": True}
"""Without this field, MiniMax puts thoughts into the text of the answer."""

PARSED: Fields = {"reasoning_format": "parsed"}
"""Without this field, Groq puts the thoughts of Qwen into the text of the answer."""


def _rule(models: str, fields_of: Callable[[str], Fields], words: str, unset: Fields = NONE) -> EffortRule:
    """`words` are the vendor's words for our values, from "none" to "max". No field is sent for "-"."""
    by_value = zip(EFFORTS, words.split(), strict=True)
    return EffortRule(models, {ours: fields_of(word) for ours, word in by_value if word != "-"}, unset)


def _reasoning_effort(word: str) -> Fields:
    return {"reasoning_effort": word}


def _openrouter(word: str) -> Fields:
    return {"reasoning": {"effort": word}}


def _switch(word: str) -> Fields:
    return {"thinking": {"type": word}}


def _switch_and_effort(word: str) -> Fields:
    return _switch("disabled") if word == "off" else {**_switch("enabled"), **_reasoning_effort(word)}


def _enable_thinking(word: str) -> Fields:
    return NOT_THINKING if word == "off" else {"enable_thinking": True}


def _budget(word: str) -> Fields:
    """A number is the most tokens that the model may think."""
    return {"thinking_budget": int(word)}


def _enable_with_budget(word: str) -> Fields:
    return {**_enable_thinking(word), **(_budget(word) if word.isdigit() else {})}


def _enabled(word: str) -> Fields:
    return {"reasoning": {"enabled": word != "off"}}


def _enabled_with_effort(word: str) -> Fields:
    return _enabled(word) if word == "off" else {**_enabled(word), **_reasoning_effort(word)}


def _effort_and_parsed(word: str) -> Fields:
    return {**_reasoning_effort(word), **PARSED}


def _minimax(word: str) -> Fields:
    return {**_switch(word), **SPLIT}


def _effort_and_split(word: str) -> Fields:
    return {**_reasoning_effort(word), **SPLIT}


def _template(word: str) -> Fields:
    # Templates read different names, and ignore unknown ones.
    if word == "off":
        return {"chat_template_kwargs": {"enable_thinking": False, "thinking": False}}
    return {"chat_template_kwargs": {"enable_thinking": True, "thinking": True, "reasoning_effort": word}}


GPT_OSS = _rule(r"gpt-oss", _reasoning_effort, "low low low medium high high")
TEMPLATE = _rule(r"", _template, "off off low medium high high")
OPENAI = (
    EffortRule(r"gpt-3|gpt-4|gpt-35|chatgpt|gpt-5[^/]*-(?:chat|pro)"),
    _rule(r"(?:^|/)o\d|gpt-oss|codex", _reasoning_effort, "low low low medium high high"),
    _rule(r"gpt-5(?![.\d])", _reasoning_effort, "minimal minimal low medium high high"),
    _rule(r"gpt-5\.1", _reasoning_effort, "none low low medium high high"),
    _rule(r"gpt-5\.[2-5]", _reasoning_effort, "none low low medium high xhigh"),
    _rule(r"gpt-6[^/]*-astra|gpt-6\.[1-9]-sol", _reasoning_effort, "low low low medium high max"),
    _rule(r"", _reasoning_effort, "none low low medium high max"),
)
DEEPSEEK = (_rule(r"", _switch_and_effort, "off low low high high max"),)
ZAI = (
    EffortRule(r"glm-(?:3|4(?:-|v|$))|charglm"),
    _rule(r"glm-(?:4\.\d|5v|5(?:\.[01])?(?!\.))", _switch, "disabled disabled enabled enabled enabled enabled"),
    _rule(r"glm-5\.2", _switch_and_effort, "off off high high high max"),
    _rule(r"", _reasoning_effort, "low low low high high max"),
)
MOONSHOT = (
    EffortRule(r"moonshot-v1|kimi-k2(?:-|$)|kimi-k2\.7|kimi-latest"),
    _rule(r"kimi-k2\.", _switch, "disabled disabled enabled enabled enabled enabled"),
    _rule(r"", _reasoning_effort, "low low low high high max"),
)
XIAOMI = (
    _rule(r"mimo-v2-flash", _switch, "disabled disabled - enabled enabled enabled"),
    _rule(r"", _switch, "disabled disabled enabled enabled enabled enabled"),
)
GOOGLE = (
    EffortRule(r"gemma|gemini-(?:1|2\.0|pro)"),
    _rule(r"gemini-3-pro", _reasoning_effort, "low low low high high high"),
    _rule(r"gemini-3\.5-flash-lite", _reasoning_effort, "- - low medium high high"),
    _rule(r"-pro|gemini-[3-9]|-latest", _reasoning_effort, "low low low medium high high"),
    _rule(r"", _reasoning_effort, "none low low medium high high"),
)
MISTRAL = (
    _rule(r"mistral-(?:small|medium)", _reasoning_effort, "none none - high high high"),
    _rule(r"mistral-large-4", _reasoning_effort, "low low low medium high high"),
    EffortRule(r""),
)
GROQ = (
    GPT_OSS,
    _rule(r"qwen", _effort_and_parsed, "none none default default default default", PARSED),
    EffortRule(r""),
)
OPENROUTER = (_rule(r"", _openrouter, "none minimal low medium high max"),)
XAI = (
    EffortRule(r"non-reasoning|grok-2|grok-3(?!-mini)|grok-4(?:-|$)|grok-4\.20(?!-multi)|grok-code"),
    _rule(r"grok-3-mini", _reasoning_effort, "low low low high high high"),
    _rule(r"grok-4\.3", _reasoning_effort, "none low low medium high high"),
    _rule(r"grok-4\.5", _reasoning_effort, "low low low medium high high"),
    _rule(r"", _reasoning_effort, "low low low medium high xhigh"),
)
DASHSCOPE = (
    EffortRule(r"thinking|qwq|qvq|deepseek-r|minimax|instruct|coder|qwen-?[12]|qwen-(?:max|mt|long|vl|omni|math)"),
    # They think by default, which fails unless the answer is streamed.
    _rule(r"(?:^|/)qwen3-[\d.]+b(?:-a\d+b)?$", _enable_thinking, "off off off off off off", NOT_THINKING),
    _rule(r"qwen-(?:plus|flash|turbo)|qwen3-|deepseek-v3", _enable_thinking, "off off - on on on"),
    _rule(r"qwen3\.8-2\.4t", _reasoning_effort, "low low low medium high high"),
    _rule(r"qwen3\.[89]|qwen-?[4-9]", _reasoning_effort, "none low low medium xhigh xhigh"),
    _rule(r"glm-(?:5\.[3-9]|[6-9])", _reasoning_effort, "low low low high high max"),
    _rule(r"deepseek-v|glm-5\.2|kimi-k[3-9]", _reasoning_effort, "none low low high high max"),
    _rule(r"", _enable_thinking, "off off on on on on"),
)
SILICONFLOW = (
    EffortRule(r"(?<!a13b-)instruct|coder|qwen2|gemma|ernie|/ling-"),
    _rule(r"thinking|deepseek-r|qwq|glm-z|/ring-|minimax|gpt-oss", _budget, "1024 1024 1024 4096 4096 32768"),
    _rule(r"", _enable_with_budget, "off off 1024 4096 4096 32768"),
)
VOLCENGINE = (
    GPT_OSS,
    EffortRule(r"doubao-(?:1-5-)?(?:pro|lite)|translation"),
    _rule(r"deepseek-v4|glm-5-[2-9]", _switch_and_effort, "off off low high high max"),
    _rule(r"deepseek", _switch, "disabled disabled - enabled enabled enabled"),
    _rule(r"glm-|kimi", _switch, "disabled disabled enabled enabled enabled enabled"),
    _rule(r"seed-character", _switch_and_effort, "off off - medium high high"),
    _rule(r"", _switch_and_effort, "off off low medium high high"),
)
MINIMAX = (
    _rule(r"m3\.|m[4-9]", _effort_and_split, "low low low medium high max", SPLIT),
    _rule(r"", _minimax, "disabled disabled adaptive adaptive adaptive adaptive", SPLIT),
)
TOGETHER = (
    GPT_OSS,
    EffortRule(r"instruct|coder|thinking|deepseek-r|minimax|qwen2|gemma|k2\.7"),
    _rule(r"deepseek-v4|glm-5\.2", _enabled_with_effort, "off off high high high max"),
    _rule(r"glm-(?:5\.[3-9]|[6-9])", _reasoning_effort, "low low low medium high max"),
    _rule(r"deepseek-v3", _enabled, "off off - on on on"),
    _rule(r"", _enabled, "off off on on on on"),
)
HOSTED = (
    GPT_OSS,
    EffortRule(r"instruct|coder|(?<!distill-)llama|qwen2|gemma-3|sonar(?!-(?:deep|reasoning))|command-(?:r|a-\d)"),
    _rule(r"mercury", _reasoning_effort, "instant instant low medium high high"),
    _rule(r"command-a-(?:reasoning|plus)|north-", _reasoning_effort, "none none high high high high"),
    _rule(r"thinking|deepseek-r|minimax|step-\d|sonar", _reasoning_effort, "low low low medium high high"),
    _rule(r"", _reasoning_effort, "none low low medium high high"),
)
VLLM = (GPT_OSS, TEMPLATE)
LLAMACPP = (TEMPLATE,)
OLLAMA = (
    GPT_OSS,
    _rule(r"", _reasoning_effort, "none low low medium high high"),
)


def _claude(word: str) -> Fields:
    """A word that begins with "-" is a type of `thinking`, with which the model does not think. Others are efforts."""
    return {"thinking": {"type": word[1:]}} if word.startswith("-") else {"output_config": {"effort": word}}


def _claude_on_request(word: str) -> Fields:
    """For models that think only on request."""
    adaptive = {"thinking": {"type": "adaptive"}} if word in ("medium", "high", "max") else {}
    return {**_claude(word), **adaptive}


CLAUDE = (
    EffortRule(r"claude-(?:[123]|instant)|claude-(?:haiku|sonnet)-4-5|claude-(?:opus|sonnet)-4(?:-[01]|-2|$)"),
    _rule(r"claude-opus-4-5", _claude, "- low low medium high high"),
    _rule(
        r"claude-(?:opus|sonnet)-4-[6-9]|claude-mythos-preview",
        _claude_on_request,
        "-disabled low low medium high max",
    ),
    _rule(r"claude-(?:opus-5-5|fable|mythos)", _claude, "low low low medium high max"),
    _rule(r"claude-sonnet-5-5", _claude, "-between_tools low low medium high max"),
    _rule(r"", _claude, "-disabled low low medium high max"),
)
