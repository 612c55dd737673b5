"""The endpoints of both verbs give the same answers on an event loop, without a thread."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest
from asgiref.sync import async_to_sync, iscoroutinefunction
from django.contrib.auth import get_user_model
from django.http import HttpResponse
from django.test import AsyncClient, AsyncRequestFactory, Client
from django.urls import path
from rest_framework.throttling import SimpleRateThrottle
from stapel_core.django.jwt.provider import jwt_provider

from stapel_agent import LlmProvider, ProviderResult
from stapel_agent.http_api.loop_posts import LIGHT_LENGTH
from stapel_agent.serializers import CompleteAnswerSerializer
from stapel_agent.views import CompleteView
from tests.hosts import Host

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

URL = "/agent/api/v1/llm/complete"
TRANSLATE_URL = "/agent/api/v1/llm/translate"
COMPLETE = {"prompt": "say", "model": "small"}
TRANSLATE = {"from_lang": "en", "to": "de", "entries": {"a": "Cart"}}
KEY = {"X-API-KEY": "service-key-for-tests"}
REQUESTS = {
    "service": (KEY, COMPLETE),
    "service, long": (KEY, {**COMPLETE, "prompt": "x" * LIGHT_LENGTH}),
    "service, with a key": ({**KEY, "Idempotency-Key": "one"}, COMPLETE),
    "nobody": ({}, COMPLETE),
    "a wrong key": ({"X-API-KEY": "wrong"}, COMPLETE),
    "staff": ("staff", COMPLETE),
    "a user": ("user", COMPLETE),
    "an unknown size": (KEY, {**COMPLETE, "model": "huge"}),
    "an unknown field": (KEY, {**COMPLETE, "colour": "red"}),
    "a wrong image": (KEY, {**COMPLETE, "images": [{"url": "http://example.com/a.png"}]}),
    "no JSON": (KEY, "{"),
    "another type wanted": ({**KEY, "Accept": "text/html"}, COMPLETE),
    "keys that differ": ({**KEY, "Idempotency-Key": "one"}, {**COMPLETE, "idempotency_key": "two"}),
    "a service, to translate": (KEY, TRANSLATE),
    "a service, to translate much": (KEY, {**TRANSLATE, "context": "x" * LIGHT_LENGTH}),
    "staff, to translate": ("staff", {**TRANSLATE, "model": "large"}),
    "nobody, to translate": ({}, TRANSLATE),
    "a translation of an unknown size": (KEY, {**TRANSLATE, "model": "huge"}),
    "a translation to nowhere": (KEY, {**TRANSLATE, "to": "!"}),
}


def headers_of(caller: object) -> dict[str, str]:
    if isinstance(caller, dict):
        return caller
    user, _ = get_user_model().objects.get_or_create(username=caller, is_staff=caller == "staff")
    return {"Authorization": f"Bearer {jwt_provider.create_tokens(user)[0]}"}


def told(response: HttpResponse) -> list[object]:
    """Everything in a response except its id."""
    body = json.loads(response.content)
    has_id = (body.pop("request_id", None) or response.headers.get("X-Request-ID")) == response.headers.get(
        "X-Request-ID"
    )
    names = ("Content-Type", "WWW-Authenticate", "Vary", "Allow")
    return [response.status_code, body, has_id, [response.headers.get(name) for name in names]]


@pytest.mark.parametrize("name", REQUESTS)
def test_answer__as_elsewhere(agent, scripted_model, name):
    """Statuses, bodies and headers are the same on an event loop and without one."""
    agent(CACHE_LOOKUP={"translate": False})
    scripted_model.script('{"1": "Wagen"}')
    caller, payload = REQUESTS[name]
    body = payload if isinstance(payload, str) else json.dumps(payload)
    url = TRANSLATE_URL if "entries" in payload else URL
    request = {"data": body, "content_type": "application/json", "headers": headers_of(caller)}
    assert told(async_to_sync(AsyncClient().post)(url, **request)) == told(Client().post(url, **request))


@pytest.mark.parametrize(
    ("length", "is_read_before", "status"),
    [(1, False, 200), (100, False, 200), (100, True, 200), (3_000_000, False, 413)],
)
def test_body__without_a_length(scripted_model, length, is_read_before, status):
    """A body that comes in chunks, or over HTTP/2, is read as if its length was stated first."""
    scripted_model.script("[]")
    body = json.dumps({**COMPLETE, "prompt": "x" * length})
    request = AsyncRequestFactory().post(URL, body, content_type="application/json")
    del request.META["CONTENT_LENGTH"]
    request.is_service_request = True
    if is_read_before:
        assert request.body == body.encode()

    async def answered():
        return await CompleteView.as_view()(request)

    assert async_to_sync(answered)().status_code == status
    assert [len(asked.prompt) for asked in scripted_model.requests] == [length] * (status == 200)


@pytest.mark.parametrize("method", ["get", "put", "delete", "options"])
def test_method__as_elsewhere(method):
    """Other methods are refused, or described, as elsewhere."""
    on_loop = async_to_sync(getattr(AsyncClient(), method))(URL, headers=KEY)
    assert told(on_loop) == told(getattr(Client(), method)(URL, headers=KEY))


class OnThisLoop(LlmProvider):
    """Answers only on the loop where it is awaited."""

    threads: list[str] = []

    def complete(self, **arguments):
        raise AssertionError("called in a thread")

    async def acomplete(self, **arguments):
        self.threads.append(threading.current_thread().name)
        return ProviderResult('{"1": "Wagen"}', input_tokens=1)


class OwnPost(CompleteView):
    """A host's view."""

    def post(self, request):
        asyncio.run(asyncio.sleep(0))  # impossible on a loop
        return super().post(request)


class CountingSerializer(CompleteAnswerSerializer):
    """A host's serializer, which queries the database."""

    def to_representation(self, instance):
        return {"users": get_user_model().objects.count(), "status": instance["status"]}


class OwnSerializer(CompleteView):
    response_serializer_class = CountingSerializer


class OnceADay(SimpleRateThrottle):
    rate = "1/day"

    def get_cache_key(self, request, view):
        return "all"


class Throttled(CompleteView):
    throttle_classes = [OnceADay]


urlpatterns = [
    path("own", OwnPost.as_view()),
    path("serializer", OwnSerializer.as_view()),
    path("throttled", Throttled.as_view()),
    path("complete", CompleteView.as_view()),
]


@pytest.mark.parametrize(("url", "payload"), [(URL, COMPLETE), (TRANSLATE_URL, TRANSLATE)])
def test_provider__awaited(agent, url, payload):
    """The provider is awaited on the server's loop, and the request is read in the loop's thread."""
    agent(PROVIDERS={"loop": OnThisLoop}, DEFAULT_PROVIDER="loop")

    async def thread_and_answer():
        response = await AsyncClient().post(url, payload, content_type="application/json", headers=KEY)
        return threading.current_thread().name, response.json()["status"]

    thread, status = async_to_sync(thread_and_answer)()
    assert (OnThisLoop.threads[-1], status) == (thread, "ok")


@pytest.mark.urls(__name__)
def test_subclass__with_its_own_post(scripted_model):
    """A host's own `post()` is called in a thread, like any synchronous view."""
    scripted_model.script("{}")
    post = async_to_sync(AsyncClient().post)
    assert post("/own", COMPLETE, content_type="application/json", headers=KEY).json()["status"] == "ok"


@pytest.mark.urls(__name__)
def test_subclass__with_its_own_serializer(scripted_model):
    """A host's serializer may use the ORM, also on a loop."""
    scripted_model.script("{}")
    answer = async_to_sync(AsyncClient().post)("/serializer", COMPLETE, content_type="application/json", headers=KEY)
    assert answer.json() == {"users": 0, "status": "ok"}


@pytest.mark.urls(__name__)
def test_subclass__throttled(scripted_model):
    """A host's throttle counts requests, also on a loop."""
    scripted_model.script("{}")
    post = async_to_sync(AsyncClient().post)
    statuses = [post("/throttled", COMPLETE, content_type="application/json", headers=KEY).status_code for _ in "ab"]
    assert statuses == [200, 429]


def test_view__coroutine_on_a_loop_only():
    """For Django, the view is a coroutine function on a loop, and a plain one elsewhere."""
    view = urlpatterns[-1].callback

    async def on_loop():
        return iscoroutinefunction(view)

    assert (async_to_sync(on_loop)(), iscoroutinefunction(view)) == (True, False)
    assert (view.csrf_exempt, view.cls, view.view_class) == (True, CompleteView, CompleteView)


CLIENT_GONE = """
from benchmarks.asgi_host import application
from benchmarks.waiting import COMPLETE
async def main():
    body = b'{"prompt": "say", "model": "small"}'
    messages = [{"type": "http.disconnect"}, {"type": "http.request", "body": body}]
    headers = [(b"x-api-key", b"service-key-for-tests"), (b"content-length", str(len(body)).encode())]
    headers.append((b"content-type", b"application/json"))
    scope = {"type": "http", "method": "POST", "path": COMPLETE, "headers": headers, "query_string": b""}
    async def receive():
        while len(messages) == 1 and not await PromptLog.objects.aexists():
            await asyncio.sleep(0.01)
        return messages.pop()
    await application(scope, receive, lambda message: None)
    before = [row.status async for row in PromptLog.objects.all()]
    while await PromptLog.objects.filter(status="pending").aexists():
        await asyncio.sleep(0.01)
    say([before, [row.status async for row in PromptLog.objects.all()]])
asyncio.run(main())
"""


@pytest.mark.postgresql
def test_client__gone(host: Host) -> None:
    """If the client hangs up, the call continues: it may be paid for, and a repetition with its key gets the answer."""
    host.environment["HOST_SECONDS"] = "1"
    assert host.run(CLIENT_GONE) == [["pending"], ["success"]]
