"""BudgetAccounts: running sums of what each spender has spent and reserved, checked against the limits."""

from __future__ import annotations

import json
import logging
import os
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from hashlib import sha256

from django.db import transaction
from django.db.models import BigIntegerField, Case, F, FloatField, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Cast, Coalesce, Greatest

from stapel_agent import signals
from stapel_agent.database import as_stored, aware, exactly, ledger_transaction, upsert, works_in_callers_thread
from stapel_agent.models import BudgetAccount, CostBasis, PromptLog, PromptStatus
from stapel_agent.types import Standing

from . import policies
from .estimates import Estimate
from .periods import PERIODS, beginning, span
from .policies import NANOS, SCOPES, Budget, Spend, Spender

logger = logging.getLogger(__name__)

WARNING_SHARE = Decimal("0.8")

TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
"""Disjoint token counts: thinking is part of the output."""
SPENT_COLUMNS = (*TOKENS, "cost_usd", "cost_basis", "estimated_cost_usd", "estimated_tokens")
SPENDER = {"user": "user_id", "workspace": "workspace_id", "source": "source"}
SUMS = ("spent_nanos", "spent_tokens", "reserved_nanos", "reserved_tokens")
BALANCES = (*SUMS, "limit_nanos", "limit_tokens", "is_counted", "is_warned")
MOST = BigIntegerField.MAX_BIGINT

due_warnings: deque[Standing] = deque()
"""Standings to warn of. The ledger sends the signal, not on its own connections, whose number is limited."""
os.register_at_fork(after_in_child=due_warnings.clear)  # the parent sends them


class AccountsMissing(Exception):
    """Some of these accounts do not exist. Create them, then repeat the transaction."""

    def __init__(self, accounts: Sequence[BudgetAccount]) -> None:
        super().__init__()
        self.accounts = accounts


def spender_of(row: PromptLog) -> Spender:
    return Spender(row.source, row.user_id, row.workspace_id)


def spent_on(row: PromptLog) -> Spend:
    """Return the spend that a row is charged: the known part, plus the estimate of the unknown part.

    A pending row, which has no cost basis yet, is charged nothing: its estimate is reserved.
    """
    usd, tokens = row.cost_usd or Decimal(), sum(getattr(row, name) or 0 for name in TOKENS)
    if row.cost_basis == CostBasis.ESTIMATED:
        usd += row.estimated_cost_usd or 0
    if row.cost_basis:
        tokens += row.estimated_tokens or 0
    return Spend(policies.nanos(usd), tokens)


def account_for(limit: Budget, spender: Spender, moment: datetime) -> BudgetAccount:
    """Return a new, empty account for a budget."""
    return _account(limit.scope, spender.identity(limit.scope) or "", limit.period, beginning(limit.period, moment))


def _account(scope: str, identity: str, period: str, starts_on: date) -> BudgetAccount:
    key = _key(scope, identity, period, starts_on)
    return BudgetAccount(key=key, scope=scope, identity=identity, period=period, starts_on=starts_on)


def keys_of(row: PromptLog) -> set[str]:
    """Return the keys of all accounts that the spend of a row belongs to, whether or not they exist."""
    spender, moment = spender_of(row), aware(row.created_at)
    return {
        _key(scope, identity, period, beginning(period, moment))
        for scope in SCOPES
        for period in PERIODS
        for identity in [spender.identity(scope) or ""]
    }


def locked(keys: Collection[str], alias: str) -> list[BudgetAccount]:
    """Return the existing accounts, locked in a fixed order. Otherwise two calls might deadlock."""
    if not keys:
        return []
    return list(BudgetAccount.objects.using(alias).select_for_update().filter(key__in=keys).order_by("key"))


def opened(row: PromptLog, limits: Sequence[Budget], alias: str) -> list[BudgetAccount]:
    """Return the accounts of a row's budgets, locked, with the current limits. Raises AccountsMissing."""
    spender, moment = spender_of(row), aware(row.created_at)
    new = {account.key: (account, limit) for limit in limits for account in [account_for(limit, spender, moment)]}
    found = locked(new.keys(), alias)
    if len(found) < len(new):
        raise AccountsMissing([account for account, _ in new.values()])
    for account in found:
        bring_up_to_date(account, new[account.key][1], alias)
    return found


def bring_up_to_date(account: BudgetAccount, limit: Budget, alias: str) -> None:
    """Count the ledger's rows if that was not done yet, and apply the current limits. A new limit can warn again.

    Other transactions charge their uncommitted rows themselves: they wait for the lock on this account. After those
    that began before it existed, it is counted again.
    """
    if not account.is_counted:
        _count(account, alias)
    applied = None if limit.usd is None else policies.nanos(limit.usd), limit.tokens
    if (account.limit_nanos, account.limit_tokens) != applied:
        account.limit_nanos, account.limit_tokens = applied
        account.is_warned = False


def has_room(account: BudgetAccount, estimate: Estimate, row: PromptLog, alias: str) -> bool:
    """Whether the budget has room for the call of a row. A call that costs no money always fits a limit in dollars."""
    nanos, tokens = _left(account)
    if tokens is not None and estimate.tokens > tokens:
        return False
    if nanos is None or nanos > 0 or estimate.is_priced:
        return nanos is None or estimate.nanos == 0 or estimate.nanos <= nanos
    return not _is_charged_for(account, row, alias)


def _is_charged_for(account: BudgetAccount, row: PromptLog, alias: str) -> bool:
    """Whether the vendor charged for a call to the row's model, which has no list price, in the account's period."""
    start, end = map(as_stored, _span(account))
    calls = PromptLog.objects.using(alias).filter(created_at__gte=start, created_at__lt=end, cost_usd__gt=0)
    return calls.filter(provider=row.provider, model=row.model, cost_basis=CostBasis.PROVIDER).exists()


def keep(account: BudgetAccount, alias: str) -> None:
    """Save a locked account. After the commit, its warning is sent or due, if the account is nearly spent."""
    if _is_nearly_spent(account) and not account.is_warned:
        account.is_warned = True
        transaction.on_commit(partial(_warn, standing_of(account)), using=alias, robust=True)
    _save(account, alias)


def _warn(standing: Standing) -> None:
    if not works_in_callers_thread():
        due_warnings.append(standing)
        return
    try:
        signals.budget_warning.send_robust(BudgetAccount, standing=standing)
    except signals.RECEIVER_FAULTS as fault:
        logger.error("receivers of budget_warning failed: %s", type(fault).__name__)


def standing_of(account: BudgetAccount) -> Standing:
    return Standing(
        scope=account.scope,
        identity=account.identity,
        period=account.period,
        starts_on=account.starts_on,
        resets_at=_span(account)[1],
        limit_usd=None if account.limit_nanos is None else _usd(account.limit_nanos),
        spent_usd=_usd(account.spent_nanos),
        reserved_usd=_usd(account.reserved_nanos),
        limit_tokens=account.limit_tokens,
        spent_tokens=account.spent_tokens,
        reserved_tokens=account.reserved_tokens,
    )


def _usd(nanos: int) -> Decimal:
    return Decimal(nanos) / NANOS


def successors(scope: str, old: str, new: str, alias: str) -> dict[str, BudgetAccount]:
    """Map the key of each account of the spender `old` to the account that replaces it for the spender `new`."""
    accounts = BudgetAccount.objects.using(alias).filter(exactly("identity", old), scope=scope)
    return {account.key: _account(scope, new, account.period, account.starts_on) for account in accounts}


def merge(scope: str, spender: str, keys: Mapping[str, str], reserved: Mapping[str, Spend], alias: str) -> int:
    """Merge accounts into the existing accounts of `spender` that replace them. Returns the number of merged accounts.

    `keys` maps each old key to its new key. The spend of all the spender's accounts is counted again, because the
    ledger's rows already name the new spender. `reserved` holds the reservations of running calls to move.
    """
    its_own = BudgetAccount.objects.using(alias).filter(exactly("identity", spender), scope=scope)
    own_keys = set(its_own.values_list("key", flat=True))
    found = {account.key: account for account in locked({*keys, *own_keys}, alias)}
    pairs = [(found[old], found[new]) for old, new in keys.items() if old in found and new in found]
    for account, successor in pairs:
        if not successor.is_counted:
            for name in ("limit_nanos", "limit_tokens", "is_warned"):
                setattr(successor, name, getattr(account, name))
        moved = reserved.get(account.key, Spend())
        successor.reserved_nanos += moved.nanos
        successor.reserved_tokens += moved.tokens
    for key in own_keys & found.keys():
        _count(found[key], alias)
        _save(found[key], alias)
    BudgetAccount.objects.using(alias).filter(key__in=[account.key for account, _ in pairs]).delete()
    return len(pairs)


def fullest(now: datetime, count: int, alias: str) -> tuple[list[Standing], int]:
    """Return the current budgets that are nearest to their limits, the nearest first, and the number of all."""
    current = Q.create([Q(period=period, starts_on=beginning(period, now)) for period in PERIODS], connector=Q.OR)
    is_limited = Q(limit_nanos__isnull=False) | Q(limit_tokens__isnull=False)
    accounts = BudgetAccount.objects.using(alias).filter(current, is_limited, is_counted=True)
    by_share = accounts.annotate(share=Greatest(_share("nanos"), _share("tokens"))).order_by("-share", "key")
    return [standing_of(account) for account in by_share[:count]], accounts.count()


def _share(unit: str) -> Case:
    """The used share of a limit: 1 if the limit is zero, 0 if there is no limit."""
    used = Cast(F(f"spent_{unit}") + F(f"reserved_{unit}"), FloatField())
    share = Coalesce(used / Cast(F(f"limit_{unit}"), FloatField()), Value(0.0))
    return Case(When(**{f"limit_{unit}": 0}, then=Value(1.0)), default=share, output_field=FloatField())


def _key(scope: str, identity: str, period: str, starts_on: date) -> str:
    return sha256(json.dumps([scope, identity, period, starts_on.isoformat()]).encode("ascii")).hexdigest()


def make(accounts: Sequence[BudgetAccount], alias: str) -> None:
    """Insert the missing accounts in their own transaction: a transaction that holds locks on some might deadlock.

    Calls that are ending may not have seen them. When those calls have ended, the accounts are counted, or counted
    again if another call was faster.
    """
    existing = _existing([account.key for account in accounts], alias)
    new = [account for account in accounts if account.key not in existing]
    upsert(new, ["scope"], alias)
    pending = [_rows(account, alias).filter(status=PromptStatus.PENDING) for account in new]
    ending = {pk for rows in pending for pk in rows.values_list("pk", flat=True)}
    with ledger_transaction(alias):
        rows = PromptLog.objects.using(alias).select_for_update().filter(pk__in=ending).order_by("pk")
        list(rows.values_list("pk", flat=True))
        upsert(new, ["is_counted"], alias)


def count_again(keys: Collection[str], alias: str) -> None:
    """Let the next call count those of these accounts that exist."""
    if existing := _existing(keys, alias):
        with ledger_transaction(alias):
            locked(existing, alias)
            BudgetAccount.objects.using(alias).filter(key__in=existing).update(is_counted=False)


def _existing(keys: Collection[str], alias: str) -> set[str]:
    return set(BudgetAccount.objects.using(alias).filter(key__in=keys).values_list("key", flat=True))


def _save(account: BudgetAccount, alias: str) -> None:
    """Save a locked account. Caps each sum at the maximum of its column, so that an overflow fails no call."""
    for name in SUMS:
        setattr(account, name, min(getattr(account, name), MOST))
    account.save(using=alias, update_fields=BALANCES)


def _count(account: BudgetAccount, alias: str) -> None:
    """Sum the ledger's rows of the account."""
    sums = _rows(account, alias).aggregate(
        **{f"{name}_sum": Sum(name) for name in ("cost_usd", *TOKENS)},
        estimated_cost_usd_sum=Sum("estimated_cost_usd", filter=Q(cost_basis=CostBasis.ESTIMATED)),
        estimated_tokens_sum=Sum("estimated_tokens", filter=Q(cost_basis__isnull=False)),
    )
    usd = Decimal(sums["cost_usd_sum"] or 0) + Decimal(sums["estimated_cost_usd_sum"] or 0)
    account.spent_nanos = policies.nanos(usd)
    account.spent_tokens = sum(sums[f"{name}_sum"] or 0 for name in (*TOKENS, "estimated_tokens"))
    account.is_counted = True


def _rows(account: BudgetAccount, alias: str) -> QuerySet[PromptLog]:
    """The ledger's rows of the account's spender and period."""
    start, end = map(as_stored, _span(account))
    rows = PromptLog.objects.using(alias).filter(created_at__gte=start, created_at__lt=end)
    column = SPENDER.get(account.scope)
    if not column:
        return rows
    nobody = Q(**{column: None}) | Q(**{column: ""})  # these share the account of the empty string
    return rows.filter(exactly(column, account.identity) if account.identity else nobody)


def _left(account: BudgetAccount) -> tuple[int | None, int | None]:
    nanos, tokens = account.limit_nanos, account.limit_tokens
    return (
        None if nanos is None else nanos - account.spent_nanos - account.reserved_nanos,
        None if tokens is None else tokens - account.spent_tokens - account.reserved_tokens,
    )


def _is_nearly_spent(account: BudgetAccount) -> bool:
    pairs = ((account.spent_nanos, account.limit_nanos), (account.spent_tokens, account.limit_tokens))
    return any(limit is not None and spent and spent >= limit * WARNING_SHARE for spent, limit in pairs)


def _span(account: BudgetAccount) -> tuple[datetime, datetime]:
    return span(account.period, datetime.combine(account.starts_on, datetime.min.time(), UTC))
