"""Tells whether the ledger knows what requests have cost."""

from __future__ import annotations

from collections.abc import Collection

from django.db import Error
from django.db.models import Q

from stapel_agent.database import on_ledger
from stapel_agent.models import CostBasis, PromptLog

UNKNOWN = Q(cost_usd=None) | Q(cost_basis=CostBasis.ESTIMATED)


def knows_cost(request_ids: Collection[str]) -> bool:
    """Whether the whole cost of every call of these requests is known. False if the ledger cannot be read."""
    try:
        return not on_ledger(
            lambda alias: PromptLog.objects.using(alias).filter(UNKNOWN, request_id__in=request_ids).exists()
        )
    except Error:
        return False
