from django.db import migrations, models

from ._operations import AddIndexOnline


class Migration(migrations.Migration):
    """Outside a transaction, so that PostgreSQL builds the index without locking out writers."""

    atomic = False

    dependencies = [("agent", "0011_retention")]

    operations = [
        AddIndexOnline(
            model_name="promptlog",
            index=models.Index(fields=["created_at", "duration_ms"], name="agent_duration_idx"),
        ),
    ]
