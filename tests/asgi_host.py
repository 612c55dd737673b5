"""The ASGI application of `tests.engine_host`, with the instrumented provider of its tests: it takes two seconds."""

import asyncio
import os
import time

import django
from django.core.asgi import get_asgi_application

from stapel_agent import LlmProvider, ProviderResult, register_provider

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.engine_host")
django.setup()

SECONDS = float(os.environ.get("HOST_SECONDS", "2"))


class SlowProvider(LlmProvider):
    def complete(self, *, prompt, model, system_prompt=None):
        time.sleep(SECONDS)
        return ProviderResult('{"slept": true}', input_tokens=1)

    async def acomplete(self, **arguments):
        await asyncio.sleep(SECONDS)
        return ProviderResult('{"slept": true}', input_tokens=1)


register_provider("slow", SlowProvider)
application = get_asgi_application()
