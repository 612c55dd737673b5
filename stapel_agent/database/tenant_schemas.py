"""Hosts that give each tenant a database schema: finds out whether the ledger would be in those schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.db import connections

ENGINES = ("django_tenants.", "tenant_schemas.", "django_pgschemas.")
"""Packages whose connections look for tables in the schema of the active tenant."""
APP = "stapel_agent"


def is_in_tenant_schemas(alias: str) -> bool:
    """Whether each tenant would have its own ledger.

    The ledger uses its own connections and threads. They serve all tenants and do not set a schema.
    """
    return connections.settings[alias]["ENGINE"].startswith(ENGINES) and any(map(_is_ours, _apps_of_tenants()))


def _apps_of_tenants() -> Iterator[Any]:
    """The apps in the tenants' schemas, from the settings of django-tenants and django-pgschemas."""
    yield from getattr(settings, "TENANT_APPS", ())
    for setting in ("TENANT_TYPES", "TENANTS"):
        kinds = getattr(settings, setting, {})
        for name, kind in kinds.items() if isinstance(kinds, Mapping) else ():
            if name != getattr(settings, "PUBLIC_SCHEMA_NAME", "public"):
                yield from kind.get("APPS", ())


def _is_ours(app: Any) -> bool:
    return isinstance(app, str) and (app == APP or app.startswith(f"{APP}."))
