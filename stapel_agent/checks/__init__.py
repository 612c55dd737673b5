"""System checks: report settings that will not work, with the fix. They use the registry and know no vendor."""

from .cost_checks import check_bounds, check_budgets
from .database_checks import check_character_sets, check_retention
from .deployment_checks import check_key_lengths, check_models, check_price_list, check_service_middleware
from .provider_checks import check_provider_configuration, check_providers
from .settings_checks import check_settings

__all__ = [
    "check_bounds",
    "check_budgets",
    "check_character_sets",
    "check_key_lengths",
    "check_models",
    "check_price_list",
    "check_provider_configuration",
    "check_providers",
    "check_retention",
    "check_service_middleware",
    "check_settings",
]
