from django.db import migrations, models

from ._operations import AddIndexOnline

WHOSE = [
    ("hitcount", "user_id", "agent_hit_user_idx"),
    ("hitcount", "workspace_id", "agent_hit_workspace_idx"),
    ("idempotencyrecord", "user_id", "agent_idempotency_user_idx"),
    ("idempotencyrecord", "workspace_id", "agent_idempotency_ws_idx"),
]


class Migration(migrations.Migration):
    """Outside a transaction, so that PostgreSQL builds the indexes without locking out writers."""

    atomic = False

    dependencies = [("agent", "0010_budgets")]

    operations = [
        migrations.AddField(
            model_name="promptlog",
            name="scrubbed_at",
            field=models.DateTimeField(help_text="When its texts were removed; its figures stay.", null=True),
        ),
        AddIndexOnline(
            model_name="promptlog",
            index=models.Index(fields=["scrubbed_at", "created_at"], name="agent_scrubbed_idx"),
        ),
        migrations.AddField(
            model_name="idempotencyrecord",
            name="user_id",
            field=models.CharField(help_text="Whose answer it is, as the ledger has them.", max_length=64, null=True),
        ),
        migrations.AddField(
            model_name="idempotencyrecord",
            name="workspace_id",
            field=models.CharField(max_length=64, null=True),
        ),
        *(
            AddIndexOnline(model_name=model, index=models.Index(fields=[column], name=name))
            for model, column, name in WHOSE
        ),
    ]
