"""The words for effort that each vendor's models accept. docs/dialects.md lists the source of each rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .dialect import EffortRule

OURS = ("none", "minimal", "low", "medium", "high", "max")
Fields = Mapping[str, Any]


def _fields_by_effort(tell: Callable[[str], Fields], words: str) -> dict[str, Fields]:
    """`words` are the vendor's words for ours, from "none" to "max". No field is sent for "-"."""
    return {our: tell(word) for our, word in zip(OURS, words.split(), strict=True) if word != "-"}


def _rule(models: str, tell: Callable[[str], Fields], words: str) -> EffortRule:
    return EffortRule(models, _fields_by_effort(tell, words))


def _reasoning_effort(word: str) -> Fields:
    return {"reasoning_effort": word}


def _openrouter(word: str) -> Fields:
    return {"reasoning": {"effort": word}}


def _switch(word: str) -> Fields:
    return {"thinking": {"type": word}}


def _switch_and_effort(word: str) -> Fields:
    return _switch("disabled") if word == "off" else {**_switch("enabled"), **_reasoning_effort(word)}


def _template(word: str) -> Fields:
    # Templates read different names, and ignore unknown ones.
    if word == "off":
        return {"chat_template_kwargs": {"enable_thinking": False, "thinking": False}}
    return {"chat_template_kwargs": {"enable_thinking": True, "thinking": True, "reasoning_effort": word}}


OPENAI = (
    EffortRule(r"gpt-3|gpt-4|gpt-35|chatgpt|gpt-5[^/]*-(?:chat|pro)"),
    _rule(r"(?:^|/)o\d|gpt-oss|codex", _reasoning_effort, "low low low medium high high"),
    _rule(r"gpt-5(?![.\d])", _reasoning_effort, "minimal minimal low medium high high"),
    _rule(r"gpt-5\.1", _reasoning_effort, "none low low medium high high"),
    _rule(r"", _reasoning_effort, "none low low medium high xhigh"),
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
    _rule(r"-pro", _reasoning_effort, "low low low medium high high"),
    _rule(r"", _reasoning_effort, "none low low medium high high"),
)
MISTRAL = (
    _rule(r"mistral-(?:small|medium)", _reasoning_effort, "none none - high high high"),
    EffortRule(r""),
)
GROQ = (
    _rule(r"gpt-oss", _reasoning_effort, "low low low medium high high"),
    _rule(r"qwen", _reasoning_effort, "none none default default default default"),
    EffortRule(r""),
)
OPENROUTER = (_rule(r"", _openrouter, "none minimal low medium high max"),)
XAI = (
    EffortRule(r"non-reasoning|grok-2|grok-3(?!-mini)|grok-4(?:-|$)|grok-code"),
    _rule(r"grok-3-mini", _reasoning_effort, "low low low high high high"),
    _rule(r"grok-4\.3", _reasoning_effort, "none low low medium high high"),
    _rule(r"", _reasoning_effort, "low low low medium high high"),
)
VLLM = (
    _rule(r"gpt-oss", _reasoning_effort, "low low low medium high high"),
    _rule(r"", _template, "off off low medium high high"),
)
LLAMACPP = (_rule(r"", _template, "off off low medium high high"),)
OLLAMA = (
    _rule(r"gpt-oss", _reasoning_effort, "low low low medium high high"),
    _rule(r"", _reasoning_effort, "none low low medium high high"),
)
LMSTUDIO = OLLAMA


def _claude(word: str) -> Fields:
    return {"output_config": {"effort": word}}


def _claude_that_may_rest(word: str) -> Fields:
    return {"thinking": {"type": "disabled"}} if word == "off" else _claude(word)


def _claude_between_tools(word: str) -> Fields:
    return {"thinking": {"type": "between_tools"}} if word == "off" else _claude(word)


def _claude_at_rest(word: str) -> Fields:
    """For models that think only on request."""
    adaptive = {"thinking": {"type": "adaptive"}} if word in ("medium", "high", "max") else {}
    return {**_claude_that_may_rest(word), **adaptive}


CLAUDE = (
    EffortRule(r"claude-(?:[123]|instant)|claude-(?:haiku|sonnet)-4-5|claude-(?:opus|sonnet)-4(?:-[01]|-2|$)"),
    _rule(r"claude-opus-4-5", _claude, "- low low medium high high"),
    _rule(r"claude-(?:opus|sonnet)-4-[6-9]|claude-mythos-preview", _claude_at_rest, "off low low medium high max"),
    _rule(r"claude-(?:opus-5-5|fable|mythos)", _claude, "low low low medium high max"),
    _rule(r"claude-sonnet-5-5", _claude_between_tools, "off low low medium high max"),
    _rule(r"", _claude_that_may_rest, "off low low medium high max"),
)
