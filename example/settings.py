"""The shortest host that serves stapel-agent: stapel-core's minimum, and the agent's own settings at the end."""

import os
from pathlib import Path

from stapel_core.django.settings import get_staticfiles_dirs

BASE_DIR = Path(__file__).parent

# The secrets here are for loopback alone. Yours are generated, and come from where your host keeps secrets.
SECRET_KEY = "for the example alone, and as long as HMAC-SHA256 wants it"
JWT_SECRET_KEY = "for the example alone, and as long as HS256 wants it too"
SERVICE_API_KEY = "example-service-key"
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "stapel_core.django.apps.CommonDjangoConfig",
    "stapel_core.django.users",
    "stapel_agent",
]
AUTH_USER_MODEL = "users.User"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

MIDDLEWARE = [
    "stapel_core.django.boot.BootGateMiddleware",
    "stapel_core.django.api.error_pages.ApiErrorPagesMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "stapel_core.django.jwt.middleware.JWTAuthMiddleware",
    # Reads X-API-KEY: without it no service can call the agent.
    "stapel_core.django.jwt.middleware.ServiceAPIKeyMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "urls"
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATICFILES_DIRS = get_staticfiles_dirs(BASE_DIR)
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("EXAMPLE_DATABASE", BASE_DIR / "example.sqlite3"),
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["stapel_core.django.jwt.authentication.JWTCookieAuthentication"],
    "DEFAULT_SCHEMA_CLASS": "stapel_core.django.openapi.schemas.PermissionAwareAutoSchema",
    "EXCEPTION_HANDLER": "stapel_core.django.api.errors.stapel_exception_handler",
}

# One process, which has nobody to send events to.
STAPEL_BUS_BACKEND = "stapel_core.bus.backends.memory.MemoryBus"
STAPEL_COMM = {"OUTBOX_ENABLED": False}

# The agent takes no address from the environment, because that is where prompts and keys are sent.
# A host may do so knowingly. ANTHROPIC_API_KEY it does read from there.
base_url = os.environ.get("OPENAI_COMPAT_BASE_URL", "")
model = os.environ.get("OPENAI_COMPAT_MODEL", "smollm2-135m")

STAPEL_AGENT = {
    "DEFAULT_PROVIDER": "openai-compat" if base_url else "anthropic",
    "OPENAI_COMPAT_BASE_URL": base_url,
    "OPENAI_COMPAT_MODELS": {"small": model, "medium": model, "large": model},
    # A small model does not always know where to stop.
    "MAX_TOKENS": 256,
}
