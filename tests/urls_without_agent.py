"""URLs of a host that uses the agent in-process only."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
