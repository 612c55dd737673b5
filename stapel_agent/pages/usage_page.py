"""The usage page: the figures of a period, each linked to the rows behind it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from stapel_agent.accounting import Durations, Rankings, TopSpender, rankings, usage
from stapel_agent.budgets import TOKENS
from stapel_agent.database import aware
from stapel_agent.ledger import TOKEN_FIELDS
from stapel_agent.models import PromptLog, PromptStatus

from .budget_lines import BudgetLine, budget_lines
from .figure_links import counted, errors, estimated, linked, named, spend, whole_spend, without_price
from .ledger_urls import LedgerLinks
from .list_filters import UNSUCCESSFUL
from .number_formatting import count, money, percent, places_for, time_taken
from .prompt_cache_savings import saved_note
from .usage_charts import Chart, Figures, charts, total_tokens
from .usage_period import CHOICES, DEFAULT, InvalidPeriod, Period, chosen, start_of

PLACES = 10
"""Lines of each ranking."""
TITLES = {"user_id": "Users", "workspace_id": "Workspaces", "source": "Sources", "model": "Models"}


@dataclass(frozen=True)
class Tile:
    """One of the figures at the top, with notes."""

    title: str
    figure: SafeString
    notes: Sequence[SafeString | str]


@dataclass(frozen=True)
class Line:
    name: SafeString
    figures: Sequence[SafeString | str]


@dataclass(frozen=True)
class Ranking:
    """A table of the top spenders. `counted` is a text such as "10 of 25": how many are shown, of how many."""

    title: str
    column: str
    counted: str
    lines: Sequence[Line]
    total: Line


@dataclass(frozen=True)
class UsagePage:
    """The contents of the page. `problem` says why the requested period is not shown."""

    period: Period
    choices: Sequence[tuple[str, str, bool]]
    problem: str
    tiles: Sequence[Tile]
    charts: Sequence[Chart]
    parts: Sequence[Line]
    total: Line
    rankings: Sequence[Ranking]
    budgets: Sequence[BudgetLine]
    budgets_counted: str
    has_rows: bool

    @property
    def since(self) -> str:
        return str(self.period.since)

    @property
    def until(self) -> str:
        return str(self.period.until)

    @property
    def ends(self) -> tuple[str, str]:
        """First and last day or month of the charts."""
        names = [name for name, _ in self.period.parts()]
        return names[0], names[-1] if len(names) > 1 else ""


def usage_view(parameters: Mapping[str, str], address: str, hidden: Collection[str] = ()) -> UsagePage:
    """The page for a URL's parameters. `address` is that of the list; `hidden` columns are not shown."""
    now = aware(timezone.now()).astimezone(UTC)
    name, period, problem = period_of(parameters, now.date())
    links = LedgerLinks(address, period)
    since, until = start_of(period.since), start_of(period.until)
    found = usage(group_by=(period.unit,), since=since, until=until, limit=1000)
    ranked = rankings(since, until, PLACES)
    totals = found["totals"]
    parts = {row[period.unit]: row for row in found["rows"] if row["calls"] or row["cache_hits"]}
    places = places_for(totals["cost_usd"])
    budgets, budgets_counted = budget_lines(now, PLACES, links, hidden)
    return UsagePage(
        period=period,
        choices=[(key, choice.title, key == name) for key, choice in CHOICES.items()],
        problem=problem,
        tiles=list(_tiles(found["totals"], ranked, links)),
        charts=list(charts(parts, period, links)) if found["totals"]["calls"] else [],
        parts=[_part(key, parts[key], links.within(part), places) for key, part in period.parts() if key in parts],
        total=_part("Total", totals, links, places),
        rankings=list(_rankings(ranked, totals, links, hidden)),
        budgets=budgets,
        budgets_counted=budgets_counted,
        has_rows=bool(parts) or PromptLog.objects.exists(),
    )


def period_of(parameters: Mapping[str, str], today: date) -> tuple[str, Period, str]:
    try:
        return *chosen(parameters, today), ""
    except InvalidPeriod as fault:
        return DEFAULT, CHOICES[DEFAULT].of(today), str(fault)


def _tiles(totals: Figures, ranked: Rankings, links: LedgerLinks) -> Iterator[Tile]:
    made, failed = totals["calls"], totals["errors"]
    yield Tile("Spend", spend(totals, links), [estimated(totals, links), without_price(totals, links)])
    yield Tile("Calls", counted("calls", made, links.to()), [])
    tokens = counted("tokens", total_tokens(totals), links.to())
    yield Tile("Tokens", tokens, [*_kinds(totals), saved_note(ranked.cached)])
    share = f"{percent(failed, made)} of the calls"
    yield Tile("Errors", counted("errors", failed, links.to(status=UNSUCCESSFUL)), [share])
    yield _hits(totals)
    yield _durations(ranked.durations, links)
    pending = LedgerLinks(links.address).to(status=PromptStatus.PENDING)
    yield Tile("In flight", counted("pending", ranked.pending, pending), ["now, whatever the period"])


def _kinds(totals: Figures) -> list[str]:
    spent = [name for name in TOKENS if totals[name]]
    kinds = [f"{count(totals[name])} {name.removesuffix('_tokens').replace('_', ' ')}" for name in spent]
    if thinking := totals["thinking_tokens"]:
        kinds.append(f"{count(thinking)} of the output spent on thinking")
    if read := totals["cache_read_tokens"]:
        whole = totals["input_tokens"] + read + totals["cache_write_tokens"]
        kinds.append(f"{percent(read, whole)} of the input read from vendors' caches")
    return kinds


def _hits(totals: Figures) -> Tile:
    hits = totals["cache_hits"]
    notes = [f"{percent(hits, hits + totals['calls'])} of calls and hits"]
    if totals["saved_tokens"]:
        notes.append(f"{count(totals['saved_tokens'])} tokens and {money(totals['saved_cost_usd'])} saved")
    return Tile("Cache hits", format_html("{}", count(hits)), [*notes, "they have no rows"] if hits else notes)


def _durations(durations: Durations, links: LedgerLinks) -> Tile:
    if durations.p50_ms is None or durations.p95_ms is None:
        return Tile("Duration", SafeString("–"), ["no finished calls"])
    p50, p95 = (
        linked("duration_ms", taken, time_taken(taken), links.to(duration_from=str(taken)))
        for taken in (durations.p50_ms, durations.p95_ms)
    )
    return Tile("Duration, p50", p50, [format_html("p95 {}", p95)])


def _part(name: str, figures: Figures, links: LedgerLinks, places: int) -> Line:
    made, every = figures["calls"], links.to()
    cells = [
        counted("calls", made, every),
        errors(figures["errors"], made, links),
        count(figures["cache_hits"]),
        *(counted(kind, figures[kind], every) for kind in TOKEN_FIELDS),
        whole_spend(figures, links, places) if made else "–",
    ]
    return Line(format_html("{}", name), cells)


def _rankings(ranked: Rankings, totals: Figures, links: LedgerLinks, hidden: Collection[str]) -> Iterator[Ranking]:
    together = {**totals, "tokens": total_tokens(totals)}
    places = places_for(totals["cost_usd"])
    for column, title in TITLES.items():
        spenders, number = ranked.spenders[column], ranked.counts[column]
        if column not in hidden and spenders:
            lines = [_spender(column, spender, links, places) for spender in spenders]
            everybody = "Total" if len(lines) == number else f"Total of all {count(number)}"
            total = Line(format_html("{}", everybody), _spent(together, links, places))
            yield Ranking(title, column, f"{len(lines)} of {count(number)}", lines, total)


def _spender(column: str, spender: TopSpender, links: LedgerLinks, places: int) -> Line:
    columns = {column: spender.name}
    name = linked("calls", spender.calls, named(column, spender.name), links.to(**columns))
    return Line(name, _spent(vars(spender), links, places, **columns))


def _spent(figures: Figures, links: LedgerLinks, places: int, **columns: str | None) -> list[SafeString | str]:
    every, made = links.to(**columns), figures["calls"]
    return [
        whole_spend(figures, links, places, **columns),
        counted("tokens", figures["tokens"], every),
        counted("calls", made, every),
        errors(figures["errors"], made, links, **columns),
    ]
