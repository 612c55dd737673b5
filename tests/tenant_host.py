"""A host with django-tenants, as a program: `python -m tests.tenant_host shared|tenant` prints JSON.

If this app is shared, it prints the answers to calls in a tenant's schema, and the rows. If it is in the tenants'
schemas, it prints the output of the check.
"""

import json
import os
import sys

import django
from django.conf import settings

BASE = ["django_tenants", "tests.tenants", "django.contrib.contenttypes", "django.contrib.auth"]
PLACE = sys.argv[1]
SHARED = [*BASE, "stapel_agent"] if PLACE == "shared" else BASE
OF_TENANTS = ["django.contrib.contenttypes", *([] if PLACE == "shared" else ["stapel_agent"])]

settings.configure(
    SECRET_KEY="x" * 40,
    USE_TZ=True,
    ROOT_URLCONF="stapel_agent.urls",
    DATABASES={
        "default": {
            "ENGINE": "django_tenants.postgresql_backend",
            "NAME": os.environ["HOST_DATABASE"],
            "HOST": os.environ.get("POSTGRESQL_HOST", "127.0.0.1"),
            "PORT": os.environ.get("POSTGRESQL_PORT", "5432"),
            "USER": os.environ.get("POSTGRESQL_USER", "postgres"),
            "PASSWORD": os.environ.get("POSTGRESQL_PASSWORD", ""),
        }
    },
    DATABASE_ROUTERS=["django_tenants.routers.TenantSyncRouter"],
    SHARED_APPS=SHARED,
    TENANT_APPS=OF_TENANTS,
    INSTALLED_APPS=[*SHARED, *(app for app in OF_TENANTS if app not in SHARED)],
    TENANT_MODEL="tenants.Tenant",
    TENANT_DOMAIN_MODEL="tenants.Domain",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    STAPEL_AGENT={
        "DEFAULT_PROVIDER": "openai-compat",
        "OPENAI_COMPAT_BASE_URL": os.environ.get("HOST_MODEL_URL", "http://127.0.0.1:9/v1"),
        "TRANSLATE_CHUNK_ENTRIES": 1,
        "BUDGETS": [{"scope": "all", "period": "day", "tokens": 10**9}],
    },
)
django.setup()

from django.core.checks import run_checks  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from stapel_agent import services  # noqa: E402
from stapel_agent.models import PromptLog  # noqa: E402


def answers() -> list[str]:
    from tests.tenants.models import Tenant

    call_command("migrate_schemas", "--shared", run_syncdb=True, verbosity=0, skip_checks=True)
    texts = {f"k{number}": f"Text number {word}" for number, word in enumerate(("one", "two", "three"))}
    for name in ("acme", "other"):
        connection.set_tenant(Tenant.objects.create(schema_name=name, name=name))
        yield services.complete("what?", "small", workspace_id=name)
        yield services.translate("en", "de", texts, workspace_id=name)
        with transaction.atomic():
            list(PromptLog.objects.all()[:1])
            yield services.complete("in a transaction", "small", workspace_id=name)
            yield services.translate("en", "fr", texts, workspace_id=name)
        connection.set_schema_to_public()


if PLACE == "shared":
    told = [answer["status"] for answer in answers()]
    rows = [PromptLog.objects.filter(workspace_id=name, status="success").count() for name in ("acme", "other")]
    print(json.dumps({"answers": told, "rows": rows}))
else:
    print(json.dumps([found.msg for found in run_checks(tags=["stapel_agent"]) if found.id == "stapel_agent.E011"]))
