"""Settings of a host with the documented apps for tasks: a task store, an outbox, and stapel-core's defaults.

`HOST_COMM` is STAPEL_COMM as JSON.
"""

import json
import os

from tests.settings import REDIS_URL
from tests.task_host import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS[:-1], "stapel_core.django.outbox", INSTALLED_APPS[-1]]  # noqa: F405
STAPEL_COMM = json.loads(os.environ.get("HOST_COMM", "{}"))
STAPEL_BUS_BACKEND = "stapel_core.bus.backends.redis_streams.RedisStreamsBus"
STAPEL_REDIS_BUS_URL = REDIS_URL
