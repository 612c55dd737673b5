"""Reserves the estimated cost of a call in its spender's accounts, and charges the actual cost afterwards.

Each function is part of one short transaction with the ledger row of its call, so an account's `spent_*` always equal
the sums of the ledger's rows. `balances.make()` is the exception: it does not survive a crash. Rows are locked in a
fixed order: the ledger row, its reservation, then the accounts by key.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db import connections, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from stapel_agent.conf import agent_settings
from stapel_agent.database import aware, database_now, exactly, host_offset, is_test_run, ledger_transaction
from stapel_agent.exceptions import OverBudget
from stapel_agent.models import BudgetAccount, PromptLog, PromptStatus, Reservation
from stapel_agent.redaction import describe, traceback_of
from stapel_agent.settings_validation import CHECK
from stapel_agent.types import Standing

from . import balances, policies
from .estimates import Estimate
from .periods import PERIODS
from .policies import Budget, Spend, Spender

logger = logging.getLogger(__name__)

SWEPT_BATCH = 500
KEPT_DAYS = 40
"""Days to keep an account: a call may end in a later month than it began in, and is charged to the earlier one."""
NO_ROW = UUID(int=0)


def budgets_of(row: PromptLog) -> list[Budget]:
    """Return the budgets for the call of a row. Raises OverBudget if one refuses it, or if the policy is invalid."""
    spender = balances.spender_of(row)
    try:
        policy = policies.policy()
        if isinstance(policy, policies.ListedBudgets) and (scope := policy.refusing_scope(spender)):
            fix = f"pass {scope}_id, or change the budget's 'without_id'"
            raise OverBudget(f"the call has no {scope}_id, and a budget refuses such calls: {fix}")
        return policies.budgets_for(spender, policy)
    except OverBudget:
        raise
    except Exception as fault:
        logger.error("BUDGETS cannot be applied, so no provider is called: %s", describe(fault))
        logger.debug("%s", traceback_of(fault))
        what = f"BUDGETS cannot be applied ({type(fault).__name__}), so no provider was called"
        raise OverBudget(f"{what}: run {CHECK} for details") from None


def reserve(row: PromptLog, estimate: Estimate, limits: Sequence[Budget], alias: str) -> OverBudget | None:
    """Reserve the estimated cost of the call of a row that was just inserted.

    Returns an OverBudget instead if a budget has no room. Raises AccountsMissing.
    """
    its_accounts = balances.opened(row, limits, alias)
    full = next((account for account in its_accounts if not balances.has_room(account, estimate, row, alias)), None)
    for account in its_accounts:
        if full is None:
            account.reserved_nanos += estimate.nanos
            account.reserved_tokens += estimate.tokens
        balances.keep(account, alias)
    if full is not None:
        return _refusal(balances.standing_of(full), estimate)
    if its_accounts:
        keys = [account.key for account in its_accounts]
        held = Reservation(row_id=row.pk, nanos=estimate.nanos, tokens=estimate.tokens, accounts=keys)
        held.save(force_insert=True, using=alias)
    return None


def is_reserved(row_id: UUID, alias: str) -> bool:
    return Reservation.objects.using(alias).filter(pk=row_id).exists()


NOTHING_TO_SETTLE = nullcontext()


def settling(row: PromptLog, alias: str) -> AbstractContextManager[None]:
    """Surround the update of a row with its outcome: charge the added spend and release the reservation.

    It charges the difference, because the update may be repeated, or may follow one that closed the call as lost.
    """
    return _settling(row, alias) if agent_settings.BUDGETS else NOTHING_TO_SETTLE


@contextmanager
def _settling(row: PromptLog, alias: str) -> Iterator[None]:
    with ledger_transaction(alias):
        _take_write_lock(alias)
        rows = PromptLog.objects.using(alias).select_for_update().filter(pk=row.pk)
        before = rows.only(*balances.SPENDER.values(), "created_at", "status", *balances.SPENT_COLUMNS).first()
        yield
        if before is not None:
            held = _taken_back(row.pk, alias)
            _charge(before, balances.spent_on(row) - balances.spent_on(before), held, alias)


@contextmanager
def charging(row: PromptLog, alias: str) -> Iterator[None]:
    """Surround the insert of a row whose call is over, and charge it."""
    if not agent_settings.BUDGETS:
        yield
        return
    with ledger_transaction(alias):
        yield
        _charge(row, balances.spent_on(row), None, alias)


def charge_lost(row: PromptLog, alias: str) -> None:
    """Charge the estimated cost of a lost call and release its reservation, in the transaction that closes its row.

    Also works in a process without BUDGETS: the accounts belong to the processes that have them.
    """
    _charge(row, balances.spent_on(row), _taken_back(row.pk, alias), alias)


def standings(spender: Spender, alias: str) -> list[Standing]:
    """Return the standing of each budget that applies to a spender, whose source may be an empty string."""
    listed = policies.budgets_for(spender, policies.policy()) if agent_settings.BUDGETS else ()
    limits = [limit for limit in listed if limit.scope == "all" or spender.identity(limit.scope)]
    moment = aware(timezone.now()) + (timedelta() if is_test_run() else host_offset(alias))
    new = [(limit, balances.account_for(limit, spender, moment)) for limit in limits]
    kept = BudgetAccount.objects.using(alias).in_bulk([account.key for _, account in new])
    found = []
    for limit, unused in new:
        account = kept.get(unused.key, unused)
        balances.bring_up_to_date(account, limit, alias)
        found.append(balances.standing_of(account))
    return found


def hand_over(scope: str, old: str, new: str, alias: str) -> int:
    """Move the accounts of one spender to another, after the ledger's rows. Returns the number of moved accounts."""
    following = balances.successors(scope, old, new, alias)
    balances.make(list(following.values()), alias)
    keys = {key: account.key for key, account in following.items()}
    with ledger_transaction(alias):
        _take_write_lock(alias)
        moved = _rename_accounts(keys, balances.SPENDER[scope], new, alias)
        return balances.merge(scope, new, keys, moved, alias)


def sweep(alias: str) -> None:
    """Release reservations of calls that are over or whose rows were deleted, and delete old accounts.

    A process without BUDGETS charges nothing, so it marks the accounts to be counted again at their next call.
    """
    held, kept = Reservation.objects.using(alias), BudgetAccount.objects.using(alias)
    pending = PromptLog.objects.using(alias).filter(pk=OuterRef("pk"), status=PromptStatus.PENDING)
    while stray := list(held.filter(~Exists(pending)).values_list("pk", flat=True)[:SWEPT_BATCH]):
        for row_id in stray:
            with ledger_transaction(alias):
                _take_write_lock(alias)
                _release(row_id, alias)
    kept.filter(starts_on__lt=database_now(alias).date() - timedelta(days=KEPT_DAYS)).delete()
    if not agent_settings.BUDGETS:
        for key in list(kept.filter(is_counted=True).values_list("key", flat=True)):
            kept.filter(pk=key).update(is_counted=False)


def _rename_accounts(keys: Mapping[str, str], column: str, spender: str, alias: str) -> dict[str, Spend]:
    """Rename accounts in the reservations of a spender's running calls. Returns the reserved amounts by old key.

    A call that began after its spender's rows were moved keeps its own accounts, and releases only those.
    """
    pending = PromptLog.objects.using(alias).filter(exactly(column, spender), status=PromptStatus.PENDING)
    under_way = Reservation.objects.using(alias).filter(pk__in=list(pending.values_list("pk", flat=True)))
    moved: dict[str, Spend] = {}
    for held in under_way.select_for_update().order_by("pk"):
        for key in keys.keys() & set(held.accounts):
            moved[key] = moved.get(key, Spend()) + Spend(held.nanos, held.tokens)
        held.accounts = [keys.get(key, key) for key in held.accounts]
        held.save(using=alias, update_fields=["accounts"])
    return moved


def _charge(row: PromptLog, spend: Spend, held: Reservation | None, alias: str) -> None:
    """Charge every existing account of the row's spender and period, even if no budget applies at present.

    `balances.make()` waits for the end of pending rows. It cannot see other rows until they are committed.
    """
    if held is None and not spend:
        return
    keys = balances.keys_of(row)
    found = balances.locked(keys, alias)
    if row.status != PromptStatus.PENDING:
        missing = keys - {account.key for account in found}
        transaction.on_commit(partial(balances.count_again, missing, alias), using=alias, robust=True)
    for account in found:
        if account.is_counted:  # otherwise the count will include the row
            account.spent_nanos += spend.nanos
            account.spent_tokens += spend.tokens
        _give_back(account, held)
        balances.keep(account, alias)


def _release(row_id: UUID, alias: str) -> None:
    held = _taken_back(row_id, alias)
    for account in balances.locked(held.accounts if held else (), alias):
        _give_back(account, held)
        balances.keep(account, alias)


def _taken_back(row_id: UUID, alias: str) -> Reservation | None:
    """Delete and return the reservation of a row. If two callers compete for it, only one gets it."""
    reservations = Reservation.objects.using(alias).filter(pk=row_id)
    held = reservations.select_for_update().first()
    return held if held is not None and reservations.delete()[0] else None


def _give_back(account: BudgetAccount, held: Reservation | None) -> None:
    if held is not None and account.key in held.accounts:
        account.reserved_nanos = max(0, account.reserved_nanos - held.nanos)
        account.reserved_tokens = max(0, account.reserved_tokens - held.tokens)


def _take_write_lock(alias: str) -> None:
    """Take SQLite's write lock first: it has no row locks, and rejects a write based on an outdated read."""
    if not connections[alias].features.has_select_for_update:
        Reservation.objects.using(alias).filter(pk=NO_ROW).update(nanos=0)


def _refusal(standing: Standing, estimate: Estimate) -> OverBudget:
    whom = f"{standing.scope} {standing.identity!r}" if standing.identity else f"all calls without a {standing.scope}"
    whom = "all calls" if standing.scope == "all" else whom
    facts = []
    if standing.left_usd is not None:
        cost = "the call has no known price" if estimate.usd is None else f"the call may cost up to {estimate.usd:f}"
        facts.append(f"{standing.left_usd:f} USD left, and {cost}")
    if standing.left_tokens is not None:
        facts.append(f"{standing.left_tokens} tokens left, and the call may use up to {estimate.tokens}")
    held = standing.reserved_usd or standing.reserved_tokens
    soon = " when the calls under way have ended, or" if held else ""
    return OverBudget(
        f"the {PERIODS[standing.period]} budget for {whom} has {'; it has '.join(facts)}: "
        f"lower max_tokens, shorten the prompt, or try again{soon} from {standing.resets_at:%Y-%m-%d} (UTC) on",
        standing,
    )
