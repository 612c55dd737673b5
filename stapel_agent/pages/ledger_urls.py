"""Links into the ledger's list, to the rows behind a figure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from .usage_period import Period


@dataclass(frozen=True)
class LedgerLinks:
    """Builds links to the list, within a period."""

    address: str
    period: Period | None = None

    def within(self, period: Period) -> LedgerLinks:
        return LedgerLinks(self.address, period)

    def to(self, **columns: str | None) -> str:
        """The link to rows with these texts in their columns; None means that the column is empty."""
        days = {"since": str(self.period.since), "until": str(self.period.until)} if self.period else {}
        given = {name: value for name, value in columns.items() if value is not None}
        missing = {f"{name}__isnull": "1" for name, value in columns.items() if value is None}
        return f"{self.address}?{urlencode({**given, **missing, **days})}"
