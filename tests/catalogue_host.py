"""Settings of a host with a catalogue to be translated, or of the one that translates it, in a process of its own.

`HOST_APPS` are apps to be installed besides, `HOST_COMM` more of STAPEL_COMM, both as JSON.
"""

import json
import os

from tests.scripted_host import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, *json.loads(os.environ.get("HOST_APPS", "[]"))]  # noqa: F405
STAPEL_COMM = {**STAPEL_COMM, **json.loads(os.environ.get("HOST_COMM", "{}"))}  # noqa: F405
STAPEL_AGENT = {
    "DEFAULT_PROVIDER": "misbehaving",
    "PROVIDERS": {"misbehaving": "tests.misbehaving_provider.Provider"},
    "TRANSLATE_CHUNK_ENTRIES": 10,
}
