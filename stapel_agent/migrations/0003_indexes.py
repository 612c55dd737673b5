from typing import Any

from django.db import migrations, models

from ._operations import AddIndexOnline, DropFieldIndexesOnline

ADDED = {
    "agent_cache_key_idx": ["cache_key", "-created_at"],
    "agent_request_idx": ["request_id"],
    "agent_status_idx": ["status"],
    "agent_user_created_idx": ["user_id", "-created_at"],
    "agent_workspace_created_idx": ["workspace_id", "-created_at"],
    "agent_scrubbed_idx": ["scrubbed_at", "created_at"],
    "agent_usage_idx": [
        *("created_at", "workspace_id", "user_id", "source", "provider", "model", "status", "cost_basis"),
        *("cost_usd", "input_tokens", "output_tokens", "thinking_tokens", "cache_read_tokens", "cache_write_tokens"),
        *("estimated_cost_usd", "estimated_tokens"),
    ],
    "agent_duration_idx": ["created_at", "duration_ms"],
}
UNINDEXED: dict[str, Any] = {
    "source": models.CharField(
        choices=[("llm_facade", "Completion"), ("translate", "Translation"), ("other", "Other")], max_length=32
    ),
    "status": models.CharField(
        choices=[
            ("pending", "Pending"),
            ("success", "Success"),
            ("failure", "Failure"),
            ("timeout", "Timeout"),
            ("error", "Error"),
        ],
        max_length=16,
    ),
    "user_id": models.CharField(blank=True, max_length=64, null=True),
    "created_at": models.DateTimeField(auto_now_add=True),
}


class Migration(migrations.Migration):
    """Outside a transaction, so that PostgreSQL builds and drops indexes without locking out writers.

    The new indexes come first: each of those dropped begins as one of them does.
    """

    atomic = False

    dependencies = [("agent", "0002_columns_and_tables")]

    operations = [
        *(
            AddIndexOnline(model_name="promptlog", index=models.Index(fields=columns, name=name))
            for name, columns in ADDED.items()
        ),
        *(DropFieldIndexesOnline(model_name="promptlog", name=name, field=field) for name, field in UNINDEXED.items()),
    ]
