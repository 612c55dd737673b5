"""Budgets: the limits for a day or a month that BUDGETS sets. `balances` knows what has been spent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from django.utils.module_loading import import_string

from stapel_agent.column_ranges import ARITHMETIC, is_whole
from stapel_agent.conf import agent_settings

from .periods import PERIODS

SCOPES = ("user", "workspace", "source", "all")
NAMED_SCOPES = ("user", "workspace")
"""The scopes whose id a call may omit."""
KEYS = ("scope", "id", "period", "usd", "tokens", "without_id")
SHARE, REFUSE = "share", "refuse"
"""The values of `without_id`: calls without an id share one account (the default), or are refused."""
ID_LENGTH = 64
NANOS = 1_000_000_000
MOST_USD, MOST_TOKENS = Decimal(10**9), 10**15


@dataclass(frozen=True, slots=True)
class Spend:
    """Billionths of a dollar, which every database adds without rounding, and the total of all tokens."""

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
    """The identity that a call is made for, as in the ledger's columns."""

    source: str
    user_id: str | None = None
    workspace_id: str | None = None

    def identity(self, scope: str) -> str | None:
        """Return the id of the spender in `scope`, or None if the call has no such id."""
        return {"user": self.user_id, "workspace": self.workspace_id, "source": self.source, "all": ""}[scope]


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit on what a spender may spend in one of the SCOPES and PERIODS. None means no limit."""

    scope: str
    period: str
    usd: Decimal | None = None
    tokens: int | None = None


KIND = "BUDGETS must be a list of maps, or the dotted path of a BudgetPolicy"


class BudgetPolicy:
    """Decides which budgets apply to a spender. Subclass it and name the subclass in BUDGETS.

    One instance serves all threads of a process. It is called before each provider call and may query the database.
    If it raises an exception, the call fails and no provider is called.
    """

    def budgets(self, spender: Spender) -> Iterable[Budget]:
        """Return the budgets for a call of this spender, at most one for each scope and period."""
        raise NotImplementedError(f"{type(self).__name__} must implement budgets()")


class ListedBudgets(BudgetPolicy):
    """The policy for the entries of BUDGETS. Raises a ValueError that names the fix if an entry is invalid."""

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        for problem in problems(entries):
            raise ValueError(problem)
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
        """Return the scope whose budget refuses the spender's call because it has no such id, or None."""
        return next((scope for scope in NAMED_SCOPES if scope in self._refusing and not spender.identity(scope)), None)


def budgets_for(spender: Spender, of: BudgetPolicy) -> list[Budget]:
    """Return the budgets of a policy for a spender. Raises TypeError or ValueError if one is invalid."""
    found = list(of.budgets(spender))
    return found if isinstance(of, ListedBudgets) else list(map(_checked, found))


def _checked(budget: object) -> Budget:
    if not isinstance(budget, Budget):
        raise TypeError(f"budgets() must return Budget objects, not {type(budget).__name__}")
    limits = {name: limit for name in ("usd", "tokens") if (limit := getattr(budget, name)) is not None}
    if problem := _problem({"scope": budget.scope, "period": budget.period, "tokens": 0, **limits}):
        raise ValueError(f"a budget {problem}")
    return budget if budget.usd is None else replace(budget, usd=_usd(budget.usd))


def policy() -> BudgetPolicy:
    """Return the policy in use. Raises an exception if the setting is invalid."""
    setting = agent_settings.BUDGETS
    if isinstance(setting, list | tuple):
        return _listed(setting)
    if not isinstance(setting, str | type):
        raise TypeError(KIND)
    return _instance(setting)


def problems(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a message for each invalid entry of BUDGETS, with the fix."""
    places: set[tuple[str, str | None, str]] = set()
    for number, entry in enumerate(entries):
        problem = _problem(entry)
        if problem is None and _place(entry) in places:
            problem = "repeats the scope, id and period of another entry: put both limits into one"
        if problem is None:
            places.add(_place(entry))
        else:
            yield f"BUDGETS[{number}] {problem}, not {entry!r:.200}"


def undecided(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a message for each entry that needs a `without_id` to say how calls without an id are handled."""
    for number, entry in enumerate(entries):
        if entry["scope"] in NAMED_SCOPES and not entry.keys() & {"id", "without_id"}:
            yield (
                f"BUDGETS[{number}] has no 'without_id', so all calls without a {entry['scope']} share one account: "
                f"set 'without_id' to '{SHARE}' to keep this, or to '{REFUSE}' to refuse such calls"
            )


def policy_problems() -> Iterator[str]:
    """Yield a message if BUDGETS does not name a valid policy."""
    setting = agent_settings.BUDGETS
    try:
        policy()
    except Exception as fault:
        detail = f" ({fault})" if isinstance(setting, str | type) else ""
        yield f"{KIND}, not {setting!r:.200}{detail}"


def nanos(usd: Decimal) -> int:
    """Convert dollars to billionths of a dollar, rounded up."""
    return int(ARITHMETIC.multiply(usd, NANOS).to_integral_value(ROUND_CEILING))


def _problem(entry: object) -> str | None:
    """Return the rule that a single entry breaks, or None."""
    if not isinstance(entry, Mapping):
        return 'must be a map such as {"scope": "user", "period": "month", "usd": "5.00"}'
    rules = {
        f"may only have the keys {', '.join(KEYS)}": entry.keys() <= set(KEYS),
        f"must have a 'scope', which is one of {', '.join(SCOPES)}": entry.get("scope") in SCOPES,
        f"must have a 'period', which is {' or '.join(PERIODS)}": entry.get("period") in PERIODS,
        f"may have an 'id' that is a string of 1 to {ID_LENGTH} characters": "id" not in entry or _is_id(entry["id"]),
        "must not have an 'id', because its scope is all": not (entry.get("scope") == "all" and "id" in entry),
        f"may have a 'without_id' of {SHARE} or {REFUSE} only if its scope is user or workspace and it has no 'id'": (
            "without_id" not in entry or _is_choice(entry)
        ),
        "must have 'usd', 'tokens' or both": "usd" in entry or "tokens" in entry,
        "must have a number of at least 0 as 'usd', preferably as a string": (
            "usd" not in entry or _usd(entry["usd"]) is not None
        ),
        "must have a whole number of at least 0 as 'tokens'": (
            "tokens" not in entry or is_whole(entry["tokens"], 0, MOST_TOKENS)
        ),
    }
    return next((rule for rule, is_kept in rules.items() if not is_kept), None)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= ID_LENGTH


def _is_choice(entry: Mapping[str, Any]) -> bool:
    return entry["without_id"] in (SHARE, REFUSE) and entry.get("scope") in NAMED_SCOPES and "id" not in entry


def _usd(value: object) -> Decimal | None:
    """Convert an amount to a Decimal, or return None if it is invalid."""
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
        raise TypeError("it is not a subclass of stapel_agent.budgets.BudgetPolicy")
    return named()
