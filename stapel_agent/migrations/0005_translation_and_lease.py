import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """A table, and a nullable column of a small one: nothing of the ledger's is touched."""

    dependencies = [("agent", "0004_pending_and_flight")]

    operations = [
        migrations.CreateModel(
            name="Translation",
            fields=[
                (
                    "key",
                    models.CharField(
                        help_text="SHA-256 of all that decides it.",
                        max_length=64,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("text", models.TextField()),
                ("provider", models.CharField(max_length=64)),
                ("model", models.CharField(max_length=128)),
                ("request_id", models.UUIDField(db_index=True, help_text="Of the request that it was made for.")),
                ("created_at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
            ],
            options={"db_table": "agent_translation"},
        ),
        migrations.AddField(
            model_name="flight",
            name="lease",
            field=models.UUIDField(
                help_text="Of the caller that leads: a request may lead several flights.", null=True
            ),
        ),
    ]
