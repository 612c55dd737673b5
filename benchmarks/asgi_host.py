"""The application under load: the agent's endpoints with a provider of one second, and bare views for comparison."""

import asyncio
import os
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import django
from django.core.asgi import get_asgi_application
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

SECONDS = float(os.environ.get("HOST_SECONDS", "1"))
ANSWER = '{"city": "Paris", "country": "France", "population": 2100000}'

INSERT = """
    INSERT INTO agent_prompt_log (id, request_id, source, provider, model, model_size, prompt, status, created_at)
    VALUES (%s, %s, 'llm_facade', 'slow', 'model', 'small', 'Name the capital of France.', 'pending', now())"""
UPDATE = """
    UPDATE agent_prompt_log SET status = 'success', response = %s, input_tokens = 20, output_tokens = 10,
        duration_ms = 1000 WHERE id = %s"""

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


writers = ThreadPoolExecutor(4)


def execute(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@csrf_exempt
async def bare_written(request: HttpRequest) -> JsonResponse:
    """The bare view, which writes a row before it waits and updates it afterwards: the least that a ledger can do."""
    loop, row = asyncio.get_running_loop(), uuid.uuid4()
    await loop.run_in_executor(writers, execute, INSERT, row, row)
    await asyncio.sleep(SECONDS)
    await loop.run_in_executor(writers, execute, UPDATE, ANSWER, row)
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
    path("bare-written", bare_written),
    path("agent/", include("stapel_agent.urls")),
]
application = get_asgi_application()
