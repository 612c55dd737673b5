"""The agent at its usual mount, and the admin, which shows its ledger."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("agent/", include("stapel_agent.urls")),
    path("admin/", admin.site.urls),
]
