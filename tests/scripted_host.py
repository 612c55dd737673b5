"""Settings of a host in a separate process, whose models answer from a script, for tests of the transports."""

import os

from tests.settings import *  # noqa: F403

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["HOST_DATABASE"]}}
STAPEL_COMM = {
    "OUTBOX_ENABLED": False,
    "NATS_URL": NATS_URL,  # noqa: F405
    "NATS_SUBJECT_PREFIX": os.environ.get("HOST_SUBJECT_PREFIX", "stapel.fn"),
    "SERVICE": "scripted-host",
}
STAPEL_AGENT = {"DEFAULT_PROVIDER": "scripted", "PROVIDERS": {"scripted": "tests.scripted_host_provider.Provider"}}
