"""The OpenAPI document is true: schemathesis tests the endpoints against it."""

import pytest
import schemathesis
from django.conf import settings as django_settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import path as route
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework import serializers
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth

from stapel_agent.schemas.function_schemas import function_schema
from stapel_agent.serializers import _described
from stapel_agent.views import CompleteView
from tests.image_samples import PNG_DATA

pytestmark = pytest.mark.any_database

PATHS = {f"/agent/api/{version}llm/{verb}" for version in ("", "v1/") for verb in ("complete", "translate")}


@pytest.fixture(scope="module")
def document():
    """The OpenAPI document of the test host, with only our paths."""
    generated = SchemaGenerator().get_schema(request=None, public=True)
    return {**generated, "paths": {path: item for path, item in generated["paths"].items() if path in PATHS}}


def body(document, path):
    return document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]


def resolved(document, schema):
    name = schema.get("$ref", "").rpartition("/")[2]
    return document["components"]["schemas"][name] if name else schema


def test_document__paths(document):
    """Both verbs are at both mounts, each with its own operation id."""
    assert document["paths"].keys() == PATHS
    operations = [item["post"]["operationId"] for item in document["paths"].values()]
    assert len(set(operations)) == len(operations)


@pytest.mark.parametrize("path", sorted(PATHS))
def test_document__request(document, path):
    """The request is the function's schema in OpenAPI 3.0, with `from` for `from_lang` and the host's sizes."""
    described = resolved(document, body(document, path))
    verb = path.rpartition("/")[2]
    properties = _described(function_schema(f"llm.{verb}")["properties"])
    assert "propertyNames" not in str(properties)
    if verb == "translate":
        properties = {"from": properties["from_lang"], **properties}
    assert document["components"]["schemas"]["ModelEnum"]["enum"] == ["small", "medium", "large"]
    enums = {name: described["properties"][name] for name in ("model", "format") if name in properties}
    assert described["properties"] == {**properties, **enums}  # drf-spectacular makes components of enums
    assert described["additionalProperties"] is False


@pytest.mark.parametrize("path", sorted(PATHS))
def test_document__answers(document, path):
    """Success and every error are described."""
    assert set(document["paths"][path]["post"]["responses"]) == {
        *("200", "400", "401", "403", "406", "409", "413", "415")
    }


@pytest.mark.parametrize("path", sorted(PATHS))
def test_document__credentials(document, path):
    """A service's key, or staff's token or session: any one of them is enough."""
    schemes = document["components"]["securitySchemes"]
    named = [schemes[name] for requirement in document["paths"][path]["post"]["security"] for name in requirement]
    assert {"X-API-KEY", "stapel_jwt", "sessionid"} <= {scheme.get("name") for scheme in named}


def test_document__valid(tmp_path):
    """The document is valid, and generating our part of it raises no warning."""
    options = {"urlconf": "stapel_agent.urls", "validate": True, "fail_on_warn": True}
    call_command("spectacular", file=str(tmp_path / "openapi.yaml"), **options)
    assert "/v1/llm/complete:" in (tmp_path / "openapi.yaml").read_text(encoding="utf-8")


class TersePayloadSerializer(serializers.Serializer):
    prompt = serializers.CharField()


class TerseAnswerSerializer(serializers.Serializer):
    brief = serializers.CharField()


class TerseCompleteView(CompleteView):
    request_serializer_class = TersePayloadSerializer
    response_serializer_class = TerseAnswerSerializer


def test_document__swapped_serializers():
    """A host's subclass of a view is described by the host's serializers."""
    patterns = [route("api/terse", TerseCompleteView.as_view())]
    terse = SchemaGenerator(patterns=patterns).get_schema(request=None, public=True)
    answer = terse["paths"]["/api/terse"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    described = [resolved(terse, schema)["properties"].keys() for schema in (body(terse, "/api/terse"), answer)]
    assert described == [{"prompt"}, {"brief"}]


@pytest.mark.django_db
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("verb", ["complete", "translate"])
def test_description__holds(document, verb, mode, scripted_model):
    """Requests made up from the description, valid and invalid, get the answers that it promises at both mounts."""
    schema = schemathesis.openapi.from_dict(document)
    schema.app = get_wsgi_application()

    def has_one_key(case):
        return not (case.headers and "idempotency_key" in (case.body if isinstance(case.body, dict) else {}))

    statuses = set()
    mounts = [schema[path]["POST"] for path in sorted(PATHS) if path.endswith(verb)]
    assert len(mounts) == 2
    cases = st.one_of([operation.as_strategy(generation_mode=mode) for operation in mounts])

    @given(case=cases.filter(has_one_key))
    @settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def holds(case):
        if mode is GenerationMode.POSITIVE and case.body.get("images"):
            case.body["images"] = [PNG_DATA for image in case.body["images"]]  # no schema can say what an image is
        # Its probe with other credentials keeps the valid key, which is enough on its own.
        key = {"X-API-KEY": django_settings.SERVICE_API_KEY}
        statuses.add(case.call_and_validate(headers=key, excluded_checks=[ignored_auth]).status_code)

    holds()
    assert (200 if mode is GenerationMode.POSITIVE else 400) in statuses
