"""Totals of the ledger's list, to reconcile a figure or an invoice with its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import BigIntegerField, Count, DecimalField, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Cast, Coalesce, Round

from stapel_agent.budgets import TOKENS
from stapel_agent.column_ranges import COST_PLACES
from stapel_agent.ledger import TOKEN_FIELDS
from stapel_agent.models import CostBasis

from .number_formatting import count, money, time_taken

# SQLite stores decimals as floats, and adds only whole numbers without rounding. With `server_side_binding`, psycopg
# cuts a whole number to 32 bits if its field is not named.
UNITS, ESTIMATED_UNITS = (
    Cast(Round(F(column) * Value(10**COST_PLACES, BigIntegerField()), output_field=DecimalField()), BigIntegerField())
    for column in ("cost_usd", "estimated_cost_usd")
)
IS_ESTIMATED = Q(cost_basis=CostBasis.ESTIMATED)
HAS_TOKENS = Q.create([Q((f"{name}__gt", 0)) for name in TOKEN_FIELDS], connector=Q.OR)
IS_UNPRICED = (
    Q(cost_basis=CostBasis.UNPRICED)
    | IS_ESTIMATED & Q(estimated_cost_usd__isnull=True)
    | Q(cost_usd__isnull=True) & (Q(cost_basis__isnull=True) | ~IS_ESTIMATED) & HAS_TOKENS
)


@dataclass(frozen=True)
class Totals:
    """Sums over rows; `cost_usd` lacks the `unpriced` ones, whose price is unknown."""

    rows: int
    cost_usd: Decimal
    estimated_cost_usd: Decimal
    unpriced: int
    tokens: int
    duration_ms: int

    @classmethod
    def of(cls, rows: QuerySet[Any]) -> Totals:
        sums = rows.order_by().aggregate(
            rows=Count("pk"),
            known=Coalesce(Sum(UNITS), 0),
            estimated=Coalesce(Sum(ESTIMATED_UNITS, filter=IS_ESTIMATED), 0),
            unpriced=Count("pk", filter=IS_UNPRICED),
            tokens=sum((Coalesce(Sum(name), 0) for name in TOKENS), Value(0)),
            duration_ms=Coalesce(Sum("duration_ms"), 0),
        )
        known, estimated = (Decimal(int(sums.pop(name))).scaleb(-COST_PLACES) for name in ("known", "estimated"))
        figures = {name: int(figure) for name, figure in sums.items()}
        return cls(cost_usd=known, estimated_cost_usd=estimated, **figures)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Label and figure, as people read them."""
        yield "Calls", count(self.rows)
        estimated = f" + up to {money(self.estimated_cost_usd)} estimated" if self.estimated_cost_usd else ""
        unknown = f" + {count(self.unpriced)} unknown" if self.unpriced else ""
        yield "Cost", f"{money(self.cost_usd)}{estimated}{unknown}"
        yield "Tokens", count(self.tokens)
        yield "Duration", time_taken(self.duration_ms)
