"""Rows of the ledger, for tests of its figures and of the admin."""

import random
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from stapel_agent.ledger.columns import TOKEN_FIELDS
from stapel_agent.models import PromptLog

LIST = "/admin/agent/promptlog/"
NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
USERS = ["u", "U", "u ", "ü", "𝔘", "z", "", None]
BEGIN = datetime(2026, 1, 30, tzinfo=UTC)


def written(*, created_at=NOON, **columns) -> PromptLog:
    """A row as the ledger writes it, at a given time."""
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


def written_at_random(number: int) -> list[dict]:
    """Different rows within five days from BEGIN, and their columns."""
    chance = random.Random(11)
    rows = [columns_of(chance) for _ in range(number)]
    kept = [PromptLog(prompt="say", model_size="small", **row) for row in rows]
    PromptLog.objects.bulk_create(kept)
    for row, moment in zip(kept, (row["created_at"] for row in rows), strict=True):
        row.created_at = moment  # instead of the current time
    PromptLog.objects.bulk_update(kept, ["created_at"])
    return rows


def columns_of(chance: random.Random) -> dict:
    """The columns of a random row."""

    def figure():
        return chance.choice([None, 0, chance.randrange(10**6), 2**31 - 1])

    cost = chance.choice([None, Decimal("0.0000000001"), Decimal(chance.randrange(10**14)).scaleb(-10)])
    return {
        "created_at": BEGIN + timedelta(seconds=chance.randrange(5 * 86400)),
        "source": chance.choice(["llm_facade", "translate", "embed"]),
        "provider": chance.choice(["anthropic", "Anthropic", None]),
        "model": chance.choice(["small-model", "large-model", "Large-model"]),
        "status": chance.choice(["success", "success", "pending", "failure", "timeout", "error"]),
        "user_id": chance.choice(USERS),
        "workspace_id": chance.choice(["acme", None]),
        "cost_usd": cost,
        "cost_basis": chance.choice([None, "unpriced"]) if cost is None else "price_list",
        **{name: figure() for name in TOKEN_FIELDS},
        "duration_ms": chance.choice([None, chance.randrange(300)]),
    }
