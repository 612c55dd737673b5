"""The dialects, one entry each. The source of each line is in docs/dialects.md."""

from __future__ import annotations

from . import error_codes
from .dialect import Dialect

OPENAI = Dialect("openai", hosts=("api.openai.com", "*.api.openai.com"))

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        OPENAI,
        Dialect(
            "azure",
            hosts=("*.openai.azure.com", "*.services.ai.azure.com", "*.cognitiveservices.azure.com"),
        ),
        Dialect("deepseek", hosts=("api.deepseek.com",)),
        Dialect("zai", hosts=("api.z.ai", "open.bigmodel.cn"), error_codes=error_codes.ZAI),
        Dialect("moonshot", hosts=("api.moonshot.ai", "api.moonshot.cn")),
        Dialect("xiaomi", hosts=("*.xiaomimimo.com",)),
        Dialect("google", hosts=("*.googleapis.com",)),
        Dialect("mistral", hosts=("*.mistral.ai",), error_codes=error_codes.MISTRAL),
        Dialect("groq", hosts=("api.groq.com",)),
        Dialect("openrouter", hosts=("openrouter.ai", "*.openrouter.ai")),
        Dialect("xai", hosts=("api.x.ai", "*.api.x.ai")),
        Dialect("vllm"),
        Dialect("ollama", hosts=("ollama.com",)),
        Dialect("lmstudio"),
        Dialect("llamacpp"),
    )
}
