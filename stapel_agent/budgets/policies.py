"""Budgets: how much whom may spend in a day or a month, as BUDGETS says; `accounts` knows what they have spent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from django.utils.module_loading import import_string

from stapel_agent.conf import agent_settings
from stapel_agent.figures import ARITHMETIC

SCOPES = ("user", "workspace", "source", "all")
PERIODS = ("day", "month")
NAMED_SCOPES = ("user", "workspace")
"""Those in which a call may name nobody."""
KEYS = ("scope", "id", "period", "usd", "tokens", "without_id")
SHARE, REFUSE = "share", "refuse"
"""What `without_id` makes of calls that name nobody: they share one account, which is the default, or are refused."""
ID_LENGTH = 64
NANOS = 1_000_000_000
MOST_USD, MOST_TOKENS = Decimal(10**9), 10**15


@dataclass(frozen=True, slots=True)
class Spend:
    """Billionths of a dollar, which every database adds without rounding, and tokens of all kinds together."""

    nanos: int = 0
    tokens: int = 0

    def __add__(self, other: Spend) -> Spend:
        return Spend(self.nanos + other.nanos, self.tokens + other.tokens)

    def __sub__(self, other: Spend) -> Spend:
        return Spend(self.nanos - other.nanos, self.tokens - other.tokens)

    def __bool__(self) -> bool:
        return bool(self.nanos or self.tokens)


@dataclass(frozen=True, slots=True)
class Spender:
    """Whom a call is made for, as the ledger's columns have it."""

    source: str
    user_id: str | None = None
    workspace_id: str | None = None

    def identity(self, scope: str) -> str | None:
        """Who spends in `scope`; nobody, where the call has no such id."""
        return {"user": self.user_id, "workspace": self.workspace_id, "source": self.source, "all": ""}[scope]


@dataclass(frozen=True, slots=True)
class Budget:
    """What the spender of a call may spend in one of the SCOPES, in one of the PERIODS; None is no limit."""

    scope: str
    period: str
    usd: Decimal | None = None
    tokens: int | None = None


KIND = "BUDGETS must be a list of maps, or the dotted path of a BudgetPolicy"


class BudgetPolicy:
    """Which budgets hold for whom. Subclass it and name it in BUDGETS.

    One instance serves a process and its threads. It is asked before each call of a provider, where the database may
    be queried. What it raises is a failure of the call, and no provider is asked.
    """

    def budgets(self, spender: Spender) -> Iterable[Budget]:
        """Those that hold for a call of this spender, at most one for a scope and a period."""
        raise NotImplementedError(f"{type(self).__name__} must implement budgets()")


class ListedBudgets(BudgetPolicy):
    """The entries of BUDGETS. Raises ValueError, with the mend, for a wrong one."""

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        for fault in faults(entries):
            raise ValueError(fault)
        self._limits = {_place(entry): (_usd(entry.get("usd")), entry.get("tokens")) for entry in entries}
        self._refusing = {entry["scope"] for entry in entries if entry.get("without_id") == REFUSE}

    def budgets(self, spender: Spender) -> Iterator[Budget]:
        for scope in SCOPES:
            identity = spender.identity(scope)
            for period in PERIODS:
                general = self._limits.get((scope, None, period))
                limits = self._limits.get((scope, identity, period), general)
                if limits is not None:
                    yield Budget(scope, period, *limits)

    def refusing_scope(self, spender: Spender) -> str | None:
        """The scope whose budget refuses the call of a spender, as it names nobody."""
        return next((scope for scope in NAMED_SCOPES if scope in self._refusing and not spender.identity(scope)), None)


def policy() -> BudgetPolicy:
    """The policy in use. Raises what is wrong with the setting."""
    setting = agent_settings.BUDGETS
    if isinstance(setting, list | tuple):
        return _listed(setting)
    if not isinstance(setting, str | type):
        raise TypeError(KIND)
    return _instance(setting)


def faults(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What is wrong with the entries of BUDGETS, each with the mend."""
    places: set[tuple[str, str | None, str]] = set()
    for number, entry in enumerate(entries):
        fault = _fault(entry)
        if fault is None and _place(entry) in places:
            fault = "is the second for the same scope, id and period: put both limits into one"
        if fault is None:
            places.add(_place(entry))
        else:
            yield f"BUDGETS[{number}] {fault}, not {entry!r:.200}"


def undecided(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The entries that do not say what becomes of calls that name nobody, each with what does."""
    for number, entry in enumerate(entries):
        if entry["scope"] in NAMED_SCOPES and not entry.keys() & {"id", "without_id"}:
            yield (
                f"BUDGETS[{number}] has no 'without_id', so all calls that name no {entry['scope']} share one account "
                f"of it: set 'without_id' to '{SHARE}' for that, or to '{REFUSE}'"
            )


def policy_faults() -> Iterator[str]:
    """Why what BUDGETS names is no policy."""
    setting = agent_settings.BUDGETS
    try:
        policy()
    except Exception as fault:
        told = f" ({fault})" if isinstance(setting, str | type) else ""
        yield f"{KIND}, not {setting!r:.200}{told}"


def span(period: str, moment: datetime) -> tuple[datetime, datetime]:
    """The day or month, in UTC, that a moment is in: its beginning, and that of the next."""
    start = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return start, start + timedelta(days=1)
    first = start.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


def beginning(period: str, moment: datetime) -> date:
    return span(period, moment)[0].date()


def nanos(usd: Decimal) -> int:
    """Dollars in billionths, rounded up."""
    return int(ARITHMETIC.multiply(usd, NANOS).to_integral_value(ROUND_CEILING))


def _fault(entry: object) -> str | None:
    """What is wrong with one entry, taken by itself."""
    if not isinstance(entry, Mapping):
        return 'must be a map such as {"scope": "user", "period": "month", "usd": "5.00"}'
    rules = {
        f"may have the keys {', '.join(KEYS)} alone": entry.keys() <= set(KEYS),
        f"must have a 'scope' of {', '.join(SCOPES)}": entry.get("scope") in SCOPES,
        f"must have a 'period' of {', '.join(PERIODS)}": entry.get("period") in PERIODS,
        f"may have an 'id' that is a text of 1 to {ID_LENGTH} characters": "id" not in entry or _is_id(entry["id"]),
        "may have no 'id', as its scope is all": not (entry.get("scope") == "all" and "id" in entry),
        f"may have a 'without_id' of {SHARE} or {REFUSE}, if its scope is user or workspace and it has no 'id'": (
            "without_id" not in entry or _is_choice(entry)
        ),
        "must have 'usd', 'tokens' or both": "usd" in entry or "tokens" in entry,
        "must have as 'usd' a number from 0, best as a text": "usd" not in entry or _usd(entry["usd"]) is not None,
        "must have as 'tokens' a whole number from 0": "tokens" not in entry or _is_tokens(entry["tokens"]),
    }
    return next((rule for rule, is_kept in rules.items() if not is_kept), None)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= ID_LENGTH


def _is_choice(entry: Mapping[str, Any]) -> bool:
    return entry["without_id"] in (SHARE, REFUSE) and entry.get("scope") in NAMED_SCOPES and "id" not in entry


def _is_tokens(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS


def _usd(value: object) -> Decimal | None:
    """An amount as a Decimal, or None where it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        usd = Decimal(str(value))
    except InvalidOperation:
        return None
    return usd if usd.is_finite() and 0 <= usd <= MOST_USD else None


def _place(entry: Mapping[str, Any]) -> tuple[str, str | None, str]:
    return entry["scope"], entry.get("id"), entry["period"]


_read: tuple[object, ListedBudgets] = (None, ListedBudgets([]))


def _listed(entries: Sequence[Mapping[str, Any]]) -> ListedBudgets:
    global _read
    source, read = _read
    if source is not entries:
        read = ListedBudgets(entries)
        _read = (entries, read)
    return read


@lru_cache(maxsize=8)
def _instance(policy_class: Any) -> BudgetPolicy:
    named = import_string(policy_class) if isinstance(policy_class, str) else policy_class
    if not (isinstance(named, type) and issubclass(named, BudgetPolicy)):
        raise TypeError("that is no subclass of stapel_agent.budgets.BudgetPolicy")
    return named()
