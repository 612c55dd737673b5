"""A WSGI application for gunicorn's gevent worker, which patches the standard library before it imports this module."""

import json
import os

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="x" * 40,
    ALLOWED_HOSTS=["*"],
    USE_TZ=True,
    ROOT_URLCONF="tests.gevent_host",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["HOST_DATABASE"]}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "stapel_agent"],
    MIDDLEWARE=["stapel_core.django.jwt.middleware.ServiceAPIKeyMiddleware"],
    SERVICE_API_KEY="service-key",
    STAPEL_AGENT={
        "DEFAULT_PROVIDER": "openai-compat",
        "OPENAI_COMPAT_BASE_URL": os.environ["HOST_MODEL_URL"],
        "TRANSLATE_CHUNK_ENTRIES": 1,
        **json.loads(os.environ.get("HOST_SETTINGS", "{}")),
    },
)
django.setup()

from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import include, path  # noqa: E402

urlpatterns = [path("agent/", include("stapel_agent.urls"))]
call_command("migrate", verbosity=0, skip_checks=True)
application = get_wsgi_application()
