"""Who may call the HTTP endpoints, and how other callers are refused: the whole matrix.

DJANGO_SETTINGS_MODULE=... python -m tests.access_matrix /agent/api/v1/llm/complete [another URL ...]

prints the matrix of each URL as JSON. REST framework reads most of its defaults when its classes are created, so the
effect of a host's settings shows only in a separate process.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import django
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
from stapel_core.django.jwt.provider import jwt_provider

from stapel_agent.testing import scripted_provider

BODY = {"prompt": "say", "model": "small"}
CSRF = "a" * 32

Row = tuple[int, str, str | None]
"""Status; error key, or the answer's own status; WWW-Authenticate."""


def access_matrix(url: str) -> dict[str, Row]:
    """The answer to each caller for each kind of request."""
    return {**dict(_callers(url)), **dict(_kinds(url))}


def _callers(url: str) -> Iterator[tuple[str, Row]]:
    key = {"X-API-KEY": settings.SERVICE_API_KEY}
    person, staff, superuser = (_user(name) for name in ("person", "staff", "superuser"))
    yield "nobody", _ask(url)
    yield "wrong key", _ask(url, {"X-API-KEY": "wrong"})
    yield "empty key", _ask(url, {"X-API-KEY": ""})
    yield "key with odd bytes", _ask(url, {"X-API-KEY": "k\xe9y"})
    yield "garbage token", _ask(url, {"Authorization": "Bearer x.y.z"})
    yield "basic password", _ask(url, {"Authorization": "Basic c3RhZmY6cA=="})
    for user in (person, staff, superuser):
        yield f"token of {user.username}", _ask(url, {"Authorization": f"Bearer {_token(user)}"})
        yield f"token cookie of {user.username}", _ask(url, client=_client(stapel_jwt=_token(user)))
        yield f"session of {user.username} without CSRF token", _ask(url, client=_signed_in(user))
        yield f"session of {user.username}", _ask(url, {"X-CSRFToken": CSRF}, client=_signed_in(user))
    yield "service", _ask(url, key)
    yield "service with garbage token", _ask(url, {**key, "Authorization": "Bearer x.y.z"})
    yield "service with token of person", _ask(url, {**key, "Authorization": f"Bearer {_token(person)}"})
    yield "service with session of person", _ask(url, key, client=_signed_in(person))
    yield "wrong key with session of staff", _ask(url, {"X-API-KEY": "wrong"}, client=_signed_in(staff))


def _kinds(url: str) -> Iterator[tuple[str, Row]]:
    key = {"X-API-KEY": settings.SERVICE_API_KEY}
    form = "application/x-www-form-urlencoded"
    yield "GET", _ask(url, key, method="GET")
    yield "form", _ask(url, key, body="prompt=say&model=small", content_type=form)
    yield "HTML wanted", _ask(url, {**key, "Accept": "text/html"})
    for nothing in ("", " ", ", ,"):
        yield f"{nothing!r} wanted", _ask(url, {**key, "Accept": nothing})
    yield "malformed", _ask(url, key, body="{")
    yield "NaN", _ask(url, key, body='{"prompt": NaN, "model": "small"}')
    yield "field missing", _ask(url, key, body='{"model": "small"}')
    yield "too big", _ask(url, key, body="x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1))


def _ask(
    url: str,
    headers: dict[str, str] | None = None,
    *,
    client: Client | None = None,
    method: str = "POST",
    body: str | None = None,
    content_type: str = "application/json",
) -> Row:
    sent = json.dumps(BODY) if body is None else body
    answer = (client or _client()).generic(method, url, sent, content_type=content_type, headers=headers)
    assert answer.headers["Content-Type"] == "application/json", answer.content
    content = answer.json()
    return (
        answer.status_code,
        content.get("localizable_error") or content["status"],
        answer.headers.get("WWW-Authenticate"),
    )


def _client(**cookies: str) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.cookies.load(cookies)
    return client


def _signed_in(user: Any) -> Client:
    client = _client(csrftoken=CSRF)
    client.force_login(user)
    return client


def _user(name: str) -> Any:
    flags = {"is_staff": name == "staff", "is_superuser": name == "superuser"}
    return get_user_model().objects.get_or_create(username=name, defaults=flags)[0]


def _token(user: Any) -> str:
    access, _ = jwt_provider.create_tokens(user)
    return str(access)


if __name__ == "__main__":
    django.setup()
    call_command("migrate", verbosity=0)
    with scripted_provider():
        print(json.dumps([access_matrix(url) for url in sys.argv[1:]]))
