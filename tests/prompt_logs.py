"""Rows of the ledger for tests of the admin."""

import uuid
from datetime import UTC, datetime

from stapel_agent.models import PromptLog

LIST = "/admin/agent/promptlog/"
NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)


def written(*, created_at=NOON, **columns) -> PromptLog:
    """A row as the ledger writes it, at a time of one's choice."""
    defaults = {
        "request_id": uuid.uuid4(),
        "source": "llm_facade",
        "model": "small-model",
        "model_size": "small",
        "prompt": "say",
        "status": "success",
        "metadata": {"provider": "anthropic"},
    }
    row = PromptLog.objects.create(**{**defaults, **columns})
    PromptLog.objects.filter(pk=row.pk).update(created_at=created_at)
    row.refresh_from_db()
    return row


def change_page(row) -> str:
    return f"{LIST}{row.pk}/change/"
