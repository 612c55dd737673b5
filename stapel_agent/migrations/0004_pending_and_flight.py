from django.db import migrations, models


class Migration(migrations.Migration):
    """A status more, which no database notices, and a small table: nothing of the ledger's is rewritten."""

    dependencies = [("agent", "0003_cache_key_and_request_indexes")]

    operations = [
        migrations.CreateModel(
            name="Flight",
            fields=[
                (
                    "key",
                    models.CharField(
                        help_text="The cache key of the question.", max_length=64, primary_key=True, serialize=False
                    ),
                ),
                (
                    "request_id",
                    models.UUIDField(help_text="Of the request that asks; its ledger rows say what came of it."),
                ),
                ("seen_at", models.DateTimeField(help_text="When its process last said that it goes on.")),
            ],
            options={"db_table": "agent_flight"},
        ),
        migrations.AlterField(
            model_name="promptlog",
            name="status",
            field=models.CharField(
                choices=[
                    ("pending", "Pending"),
                    ("success", "Success"),
                    ("failure", "Failure"),
                    ("timeout", "Timeout"),
                    ("error", "Error"),
                ],
                db_index=True,
                max_length=16,
            ),
        ),
    ]
