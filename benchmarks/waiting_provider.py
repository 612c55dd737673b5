"""A provider that waits for as many seconds as the prompt says, and answers with its process id."""

import asyncio
import json
import os
import time
from typing import Any

from stapel_agent import LlmProvider, ProviderResult


class Provider(LlmProvider):
    supports_timeout = True

    def complete(
        self, *, prompt: str, model: str, system_prompt: str | None = None, timeout: float = 0
    ) -> ProviderResult:
        time.sleep(float(prompt))
        return self._answer()

    async def acomplete(self, *, prompt: str, **arguments: Any) -> ProviderResult:
        await asyncio.sleep(float(prompt))
        return self._answer()

    def _answer(self) -> ProviderResult:
        return ProviderResult(json.dumps({"process": os.getpid()}), input_tokens=20, output_tokens=10)
