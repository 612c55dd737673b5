"""Settings of a host with a task store, in a process of its own. Tasks run where they are started."""

import os

from tests.engine_host import *  # noqa: F403

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["HOST_DATABASE"]}}
INSTALLED_APPS = [  # noqa: F405
    *INSTALLED_APPS[:-1],  # noqa: F405
    "stapel_core.django.taskstore",
    INSTALLED_APPS[-1],  # noqa: F405
]
STAPEL_COMM = {"OUTBOX_ENABLED": False, "TASK_DISPATCH": "inline"}
