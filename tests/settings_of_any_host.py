"""The test host, with REST_FRAMEWORK settings from the environment, as JSON."""

import json
import os

from tests.settings import *  # noqa: F403

REST_FRAMEWORK = json.loads(os.environ["REST_FRAMEWORK"])
