"""Who may call over HTTP is the same for all REST framework defaults of a host."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.access_matrix import Row, access_matrix

ROOT = Path(__file__).parent.parent
URLS = ["/agent/api/v1/llm/complete", "/agent/api/llm/complete"]

OK: Row = (200, "ok", None)
UNAUTHORIZED: Row = (401, "error.401.unauthorized", "Bearer")
FORBIDDEN: Row = (403, "error.403.forbidden", None)

MATRIX: dict[str, Row] = {
    "nobody": UNAUTHORIZED,
    "wrong key": UNAUTHORIZED,
    "empty key": UNAUTHORIZED,
    "key with odd bytes": UNAUTHORIZED,
    "garbage token": UNAUTHORIZED,
    "basic password": UNAUTHORIZED,
    "token of person": FORBIDDEN,
    "token of staff": OK,
    "token of superuser": OK,
    "token cookie of person": FORBIDDEN,
    "token cookie of staff": OK,
    "token cookie of superuser": OK,
    "session of person without CSRF token": FORBIDDEN,
    "session of staff without CSRF token": FORBIDDEN,
    "session of superuser without CSRF token": FORBIDDEN,
    "session of person": FORBIDDEN,
    "session of staff": OK,
    "session of superuser": OK,
    "service": OK,
    "service with garbage token": OK,
    "service with token of person": OK,
    "service with session of person": OK,
    "wrong key with session of staff": FORBIDDEN,
    "GET": (405, "error.405.method_not_allowed", None),
    "form": (415, "error.415.unsupported_media_type", None),
    "HTML wanted": (406, "error.406.not_acceptable", None),
    **dict.fromkeys(("'' wanted", "' ' wanted", "', ,' wanted"), OK),
    "malformed": (400, "error.400.bad_request", None),
    "NaN": (400, "error.400.bad_request", None),
    "field missing": (400, "error.400.field.required", None),
    "too big": (413, "error.413.payload_too_large", None),
}

DRF = "rest_framework"
HOSTILE_DEFAULTS = {
    "strict": {
        "DEFAULT_AUTHENTICATION_CLASSES": [
            f"{DRF}.authentication.SessionAuthentication",
            f"{DRF}.authentication.BasicAuthentication",
        ],
        "DEFAULT_PERMISSION_CLASSES": [f"{DRF}.permissions.IsAdminUser"],
    },
    "lax and odd": {
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": [f"{DRF}.permissions.AllowAny"],
        "UNAUTHENTICATED_USER": None,
        "STRICT_JSON": False,
        "DEFAULT_RENDERER_CLASSES": [f"{DRF}.renderers.BrowsableAPIRenderer"],
        "DEFAULT_PARSER_CLASSES": [f"{DRF}.parsers.FormParser"],
        "EXCEPTION_HANDLER": f"{DRF}.views.exception_handler",
        "NON_FIELD_ERRORS_KEY": "__all__",
        "DEFAULT_VERSIONING_CLASS": f"{DRF}.versioning.NamespaceVersioning",
        "ALLOWED_VERSIONS": ["v7"],
    },
}
THROTTLED = {
    "DEFAULT_THROTTLE_CLASSES": [f"{DRF}.throttling.AnonRateThrottle", f"{DRF}.throttling.UserRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "1/day", "user": "1/day"},
}


def matrices_of_host(rest_framework: dict[str, object], *urls: str) -> list[dict[str, Row]]:
    """The matrix of each URL in a separate process, whose host has these REST_FRAMEWORK settings."""
    environment = {
        **os.environ,
        "DATABASE": "sqlite",
        "DJANGO_SETTINGS_MODULE": "tests.settings_of_any_host",
        "REST_FRAMEWORK": json.dumps({**settings.REST_FRAMEWORK, **rest_framework}),
    }
    command = [sys.executable, "-m", "tests.access_matrix", *urls]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    return [{caller: tuple(row) for caller, row in matrix.items()} for matrix in json.loads(done.stdout)]


@pytest.mark.any_database
@pytest.mark.django_db
@pytest.mark.parametrize("url", URLS)
def test_access__in_the_test_host(scripted_model, url):
    """Services need a key, staff a token or session. Everybody else gets 401 or 403, never a login page."""
    assert access_matrix(url) == MATRIX


@pytest.mark.parametrize("defaults", HOSTILE_DEFAULTS)
def test_access__whatever_the_host_defaults(defaults):
    """Lax, strict or odd defaults of a host change neither who may call, nor what is read, nor how an error looks."""
    assert matrices_of_host(HOSTILE_DEFAULTS[defaults], *URLS) == [MATRIX] * len(URLS)


def test_access__throttled():
    """A host's throttle applies after our permissions, and its error is in the envelope."""
    (matrix,) = matrices_of_host(THROTTLED, URLS[0])
    throttled = {caller for caller, row in matrix.items() if row[:2] == (429, "error.429.too_many_requests")}
    assert {"service with garbage token", "malformed"} <= throttled
    admitted = {caller: row for caller, row in matrix.items() if caller not in throttled}
    assert admitted == {caller: row for caller, row in MATRIX.items() if caller not in throttled}
