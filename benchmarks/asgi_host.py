"""The application under load: the agent's endpoints with a provider of one second, and a bare view for comparison."""

import asyncio
import os
import time

import django
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

SECONDS = float(os.environ.get("HOST_SECONDS", "1"))
ANSWER = '{"city": "Paris", "country": "France", "population": 2100000}'

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.engine_host")
django.setup()

from django.conf import settings  # noqa: E402

from stapel_agent import LlmProvider, ProviderResult, register_provider  # noqa: E402


class SlowProvider(LlmProvider):
    supports_timeout = True

    def complete(
        self, *, prompt: str, model: str, system_prompt: str | None = None, timeout: float = 0
    ) -> ProviderResult:
        time.sleep(SECONDS)
        return ProviderResult(ANSWER, input_tokens=20, output_tokens=10)

    async def acomplete(self, **arguments: object) -> ProviderResult:
        await asyncio.sleep(SECONDS)
        return ProviderResult(ANSWER, input_tokens=20, output_tokens=10)


@csrf_exempt
def bare(request: HttpRequest) -> JsonResponse:
    time.sleep(SECONDS)
    return JsonResponse({"status": "ok"})


@csrf_exempt
async def bare_async(request: HttpRequest) -> JsonResponse:
    await asyncio.sleep(SECONDS)
    return JsonResponse({"status": "ok"})


register_provider("slow", SlowProvider)
settings.STAPEL_AGENT = {"DEFAULT_PROVIDER": "slow"}
settings.ROOT_URLCONF = __name__
if "HOST_LEAN" in os.environ:  # what services need: sessions and messages cost each request as much as the endpoint
    settings.MIDDLEWARE = [
        "django.middleware.common.CommonMiddleware",
        "stapel_core.django.jwt.middleware.ServiceAPIKeyMiddleware",
    ]
urlpatterns = [
    path("bare", bare),
    path("bare-async", bare_async),
    path("agent/", include("stapel_agent.urls")),
]
application = get_asgi_application()
