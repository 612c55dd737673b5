"""Mount with `path("agent/", include("stapel_agent.urls"))`. Unversioned paths are those of older clients."""

from django.urls import include, path

from .views import AgentErrorKeysView, CompleteView, TranslateView, UsageView

endpoints = [
    path("llm/complete", CompleteView.as_view(), name="llm-complete"),
    path("llm/translate", TranslateView.as_view(), name="llm-translate"),
    path("llm/usage", UsageView.as_view(), name="llm-usage"),
    path("error-keys/", AgentErrorKeysView.as_view(), name="error-keys"),
]

app_name = "agent"
urlpatterns = [
    path("api/v1/", include((endpoints, "v1"))),
    path("api/", include((endpoints, "unversioned"))),
]
