from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("agent", "0009_usage")]

    operations = [
        migrations.CreateModel(
            name="BudgetAccount",
            fields=[
                (
                    "key",
                    models.CharField(
                        help_text="SHA-256 of scope, identity, period and start.",
                        max_length=64,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("scope", models.CharField(max_length=16)),
                ("identity", models.CharField(blank=True, max_length=64)),
                ("period", models.CharField(max_length=8)),
                ("starts_on", models.DateField(db_index=True, help_text="In UTC.")),
                ("spent_nanos", models.BigIntegerField(default=0, help_text="Billionths of a US dollar.")),
                ("spent_tokens", models.BigIntegerField(default=0)),
                ("reserved_nanos", models.BigIntegerField(default=0)),
                ("reserved_tokens", models.BigIntegerField(default=0)),
                ("limit_nanos", models.BigIntegerField(help_text="As last applied.", null=True)),
                ("limit_tokens", models.BigIntegerField(help_text="As last applied.", null=True)),
                ("is_counted", models.BooleanField(default=False, help_text="Are the ledger's earlier rows in it?")),
                ("is_warned", models.BooleanField(default=False)),
            ],
            options={
                "db_table": "agent_budget",
            },
        ),
        migrations.CreateModel(
            name="Reservation",
            fields=[
                (
                    "row_id",
                    models.UUIDField(help_text="Of the call's row in the ledger.", primary_key=True, serialize=False),
                ),
                ("nanos", models.BigIntegerField()),
                ("tokens", models.BigIntegerField()),
                ("accounts", models.JSONField(help_text="Keys of the accounts.")),
            ],
            options={
                "db_table": "agent_reservation",
            },
        ),
    ]
