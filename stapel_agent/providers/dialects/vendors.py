"""The dialects, one entry each. docs/dialects.md lists the source of each line."""

from __future__ import annotations

from . import effort_rules, error_codes
from .dialect import Dialect

NEWER_CAP = "max_completion_tokens"

HOSTED = (
    *("api.deepinfra.com", "api.fireworks.ai", "router.huggingface.co", "api.cerebras.ai", "api.scaleway.ai"),
    *("api.cohere.ai", "api.cohere.com", "api.stepfun.com", "api.stepfun.ai", "api.inceptionlabs.ai"),
    *("api.perplexity.ai", "api.hpc-ai.com", "api.llmgateway.io", "inference.do-ai.run", "api.venice.ai"),
    *("api.cloudflare.com", "api.tokenfactory.nebius.com", "*.api.aws"),
)
"""Vendors whose open models take `reasoning_effort`."""

TEMPLATE_HOSTS = ("integrate.api.nvidia.com", "api.friendli.ai", "api.inference.wandb.ai")
"""Vendors that pass the arguments of chat templates on."""

OPENAI = Dialect(
    "openai",
    hosts=("api.openai.com", "*.api.openai.com"),
    max_tokens_param=NEWER_CAP,
    efforts=effort_rules.OPENAI,
    vendor="openai",
)

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        OPENAI,
        Dialect(
            "azure",
            hosts=("*.openai.azure.com", "*.services.ai.azure.com", "*.cognitiveservices.azure.com"),
            key_header="api-key",
            max_tokens_param=NEWER_CAP,
            efforts=effort_rules.OPENAI,
            vendor="azure",
        ),
        Dialect("deepseek", hosts=("api.deepseek.com",), efforts=effort_rules.DEEPSEEK, vendor="deepseek"),
        Dialect(
            "zai",
            hosts=("api.z.ai", "open.bigmodel.cn"),
            efforts=effort_rules.ZAI,
            error_codes=error_codes.ZAI,
            vendor="zai",
        ),
        Dialect(
            "moonshot",
            hosts=("api.moonshot.ai", "api.moonshot.cn"),
            max_tokens_param=NEWER_CAP,
            efforts=effort_rules.MOONSHOT,
            vendor="moonshotai",
        ),
        Dialect("xiaomi", hosts=("*.xiaomimimo.com",), max_tokens_param=NEWER_CAP, efforts=effort_rules.XIAOMI),
        Dialect("google", hosts=("*.googleapis.com",), efforts=effort_rules.GOOGLE, vendor="google"),
        Dialect(
            "mistral",
            hosts=("*.mistral.ai",),
            efforts=effort_rules.MISTRAL,
            error_codes=error_codes.MISTRAL,
            vendor="mistral",
        ),
        Dialect("groq", hosts=("api.groq.com",), max_tokens_param=NEWER_CAP, efforts=effort_rules.GROQ, vendor="groq"),
        Dialect(
            "openrouter",
            hosts=("openrouter.ai", "*.openrouter.ai", "ai-gateway.vercel.sh"),
            efforts=effort_rules.OPENROUTER,
            error_codes=error_codes.OPENROUTER,
            vendor="openrouter",
        ),
        Dialect(
            "xai",
            hosts=("api.x.ai", "*.api.x.ai"),
            max_tokens_param=NEWER_CAP,
            efforts=effort_rules.XAI,
            vendor="x-ai",
        ),
        Dialect(
            "dashscope",
            hosts=(
                *("dashscope.aliyuncs.com", "dashscope-intl.aliyuncs.com", "dashscope-us.aliyuncs.com"),
                *("*.dashscope.aliyuncs.com", "*.maas.aliyuncs.com"),
            ),
            max_tokens_param=NEWER_CAP,
            efforts=effort_rules.DASHSCOPE,
        ),
        Dialect(
            "siliconflow",
            hosts=("api.siliconflow.com", "api.siliconflow.cn"),
            efforts=effort_rules.SILICONFLOW,
        ),
        Dialect(
            "volcengine",
            hosts=("*.volces.com", "*.bytepluses.com"),
            max_tokens_param=NEWER_CAP,
            efforts=effort_rules.VOLCENGINE,
        ),
        Dialect(
            "minimax",
            hosts=("*.minimax.io", "*.minimax.cn", "*.minimaxi.com"),
            max_tokens_param=NEWER_CAP,
            efforts=effort_rules.MINIMAX,
            vendor="minimax",
        ),
        Dialect(
            "together",
            hosts=("api.together.xyz", "api.together.ai"),
            efforts=effort_rules.TOGETHER,
            vendor="together",
        ),
        Dialect("hosted", hosts=HOSTED, efforts=effort_rules.HOSTED),
        Dialect("vllm", hosts=TEMPLATE_HOSTS, efforts=effort_rules.VLLM),
        Dialect("ollama", hosts=("ollama.com",), efforts=effort_rules.OLLAMA),
        Dialect("lmstudio", efforts=effort_rules.OLLAMA),
        Dialect("llamacpp", efforts=effort_rules.LLAMACPP),
    )
}
