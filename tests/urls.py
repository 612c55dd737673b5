"""URLs of the test host: the app at its documented mount, the admin, and stapel-core's function endpoint."""

from django.contrib import admin
from django.urls import include, path
from stapel_core.comm.http import get_function_urls

urlpatterns = [
    path("agent/", include("stapel_agent.urls")),
    path("admin/", admin.site.urls),
    *get_function_urls(),
]
