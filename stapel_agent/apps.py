"""The Django app."""

from django.apps import AppConfig


class AgentConfig(AppConfig):
    name = "stapel_agent"
    label = "agent"
    verbose_name = "LLM agent"

    def ready(self) -> None:
        from . import checks, errors, functions, privacy, tasks  # noqa: F401

        privacy.register()
