"""The Django app."""

from django.apps import AppConfig


class AgentConfig(AppConfig):
    name = "stapel_agent"
    label = "agent"
    verbose_name = "LLM agent"

    def ready(self) -> None:
        from . import (
            checks,  # noqa: F401
            errors,  # noqa: F401
            functions,  # noqa: F401
            privacy,  # noqa: F401
            tasks,  # noqa: F401
        )

        privacy.register()
