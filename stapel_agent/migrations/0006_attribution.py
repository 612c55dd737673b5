from django.db import migrations, models


class Migration(migrations.Migration):
    """Nullable columns without a default, and a small table: nothing of the ledger's is rewritten."""

    dependencies = [("agent", "0005_translation_and_lease")]

    operations = [
        migrations.AddField(
            model_name="promptlog",
            name="provider",
            field=models.CharField(blank=True, max_length=64, null=True),
        ),
        migrations.AddField(
            model_name="promptlog",
            name="workspace_id",
            field=models.CharField(blank=True, max_length=64, null=True),
        ),
        migrations.CreateModel(
            name="IdempotencyRecord",
            fields=[
                (
                    "digest",
                    models.CharField(
                        help_text="SHA-256 of the caller and the key.",
                        max_length=64,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("payload_digest", models.CharField(help_text="SHA-256 of all that was asked.", max_length=64)),
                (
                    "request_id",
                    models.UUIDField(help_text="Of the request that asks; its ledger rows say what came of it."),
                ),
                (
                    "lease",
                    models.UUIDField(
                        help_text="Of the call that is to bring the answer; another one if that call takes over."
                    ),
                ),
                (
                    "answer",
                    models.TextField(help_text="As JSON in ASCII, which keeps order and every character.", null=True),
                ),
                ("seen_at", models.DateTimeField(help_text="When its process last said that it goes on.")),
                ("created_at", models.DateTimeField(db_index=True)),
            ],
            options={"db_table": "agent_idempotency"},
        ),
    ]
