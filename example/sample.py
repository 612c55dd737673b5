"""A ledger like that of a medium-sized host after one month. It is the same for the same seed and end."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from stapel_agent.budgets import Budget, Spender, balances
from stapel_agent.database import ledger_alias
from stapel_agent.models import HitCount, PromptLog

SEED = 7
DAYS = 60
CALLS_A_DAY = 90
# Model, provider, dollars per million tokens in and out, milliseconds to start and per token, and how common it is.
MODELS = [
    ("claude-haiku-4-5-20251001", "anthropic", "1", "5", 450, 4, 60),
    ("claude-sonnet-5", "anthropic", "3", "15", 900, 7, 22),
    ("claude-opus-4-8", "anthropic", "5", "25", 1400, 12, 5),
    ("llama3.2", "openai-compat", None, None, 300, 6, 13),
]
WORKSPACES = ["acme", "northwind", "globex", "initech", "umbrella", "hooli", None]
USERS = [f"user-{number}" for number in range(1001, 1061)]
STATUSES = {"success": 960, "failure": 18, "timeout": 12, "error": 10}
BUDGETS = [
    (Budget("all", "month", usd=Decimal(50)), {}),
    (Budget("workspace", "month", usd=Decimal(18)), {"workspace_id": "acme"}),
    (Budget("workspace", "month", usd=Decimal(20)), {"workspace_id": "northwind"}),
    (Budget("user", "day", tokens=160_000), {"user_id": "user-1001"}),
    (Budget("user", "month", tokens=1_500_000), {"user_id": "user-1002"}),
]


def fill(now: datetime, *, seed: int = SEED) -> None:
    """Write the rows of DAYS days, with hits and budgets, to an empty database."""
    chance = random.Random(seed)
    rows = list(_rows(chance, now))
    moments = [row.created_at for row in rows]
    PromptLog.objects.bulk_create(rows, batch_size=500)
    for row, moment in zip(rows, moments, strict=True):
        row.created_at = moment  # instead of the current time, with which they were written
    PromptLog.objects.bulk_update(rows, ["created_at"], batch_size=200)
    HitCount.objects.bulk_create(_hits(chance, now))
    for limit, names in BUDGETS:
        _open(limit, Spender("llm_facade", **names), now)


def _rows(chance: random.Random, now: datetime) -> Iterator[PromptLog]:
    for age in range(DAYS):
        day = now - timedelta(days=age)
        usual = CALLS_A_DAY * (0.35 if day.weekday() > 4 else 1) * (1.25 - age / DAYS / 2)
        for _ in range(round(usual * chance.uniform(0.8, 1.25))):
            moment = day.replace(hour=0, minute=0) + timedelta(hours=min(23.9, max(0, chance.gauss(13, 4))))
            if moment < now - timedelta(minutes=2):
                yield _row(chance, moment, chance.choices(list(STATUSES), STATUSES.values())[0])
    for seconds in (2, 9, 31):
        yield _row(chance, now - timedelta(seconds=seconds), "pending")


def _row(chance: random.Random, moment: datetime, status: str) -> PromptLog:
    model, provider, price_in, price_out, begin_ms, token_ms, _ = chance.choices(MODELS, [kind[-1] for kind in MODELS])[
        0
    ]
    is_over, is_answered = status != "pending", status == "success"
    tokens_in = int(chance.lognormvariate(8.1, 0.9)) if is_answered else 0
    tokens_out = int(chance.lognormvariate(6.1, 0.9)) if is_answered else 0
    cost = Decimal(0) if price_in is None else (tokens_in * Decimal(price_in) + tokens_out * Decimal(price_out)) / 10**6
    return PromptLog(
        id=uuid.UUID(int=chance.getrandbits(128), version=4),
        request_id=uuid.UUID(int=chance.getrandbits(128), version=4),
        source=chance.choices(["llm_facade", "translate", "recordings"], [6, 3, 1])[0],
        provider=provider,
        model=model,
        model_size="small",
        prompt="Sort this letter.",
        status=status,
        input_tokens=tokens_in if is_over else None,
        output_tokens=tokens_out if is_over else None,
        thinking_tokens=tokens_out // 3 if provider == "anthropic" and chance.random() < 0.3 else 0,
        cache_read_tokens=tokens_in // 3 if chance.random() < 0.3 else 0,
        cache_write_tokens=tokens_in // 4 if provider == "anthropic" and chance.random() < 0.1 else 0,
        cost_usd=None if price_in is None else cost,
        cost_basis="unpriced" if price_in is None else "estimated" if status == "timeout" else "price_list",
        estimated_cost_usd=Decimal("0.0123") if price_in is not None and status == "timeout" else None,
        duration_ms=int(begin_ms * chance.uniform(0.8, 1.6) + tokens_out * token_ms) if is_over else None,
        user_id=_often_the_first(chance, USERS),
        workspace_id=_often_the_first(chance, WORKSPACES),
        created_at=moment if settings.USE_TZ else timezone.make_naive(moment),
    )


def _often_the_first(chance: random.Random, names: list[str | None]) -> str | None:
    return names[min(int(chance.expovariate(4 / len(names))), len(names) - 1)]


def _hits(chance: random.Random, now: datetime) -> Iterator[HitCount]:
    for age in range(DAYS):
        hits = chance.randrange(8, 40)
        yield HitCount(
            digest=f"{chance.getrandbits(256):064x}",
            hour=(now - timedelta(days=age)).replace(hour=0, minute=0, second=0, microsecond=0),
            source="translate",
            provider="anthropic",
            model=MODELS[0][0],
            hits=hits,
            saved_tokens=hits * 400,
            saved_cost_usd=hits * Decimal("0.0009"),
        )


def _open(limit: Budget, spender: Spender, now: datetime) -> None:
    alias = ledger_alias()
    account = balances.account_for(limit, spender, now.astimezone(UTC))
    balances.make([account], alias)
    balances.bring_up_to_date(account, limit, alias)
    balances.keep(account, alias)
