"""URLs of the host in `tests.fleet.settings`: the test host's, and those of stapel-translate's dashboard."""

from django.urls import include, path

from tests.urls import urlpatterns as host_urlpatterns

urlpatterns = [*host_urlpatterns, path("", include("stapel_translate.urls"))]
