"""OpenAPI describes the endpoints truly: schemathesis believes it, and tries."""

import pytest
import schemathesis
from django.conf import settings as django_settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth

from stapel_agent.contracts import function_schema

PATHS = {f"/agent/api/{version}llm/{verb}" for version in ("", "v1/") for verb in ("complete", "translate")}


@pytest.fixture(scope="module")
def document():
    """The OpenAPI document of the test host, our paths alone."""
    generated = SchemaGenerator().get_schema(request=None, public=True)
    return {**generated, "paths": {path: item for path, item in generated["paths"].items() if path in PATHS}}


def body(document, path):
    return document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]


def resolved(document, schema):
    name = schema.get("$ref", "").rpartition("/")[2]
    return document["components"]["schemas"][name] if name else schema


def test_document__paths(document):
    """Both verbs at both mounts, each operation with an id of its own."""
    assert document["paths"].keys() == PATHS
    operations = [item["post"]["operationId"] for item in document["paths"].values()]
    assert len(set(operations)) == len(operations)


@pytest.mark.parametrize("path", sorted(PATHS))
def test_document__request(document, path):
    """The request is the function's own schema, with `from` for `from_lang` and the host's sizes named."""
    described = resolved(document, body(document, path))
    verb = path.rpartition("/")[2]
    properties = function_schema(f"llm.{verb}")["properties"]
    if verb == "translate":
        properties = {"from": properties["from_lang"], **properties}
    else:
        assert document["components"]["schemas"]["ModelEnum"]["enum"] == ["small", "medium", "large"]
        properties = {**properties, "model": described["properties"]["model"]}
    assert described["properties"] == properties
    assert described["additionalProperties"] is False


@pytest.mark.parametrize("path", sorted(PATHS))
def test_document__answers(document, path):
    """Success, and each refusal, is described."""
    assert set(document["paths"][path]["post"]["responses"]) == {"200", "400", "401", "403", "413"}


def test_document__valid(tmp_path, capsys):
    """The document validates, and generating it warns of nothing that is ours."""
    call_command("spectacular", "--file", str(tmp_path / "openapi.yaml"), "--validate")
    assert "stapel_agent" not in capsys.readouterr().err


@pytest.mark.django_db
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("path", sorted(PATHS))
def test_description__holds(document, path, mode, scripted_model):
    """Requests made up from the description, right ones and wrong ones, get the answers that it promises."""
    schema = schemathesis.openapi.from_dict(document)
    schema.app = get_wsgi_application()

    @given(case=schema[path]["POST"].as_strategy(generation_mode=mode))
    @settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def holds(case):
        # Its probe of the other credentials keeps the valid key, which is enough by itself.
        case.call_and_validate(headers={"X-API-KEY": django_settings.SERVICE_API_KEY}, excluded_checks=[ignored_auth])

    holds()
