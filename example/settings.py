"""A small Django project. The end is what the README's quick start adds to it."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).parent
SECRET_KEY = "only for the example, which listens on loopback"
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "urls"
LOGIN_URL, LOGIN_REDIRECT_URL = "admin:login", "admin:index"
STATIC_URL = "static/"
TIME_ZONE = "UTC"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
CONTEXT_PROCESSORS = ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth"]
CONTEXT_PROCESSORS += ["django.contrib.messages.context_processors.messages"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "DIRS": [BASE_DIR],
        "OPTIONS": {"context_processors": CONTEXT_PROCESSORS},
    }
]
DATABASE = os.environ.get("EXAMPLE_DATABASE", BASE_DIR / "example.sqlite3")
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE}}

# The quick start. The agent reads no address from the environment, because prompts and keys are sent there.
# This host does so on purpose.
base_url, model = os.environ.get("OPENAI_COMPAT_BASE_URL", ""), os.environ.get("OPENAI_COMPAT_MODEL", "smollm2-135m")
INSTALLED_APPS += ["stapel_agent"]
STAPEL_AGENT = {
    "DEFAULT_PROVIDER": "openai-compat" if base_url else "anthropic",
    "OPENAI_COMPAT_BASE_URL": base_url,
    "OPENAI_COMPAT_MODELS": {"small": model, "medium": model, "large": model},
    "MAX_TOKENS": 256,  # a small model does not always stop
    "PRICES": {"smollm2-135m": {"input": "1", "output": "5"}},  # made up: the model costs nothing
}

# For other services: the middleware that reads their key, and the key.
MIDDLEWARE += ["stapel_core.django.jwt.middleware.ServiceAPIKeyMiddleware"]
SERVICE_API_KEY = "example-service-key"
