"""Settings of a host with a task store, in a separate process. Tasks run where they are started.

`HOST_APPS` lists more apps to install, and `HOST_COMM` is STAPEL_COMM, both as JSON.
"""

import json
import os

from tests.engine_host import *  # noqa: F403

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["HOST_DATABASE"],
        "OPTIONS": {"timeout": 60, "transaction_mode": "IMMEDIATE"},  # written by several processes
    }
}
INSTALLED_APPS = [  # noqa: F405
    *INSTALLED_APPS[:-1],  # noqa: F405
    *json.loads(os.environ.get("HOST_APPS", "[]")),
    "stapel_core.django.taskstore",
    INSTALLED_APPS[-1],  # noqa: F405
]
STAPEL_COMM = json.loads(os.environ.get("HOST_COMM", '{"OUTBOX_ENABLED": false, "TASK_DISPATCH": "inline"}'))
