"""How a budget stands: its limits, and what of them is spent, set aside for calls under way, and left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One budget of one spender, in the period that it is. No limit is None, and so is what is left of it."""

    scope: str
    identity: str
    period: str
    starts_on: date
    resets_at: datetime
    limit_usd: Decimal | None = None
    spent_usd: Decimal = Decimal()
    reserved_usd: Decimal = Decimal()
    limit_tokens: int | None = None
    spent_tokens: int = 0
    reserved_tokens: int = 0

    @property
    def left_usd(self) -> Decimal | None:
        if self.limit_usd is None:
            return None
        return max(Decimal(), self.limit_usd - self.spent_usd - self.reserved_usd)

    @property
    def left_tokens(self) -> int | None:
        if self.limit_tokens is None:
            return None
        return max(0, self.limit_tokens - self.spent_tokens - self.reserved_tokens)

    @property
    def share(self) -> float:
        """The part of the nearer limit that is spent or reserved; of a limit of nothing, all."""
        usd = _share(self.spent_usd + self.reserved_usd, self.limit_usd)
        return max(usd, _share(self.spent_tokens + self.reserved_tokens, self.limit_tokens))

    def as_json(self) -> dict[str, Any]:
        """For JSON: dollars are texts, which round nothing; what has no value is absent."""
        entry = {
            "scope": self.scope,
            "id": self.identity or None,
            "period": self.period,
            "starts_on": self.starts_on.isoformat(),
            "resets_at": self.resets_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "limit_usd": _dollars(self.limit_usd),
            "spent_usd": _dollars(self.spent_usd),
            "reserved_usd": _dollars(self.reserved_usd),
            "left_usd": _dollars(self.left_usd),
            "limit_tokens": self.limit_tokens,
            "spent_tokens": self.spent_tokens,
            "reserved_tokens": self.reserved_tokens,
            "left_tokens": self.left_tokens,
        }
        return {name: value for name, value in entry.items() if value is not None}


def _dollars(usd: Decimal | None) -> str | None:
    return None if usd is None else f"{usd:f}"


def _share(used: Decimal | int, limit: Decimal | int | None) -> float:
    if limit is None:
        return 0.0
    return float(Decimal(used) / limit) if limit else 1.0
