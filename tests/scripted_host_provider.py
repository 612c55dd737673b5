"""The provider of `tests.scripted_host`: it translates to capitals, fails on demand, and reports its calls."""

import json

from stapel_agent import LlmProvider, ProviderResult
from stapel_agent.providers.base import ProviderTimeout


class Provider(LlmProvider):
    def complete(self, *, prompt, model, system_prompt=None):
        if prompt == "time out":
            raise ProviderTimeout("too slow")
        if prompt == "break":
            raise RuntimeError("secret-text")
        if "translator" in system_prompt:
            text = json.dumps({key: value.upper() for key, value in json.loads(prompt).items()})
        else:
            text = json.dumps({"asked": prompt})
        return ProviderResult(text, input_tokens=3, output_tokens=2)
