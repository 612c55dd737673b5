from decimal import Decimal

import django.utils.timezone
from django.db import migrations, models

from ._operations import AddFieldOnce, CreateModelOnce, RequireFirstRelease


class Migration(migrations.Migration):
    """Small tables first, then nullable columns without a default: no database rewrites or scans the ledger."""

    dependencies = [("agent", "0001_initial")]

    operations = [
        RequireFirstRelease("promptlog"),
        CreateModelOnce(
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
                    models.UUIDField(help_text="The id of the request; its rows in the ledger have the outcome."),
                ),
                (
                    "lease",
                    models.UUIDField(
                        help_text="Of the caller that leads: a request may lead several flights.", null=True
                    ),
                ),
                ("seen_at", models.DateTimeField(help_text="When its process last renewed it.")),
            ],
            options={"db_table": "agent_flight"},
        ),
        CreateModelOnce(
            name="Translation",
            fields=[
                (
                    "key",
                    models.CharField(
                        help_text="SHA-256 of everything that affects what a right translation is.",
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
                ("source_text", models.TextField(null=True)),
                ("from_lang", models.CharField(max_length=64, null=True)),
                ("to_lang", models.CharField(max_length=64, null=True)),
                (
                    "user_id",
                    models.CharField(db_index=True, help_text="Who asked for it.", max_length=64, null=True),
                ),
                ("workspace_id", models.CharField(db_index=True, max_length=64, null=True)),
            ],
            options={"db_table": "agent_translation", "verbose_name": "stored translation"},
        ),
        CreateModelOnce(
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
                ("payload_digest", models.CharField(help_text="SHA-256 of the whole request.", max_length=64)),
                (
                    "request_id",
                    models.UUIDField(help_text="The id of the request; its rows in the ledger have the outcome."),
                ),
                (
                    "lease",
                    models.UUIDField(
                        help_text="The id of the call that fetches the answer; it changes if another call takes over."
                    ),
                ),
                (
                    "answer",
                    models.TextField(help_text="As JSON in ASCII, which keeps order and every character.", null=True),
                ),
                ("seen_at", models.DateTimeField(help_text="When its process last renewed it.")),
                (
                    "user_id",
                    models.CharField(help_text="The user, as in the ledger.", max_length=64, null=True),
                ),
                ("workspace_id", models.CharField(max_length=64, null=True)),
                ("created_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "db_table": "agent_idempotency",
                "indexes": [
                    models.Index(fields=["user_id"], name="agent_idempotency_user_idx"),
                    models.Index(fields=["workspace_id"], name="agent_idempotency_ws_idx"),
                ],
            },
        ),
        CreateModelOnce(
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
            options={
                "db_table": "agent_hit_count",
                "indexes": [
                    models.Index(fields=["user_id"], name="agent_hit_user_idx"),
                    models.Index(fields=["workspace_id"], name="agent_hit_workspace_idx"),
                ],
            },
        ),
        CreateModelOnce(
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
                (
                    "is_counted",
                    models.BooleanField(default=False, help_text="Whether the ledger's earlier rows are in it."),
                ),
                ("is_warned", models.BooleanField(default=False)),
            ],
            options={"db_table": "agent_budget"},
        ),
        CreateModelOnce(
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
            options={"db_table": "agent_reservation"},
        ),
        AddFieldOnce(
            model_name="promptlog",
            name="request_id",
            field=models.UUIDField(help_text="The same for all calls of one request.", null=True),
        ),
        AddFieldOnce(
            model_name="promptlog",
            name="cache_key",
            field=models.CharField(
                help_text="SHA-256 of everything that affects what a right answer is.", max_length=64, null=True
            ),
        ),
        AddFieldOnce(
            model_name="promptlog",
            name="provider",
            field=models.CharField(blank=True, max_length=64, null=True),
        ),
        AddFieldOnce(
            model_name="promptlog",
            name="workspace_id",
            field=models.CharField(blank=True, max_length=64, null=True),
        ),
        AddFieldOnce(
            model_name="promptlog",
            name="cost_usd",
            field=models.DecimalField(
                blank=True,
                decimal_places=10,
                help_text="US dollars, computed when the call was made.",
                max_digits=20,
                null=True,
            ),
        ),
        AddFieldOnce(
            model_name="promptlog",
            name="cost_basis",
            field=models.CharField(
                blank=True,
                choices=[
                    ("provider", "Provider"),
                    ("price_list", "Price list"),
                    ("estimated", "Estimated"),
                    ("unpriced", "Unpriced"),
                ],
                help_text="Where the cost comes from.",
                max_length=16,
                null=True,
            ),
        ),
        AddFieldOnce(
            model_name="promptlog",
            name="estimated_cost_usd",
            field=models.DecimalField(
                blank=True,
                decimal_places=10,
                help_text="The most it may have cost beyond cost_usd, in US dollars, if its outcome is unknown.",
                max_digits=20,
                null=True,
            ),
        ),
        AddFieldOnce(
            model_name="promptlog",
            name="estimated_tokens",
            field=models.BigIntegerField(
                blank=True,
                help_text="The most tokens that it may have used beyond the known ones.",
                null=True,
            ),
        ),
        AddFieldOnce(
            model_name="promptlog",
            name="seen_at",
            field=models.DateTimeField(
                help_text="When its process last reported that the call is in progress.", null=True
            ),
        ),
        AddFieldOnce(
            model_name="promptlog",
            name="scrubbed_at",
            field=models.DateTimeField(help_text="When its texts were removed; its figures stay.", null=True),
        ),
    ]
