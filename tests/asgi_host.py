"""The ASGI application of `tests.engine_host`: a provider that takes two seconds, and views that also use the ORM."""

import asyncio
import os
import time

import django
from django.core.asgi import get_asgi_application
from django.http import JsonResponse
from django.urls import include, path

from stapel_agent import LlmProvider, ProviderResult, register_provider

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.engine_host")
django.setup()

from django.conf import settings  # noqa: E402

SECONDS = float(os.environ.get("HOST_SECONDS", "2"))


class SlowProvider(LlmProvider):
    def complete(self, *, prompt, model, system_prompt=None):
        time.sleep(SECONDS)
        return ProviderResult('{"slept": true}', input_tokens=1)

    async def acomplete(self, **arguments):
        await asyncio.sleep(SECONDS)
        return ProviderResult('{"slept": true}', input_tokens=1)


def orm_first(request):
    from stapel_agent import services
    from stapel_agent.models import PromptLog

    PromptLog.objects.exists()
    return JsonResponse(services.complete(request.GET["prompt"], "small"))


async def async_orm_first(request):
    from stapel_agent import services
    from stapel_agent.models import PromptLog

    await PromptLog.objects.aexists()
    return JsonResponse(await services.acomplete(request.GET["prompt"], "small"))


register_provider("slow", SlowProvider)
settings.ROOT_URLCONF = __name__
urlpatterns = [
    path("agent/", include("stapel_agent.urls")),
    path("orm-first", orm_first),
    path("async-orm-first", async_orm_first),
]
application = get_asgi_application()
