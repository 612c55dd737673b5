"""Settings of a host in a separate process, for tests that need one.

`DATABASE` and `<server>_NAME` choose the database, `HOST_AGENT` is STAPEL_AGENT as JSON, `HOST_POOL` is the size of a
connection pool, `HOST_ATOMIC_REQUESTS` turns that setting on, and `HOST_DATABASE_OPTIONS` are OPTIONS as JSON.
"""

import json
import os

from tests.settings import *  # noqa: F403

STAPEL_AGENT = {
    "DEFAULT_PROVIDER": "openai-compat",
    "CACHE_LOOKUP": {"llm_facade": True, "translate": True},
    **json.loads(os.environ.get("HOST_AGENT", "{}")),
}
if "HOST_POOL" in os.environ:
    size = int(os.environ["HOST_POOL"])
    DATABASES["default"]["OPTIONS"] = {"pool": {"min_size": 1, "max_size": size, "timeout": 120}}  # noqa: F405
if "HOST_ATOMIC_REQUESTS" in os.environ:
    DATABASES["default"]["ATOMIC_REQUESTS"] = True  # noqa: F405
if "HOST_DATABASE_OPTIONS" in os.environ:
    DATABASES["default"].setdefault("OPTIONS", {}).update(json.loads(os.environ["HOST_DATABASE_OPTIONS"]))  # noqa: F405
