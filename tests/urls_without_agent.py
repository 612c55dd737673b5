"""URLs of a host that only calls this package in-process."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
