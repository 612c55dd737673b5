"""System checks of PRICES and BUDGETS: what a call costs, and whether a budget can limit it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.checks import CheckMessage, Error, Warning, register

from stapel_agent import budgets
from stapel_agent.column_ranges import money
from stapel_agent.conf import agent_settings
from stapel_agent.model_profiles import known_profile
from stapel_agent.prices import OTHER_MODELS, VENDOR_TOOLS, UnitPrices, invalid_tiers, unit_prices
from stapel_agent.providers import model_for, provider_registry
from stapel_agent.settings_validation import wrong_kinds

from .size_checks import providers_asked

Sizes = Mapping[str, list[str]]
"""Name of a provider -> the sizes that it serves."""
NO_PRICE = "must be US dollars per million tokens, with at least input and output"


@register("stapel_agent")
def check_budgets(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """W007, W013: if there are budgets, the models have prices, and calls that name nobody are provided for.

    Commands for cron do not run it, because cron mails their output.
    """
    if any(wrong_kinds()):
        return []
    return [*_unpriced(providers_asked()), *_undecided()]


@register("stapel_agent", deploy=True)
def check_bounds(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """W015: the most that a call may cost is known, if there are budgets."""
    return [] if any(wrong_kinds()) else list(_unbounded())


def cost_messages() -> Iterator[CheckMessage]:
    """Yield what is wrong with PRICES and BUDGETS."""
    yield from _prices()
    yield from _budgets()


def _prices() -> Iterator[CheckMessage]:
    prices = agent_settings.PRICES
    if not isinstance(prices, Mapping):
        faults = {f", of the type {type(prices).__name__},": NO_PRICE}
    else:
        faults = {f"[{model!r}]": fault for model, entry in prices.items() if (fault := _price_fault(entry))}
    for place, fault in faults.items():
        hint = "Example: {'input': '3', 'output': '15', 'cache_read': '0.3', 'cache_write': '3.75'}."
        yield Error(f"STAPEL_AGENT['PRICES']{place} {fault}.", hint, id="stapel_agent.E008")


def _price_fault(entry: object) -> str | None:
    if not isinstance(entry, Mapping):
        return NO_PRICE
    kinds = UnitPrices.__dataclass_fields__
    if unknown := sorted(map(str, entry.keys() - {*kinds, "tiers"})):
        return f"has the unknown key {unknown[0]!r}: use {', '.join((*kinds, 'tiers'))}"
    if wrong := [kind for kind in kinds if kind in entry and money(entry[kind]) is None]:
        stated = str(entry[wrong[0]])[:40]
        return f"has {stated!r} as {wrong[0]!r}: it must be US dollars per million tokens, such as '0.25'"
    if UnitPrices.of(entry) is None:
        return NO_PRICE
    tier = next(invalid_tiers(entry), None)
    return tier and f"has an invalid tier, {tier}: each tier needs at least input and output"


def _budgets() -> Iterator[CheckMessage]:
    setting = agent_settings.BUDGETS
    for problem in budgets.budget_problems(setting) if isinstance(setting, list | tuple) else budgets.policy_problems():
        yield Error(f"{problem}.", "No provider is called until this is fixed.", id="stapel_agent.E006")


def _undecided() -> Iterator[CheckMessage]:
    """Yield which budgets do not say how to treat calls that name nobody."""
    setting = agent_settings.BUDGETS
    if isinstance(setting, list | tuple) and not any(budgets.budget_problems(setting)):
        for text in budgets.undecided_budgets(setting):
            yield Warning(f"{text}.", id="stapel_agent.W013")


def _unpriced(asked: Sizes) -> Iterator[CheckMessage]:
    """Yield which models of the providers that may be asked have no price, if budgets need one."""
    setting = agent_settings.BUDGETS
    if not (isinstance(setting, list | tuple) and any("usd" in entry for entry in setting if isinstance(entry, dict))):
        return
    for name, sizes in asked.items():
        if unpriced := _without_price(name, sizes):
            hint = "Add them to STAPEL_AGENT['PRICES'], or limit 'tokens'."
            fault = f"models of {name!r} have no price, so no dollars are reserved for their calls"
            text = f"BUDGETS limits dollars, but {fault}: {unpriced}."
            yield Warning(text, hint, id="stapel_agent.W007")


def _without_price(name: str, sizes: list[str]) -> list[str]:
    try:
        provider = provider_registry.load(name)()
        models = {model_for(name, provider, size).strip() for size in sizes} - {""}
        return sorted(model for model in models if unit_prices(name, model, provider.vendor) is None)
    except Exception:  # other checks report errors in these settings
        return []


def _unbounded() -> Iterator[CheckMessage]:
    """Yield which calls may exceed a budget."""
    if not agent_settings.BUDGETS:
        return
    kinds = [(f"to {name!r}", kind) for name in sorted(provider_registry.entries()) for kind in _unbounded_kinds(name)]
    for calls, kind in (*kinds, *_vendor_tools()):
        hint = "If you make such calls, leave room for more in your budgets."
        text = f"BUDGETS is set, but calls {calls} may cost more than reserved: nothing limits their {kind}."
        yield Warning(text, hint, id="stapel_agent.W015")


def _unbounded_kinds(name: str) -> list[str]:
    try:
        provider = provider_registry.load(name)()
        return [] if provider.configuration_error() else list(budgets.unbounded(provider))
    except Exception:  # other checks report errors in the provider
        return []


def _vendor_tools() -> Iterator[tuple[str, str]]:
    """Yield the settings whose options let a vendor do more than answer, and what that is."""
    sizes, entries = agent_settings.MODELS, agent_settings.PROVIDERS
    places: dict[str, object] = {}
    for size in sizes if isinstance(sizes, Mapping) else ():
        places[f"with MODELS[{size!r}]"] = known_profile(size).options
    for name, entry in entries.items() if isinstance(entries, Mapping) else ():
        places[f"to {name!r}"] = entry.get("options") if isinstance(entry, Mapping) else None
    for calls, options in places.items():
        names = set(options) if isinstance(options, Mapping) else set()
        if tools := sorted(VENDOR_TOOLS & names):
            yield calls, f"use of {', '.join(tools)}, which the vendor bills separately"
        if OTHER_MODELS in names:
            yield calls, f"prices, because the option {OTHER_MODELS!r} lets the vendor use other models"
