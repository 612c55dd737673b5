"""Checks before a deployment: `manage.py check --deploy`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from stapel_agent.prices import list_date
from stapel_agent.providers import model_warnings
from stapel_agent.redaction import KEY_LENGTH, settings_with_short_keys
from stapel_agent.settings_validation import wrong_kinds

from .size_checks import providers_asked

PRICE_LIST_DAYS = 60
SERVICE_MIDDLEWARE = "stapel_core.django.jwt.middleware.ServiceAPIKeyMiddleware"


@register("stapel_agent", deploy=True)
def check_service_middleware(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """W004: services can authenticate, if the URLs are included."""
    try:
        reverse("agent:v1:llm-complete")
    except NoReverseMatch:
        return []
    if SERVICE_MIDDLEWARE not in settings.MIDDLEWARE:
        problem, hint = (
            "no middleware reads X-API-KEY",
            f"Add {SERVICE_MIDDLEWARE!r} to MIDDLEWARE, after AuthenticationMiddleware.",
        )
    elif not _has_service_key():
        problem, hint = (
            "no key is set",
            "Set SERVICE_API_KEY to a long random string, or SERVICE_API_KEYS to one for each service.",
        )
    else:
        return []
    return [Warning(f"No service can call the agent: {problem}.", hint, id="stapel_agent.W004")]


@register("stapel_agent", deploy=True)
def check_price_list(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """W012: the vendors' price list is at most PRICE_LIST_DAYS old."""
    today = timezone.now().date()
    newest = list_date(today)
    if newest is None or (today - newest).days <= PRICE_LIST_DAYS:
        return []
    hint = "Upgrade genai-prices, or set the prices of your models in STAPEL_AGENT['PRICES']."
    text = (
        f"The price list of genai-prices dates from {newest:%Y-%m-%d}, more than {PRICE_LIST_DAYS} days ago: "
        "costs may be wrong."
    )
    return [Warning(text, hint, id="stapel_agent.W012")]


@register("stapel_agent", deploy=True)
def check_models(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """W014: the models of the sizes are not about to be retired, and support the configured token caps."""
    if any(wrong_kinds()):
        return []
    return [Warning(text, id="stapel_agent.W014") for name in providers_asked() for text in model_warnings(name)]


@register("stapel_agent", deploy=True)
def check_key_lengths(app_configs: Any = None, **options: Any) -> list[CheckMessage]:
    """W017: every key is long enough to be recognized in an error message, however it is encoded."""
    hint = f"Use a key of at least {KEY_LENGTH} characters, or none if the endpoint needs none."
    fault = f"is shorter than {KEY_LENGTH} characters: in messages, only its plain form is redacted."
    return [Warning(f"{name} {fault}", hint, id="stapel_agent.W017") for name in settings_with_short_keys()]


def _has_service_key() -> bool:
    keys = getattr(settings, "SERVICE_API_KEYS", None)
    own = keys.values() if isinstance(keys, Mapping) else ()
    return bool(getattr(settings, "SERVICE_API_KEY", None)) or any(own)
