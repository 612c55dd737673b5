"""What the rows of the ledger's list add up to, so that a figure or an invoice can be reconciled by looking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import BigIntegerField, Count, DecimalField, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Cast, Coalesce, Round

from stapel_agent.budgets import TOKENS
from stapel_agent.ledger import TOKEN_FIELDS
from stapel_agent.models import CostBasis

from .amounts import count, money, time_taken

COST_PLACES = 10
"""Decimals of `cost_usd`. SQLite keeps decimals as floats, and adds whole numbers alone without rounding."""
UNITS = Cast(Round(F("cost_usd") * Value(10**COST_PLACES), output_field=DecimalField()), BigIntegerField())
HAS_TOKENS = Q.create([Q((f"{name}__gt", 0)) for name in TOKEN_FIELDS], connector=Q.OR)
IS_UNPRICED = Q(cost_basis=CostBasis.UNPRICED) | Q(cost_usd__isnull=True) & HAS_TOKENS


@dataclass(frozen=True)
class Totals:
    """Sums over rows; `unpriced` of them are missing from `cost_usd`, as nobody knows their price."""

    rows: int
    cost_usd: Decimal
    unpriced: int
    tokens: int
    duration_ms: int

    @classmethod
    def of(cls, rows: QuerySet[Any]) -> Totals:
        sums = rows.order_by().aggregate(
            rows=Count("pk"),
            units=Coalesce(Sum(UNITS), 0),
            unpriced=Count("pk", filter=IS_UNPRICED),
            tokens=sum((Coalesce(Sum(name), 0) for name in TOKENS), Value(0)),
            duration_ms=Coalesce(Sum("duration_ms"), 0),
        )
        cost_usd = Decimal(int(sums.pop("units"))).scaleb(-COST_PLACES)
        return cls(cost_usd=cost_usd, **{name: int(figure) for name, figure in sums.items()})

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Label and figure, as people read them."""
        yield "Calls", count(self.rows)
        yield "Cost", money(self.cost_usd) + (f" + {count(self.unpriced)} unknown" if self.unpriced else "")
        yield "Tokens", count(self.tokens)
        yield "Duration", time_taken(self.duration_ms)
