"""Settings of a host with a catalogue to translate, or of the one that translates it, in a separate process.

`HOST_APPS` lists more apps to install, and `HOST_COMM` has more of STAPEL_COMM, both as JSON.
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
