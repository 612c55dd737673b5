"""Settings of a host with this package and the released apps that call it."""

import os
import tempfile

from tests.settings import *  # noqa: F403

# In a file: the live server's threads have their own connections, as in a real host.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "TEST": {"NAME": os.path.join(tempfile.gettempdir(), f"fleet_{os.getpid()}.sqlite3")},
    }
}

ROOT_URLCONF = "tests.fleet.urls"
INSTALLED_APPS = [  # noqa: F405
    *INSTALLED_APPS[:-1],  # noqa: F405
    "stapel_core.django.taskstore",
    "stapel_core.django.projections",
    "stapel_translate",
    "stapel_moderation",
    "stapel_recordings",
    INSTALLED_APPS[-1],  # noqa: F405
]
STAPEL_COMM = {"OUTBOX_ENABLED": False, "TASK_DISPATCH": "inline", "TASK_RETRY_BACKOFF_BASE": 0}
STAPEL_TRANSLATE = {"LANGUAGES": ["en", "de", "fr"]}
STAPEL_MODERATION = {
    "TARGET_TYPES": {"listing": {"content_function": "listings.moderation_content", "id_field": "listing_id"}},
}
