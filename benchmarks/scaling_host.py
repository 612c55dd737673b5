"""Settings of the measured processes: tests.engine_host, with functions over NATS."""

import os

from tests.engine_host import *  # noqa: F403
from tests.engine_host import STAPEL_COMM

STAPEL_COMM = {
    **STAPEL_COMM,
    "NATS_SUBJECT_PREFIX": os.environ.get("HOST_SUBJECT_PREFIX", "stapel.fn"),
    "SERVICE": "scaling-host",
}
