"""A host project for the tests: stapel-core as documented, one database, loopback services.

`DATABASE` chooses the database: "sqlite" (default), "postgresql" or "mariadb". Environment variables override the
addresses of the services, for CI jobs with service containers.
"""

import gc
import os

gc.set_threshold(50_000, 50, 50)  # most objects of a test process live until its end

DATABASE = os.environ.get("DATABASE", "sqlite")

SECRET_KEY = "a secret for tests only, long enough for HMAC-SHA256"
DEBUG = False
USE_TZ = True
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "/static/"

DATABASES = {
    "sqlite": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
    },
    "postgresql": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ.get("POSTGRESQL_NAME", "postgres"),
        "HOST": os.environ.get("POSTGRESQL_HOST", "127.0.0.1"),
        "PORT": os.environ.get("POSTGRESQL_PORT", "5432"),
        "USER": os.environ.get("POSTGRESQL_USER", "postgres"),
        "PASSWORD": os.environ.get("POSTGRESQL_PASSWORD", ""),
    },
    "mariadb": {
        "ENGINE": "django.db.backends.mysql",
        "NAME": os.environ.get("MARIADB_NAME", "test"),
        "HOST": os.environ.get("MARIADB_HOST", "127.0.0.1"),
        "PORT": os.environ.get("MARIADB_PORT", "3306"),
        "USER": os.environ.get("MARIADB_USER", "root"),
        "PASSWORD": os.environ.get("MARIADB_PASSWORD", ""),
        "OPTIONS": {"charset": "utf8mb4", "ssl_disabled": True},
        "TEST": {"CHARSET": "utf8mb4"},
    },
}
DATABASES = {"default": DATABASES[DATABASE]}
if DATABASE == "mariadb":
    import pymysql

    pymysql.install_as_MySQLdb()

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/9")
NATS_URL = os.environ.get("NATS_URL", "nats://127.0.0.1:4222")

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.admin",
    "rest_framework",
    "drf_spectacular",
    "stapel_core.django.apps.CommonDjangoConfig",
    "stapel_core.django.users",
    "stapel_agent",
]
AUTH_USER_MODEL = "users.User"

MIDDLEWARE = [
    "stapel_core.django.api.error_pages.ApiErrorPagesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "stapel_core.django.jwt.middleware.JWTAuthMiddleware",
    "stapel_core.django.jwt.middleware.ServiceAPIKeyMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

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

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["stapel_core.django.jwt.authentication.JWTCookieAuthentication"],
    "DEFAULT_SCHEMA_CLASS": "stapel_core.django.openapi.schemas.PermissionAwareAutoSchema",
    "EXCEPTION_HANDLER": "stapel_core.django.api.errors.stapel_exception_handler",
}

STAPEL_BUS_BACKEND = "stapel_core.bus.backends.memory.MemoryBus"
STAPEL_COMM = {"OUTBOX_ENABLED": False, "NATS_URL": NATS_URL}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SERVICE_API_KEY = "service-key-for-tests"
JWT_SECRET_KEY = "a secret for JWTs in tests only, long enough for HS256"
