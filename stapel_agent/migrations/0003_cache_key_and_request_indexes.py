from django.db import migrations, models

from ._operations import AddIndexOnline


class Migration(migrations.Migration):
    """Outside a transaction, so that PostgreSQL builds the indexes without locking out writers."""

    atomic = False

    dependencies = [("agent", "0002_request_id_and_cache_key")]

    operations = [
        AddIndexOnline(
            model_name="promptlog",
            index=models.Index(fields=["cache_key", "-created_at"], name="agent_cache_key_idx"),
        ),
        AddIndexOnline(
            model_name="promptlog",
            index=models.Index(fields=["request_id"], name="agent_request_idx"),
        ),
    ]
