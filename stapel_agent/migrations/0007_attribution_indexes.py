from django.db import migrations, models

from ._operations import AddIndexOnline


class Migration(migrations.Migration):
    """Outside a transaction, so that PostgreSQL builds the indexes without locking out writers."""

    atomic = False

    dependencies = [("agent", "0006_attribution")]

    operations = [
        AddIndexOnline(
            model_name="promptlog",
            index=models.Index(fields=["user_id", "-created_at"], name="agent_user_created_idx"),
        ),
        AddIndexOnline(
            model_name="promptlog",
            index=models.Index(fields=["workspace_id", "-created_at"], name="agent_workspace_created_idx"),
        ),
    ]
