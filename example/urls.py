"""The agent at its usual mount, the admin, which shows its ledger, and a first page with links."""

from django.contrib import admin
from django.urls import include, path
from welcome import no_icon, welcome

urlpatterns = [
    path("", welcome),
    path("favicon.ico", no_icon),
    path("agent/", include("stapel_agent.urls")),
    path("admin/", admin.site.urls),
]
