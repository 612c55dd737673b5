"""The test host, with the REST_FRAMEWORK settings that the environment holds as JSON."""

import json
import os

from tests.settings import *  # noqa: F403

REST_FRAMEWORK = json.loads(os.environ["REST_FRAMEWORK"])
