from decimal import Decimal

from django.db import migrations, models

from ._operations import AddIndexOnline


class Migration(migrations.Migration):
    """Outside a transaction, so that PostgreSQL builds the index without locking out writers; and a small table."""

    atomic = False

    dependencies = [("agent", "0008_cost")]

    operations = [
        AddIndexOnline(
            model_name="promptlog",
            index=models.Index(
                fields=[
                    *("created_at", "workspace_id", "user_id", "source", "provider", "model", "status", "cost_basis"),
                    *("cost_usd", "input_tokens", "output_tokens", "thinking_tokens"),
                    *("cache_read_tokens", "cache_write_tokens"),
                ],
                name="agent_usage_idx",
            ),
        ),
        migrations.CreateModel(
            name="HitCount",
            fields=[
                (
                    "digest",
                    models.CharField(
                        help_text="SHA-256 of the hour and the five names.",
                        max_length=64,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("hour", models.DateTimeField(db_index=True, help_text="Its beginning.")),
                ("source", models.CharField(max_length=32)),
                ("provider", models.CharField(max_length=64)),
                ("model", models.CharField(max_length=128)),
                ("user_id", models.CharField(max_length=64, null=True)),
                ("workspace_id", models.CharField(max_length=64, null=True)),
                ("hits", models.BigIntegerField(default=0)),
                ("saved_tokens", models.BigIntegerField(default=0)),
                ("saved_cost_usd", models.DecimalField(decimal_places=10, default=Decimal(0), max_digits=20)),
            ],
            options={"db_table": "agent_hit_count"},
        ),
    ]
