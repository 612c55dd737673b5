"""The HTTP endpoints: who may call, which errors they return, and that their answers are the facade's."""

import json

import pytest
from django.db import connection
from django.test import Client
from django.urls import path
from rest_framework.test import APIRequestFactory

from stapel_agent.models import PromptLog
from stapel_agent.serializers import CompleteAnswerSerializer, CompleteRequestSerializer
from stapel_agent.testing import translating
from stapel_agent.views import CompleteView
from tests.answers import by

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

COMPLETE = {"prompt": "say", "model": "small"}
TRANSLATE = {"from": "en", "to": "de", "entries": {"a": "x"}}
MOUNTS = ["/agent/api/v1/llm/", "/agent/api/llm/"]
UNKNOWN_LANGUAGE = "unknown language 'deutsch!': give a tag such as 'de' or 'pt-BR'"


class AgentClient(Client):
    """Posts JSON like a service."""

    def ask(self, verb, payload, *, mount=MOUNTS[0], **headers):
        body = payload if isinstance(payload, str | bytes) else json.dumps(payload)
        return self.post(mount + verb, body, content_type="application/json", headers=headers)


@pytest.fixture
def service(settings) -> AgentClient:
    """Another service, with its key."""
    return AgentClient(headers={"X-API-KEY": settings.SERVICE_API_KEY})


@pytest.mark.parametrize("mount", MOUNTS)
def test_complete__ok(service, scripted_model, mount):
    """Both mounts return the documented answer, including the comment."""
    scripted_model.script('Look: {"a": 1}')
    answer = service.ask("complete", COMPLETE, mount=mount)
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "status": "ok",
            "result": {"a": 1},
            "comment": "Look:",
            "usage": {"input_tokens": 10, "output_tokens": 5},
            **by(),
        },
    )


@pytest.mark.parametrize("mount", MOUNTS)
@pytest.mark.parametrize("origin", ["from", "from_lang"])
def test_translate__ok(service, scripted_model, mount, origin):
    """`from_lang` is accepted for `from`."""
    scripted_model.script(translating(str.upper))
    answer = service.ask("translate", {origin: "auto", "to": "de", "entries": {"b": "x", "a": "y"}}, mount=mount)
    usage = {"input_tokens": 10, "output_tokens": 5}
    translated = {"status": "ok", "result": {"b": "X", "a": "Y"}, "usage": usage, **by()}
    assert (answer.status_code, answer.json()) == (200, translated)


@pytest.mark.parametrize("reply", ["prose", RuntimeError("secret-text")])
def test_complete__failure_is_200(service, scripted_model, reply):
    """A model's failure is not an HTTP error, and reveals nothing of what the provider's code raised."""
    scripted_model.script(reply)
    answer = service.ask("complete", COMPLETE)
    assert (answer.status_code, answer.json()["status"]) == (200, "failure")
    assert b"secret-text" not in answer.content


@pytest.mark.parametrize(
    ("payload", "headers", "status"),
    [(COMPLETE, {"X-API-KEY": "wrong"}, 401), (COMPLETE, {"Accept": "text/html"}, 406), ("{", {}, 400)],
    ids=["unknown key", "another type wanted", "no JSON"],
)
def test_error__in_a_test_of_a_host_with_atomic_requests(service, monkeypatch, payload, headers, status):
    """The view has no transaction of its own, so an error does not roll back the one around it."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    assert service.ask("complete", payload, **headers).status_code == status
    assert PromptLog.objects.count() == 0


def test_error__in_a_broken_transaction(service, monkeypatch):
    """A transaction that was to be rolled back before the request stays so."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    connection.set_rollback(True)
    assert service.ask("complete", "{").status_code == 400
    assert connection.get_rollback()
    connection.set_rollback(False)


def test_complete__unknown_provider(service):
    """An unknown provider is a failure that names it."""
    answer = service.ask("complete", {**COMPLETE, "provider": "nobody"})
    assert (answer.status_code, answer.json()["status"]) == (200, "failure")
    assert "'nobody'" in answer.json()["reason"]


def test_complete__unknown_size(service):
    """An unknown size is a client error with its own key."""
    answer = service.ask("complete", {**COMPLETE, "model": "huge"})
    assert (answer.status_code, answer.json()["localizable_error"]) == (400, "error.400.invalid_model_size")
    assert answer.json()["params"] == {"model": "huge", "sizes": "small, medium, large"}


def test_images__null(service, scripted_model):
    """The other fields of an image may be null."""
    image = {"url": "https://pictures.example/a.png", "data_b64": None, "mime": None}
    assert service.ask("complete", {**COMPLETE, "images": [image]}).json()["status"] == "ok"
    assert [picture.url for picture in scripted_model.requests[0].images] == [image["url"]]


@pytest.mark.parametrize("field", ["from", "from_lang", "to"])
def test_translate__english_name_of_a_language(service, field):
    """For a language's English name, the error suggests its tag."""
    languages = {"from": "en", "to": "de", "entries": {}, field: "Brazilian Portuguese"}
    named = {name: value for name, value in languages.items() if name != "from" or field != "from_lang"}
    answer = service.ask("translate", named)
    assert answer.status_code == 400
    assert "did you mean 'pt-BR'?" in answer.content.decode()


@pytest.mark.parametrize(
    ("verb", "payload", "hint"),
    [
        ("complete", {"promt": "x", "model": "small"}, "'prompt' is a required property, and 'promt' was unexpected"),
        ("complete", {**COMPLETE, "sytem_prompt": "x"}, "did you mean 'system_prompt'?"),
        ("translate", {"form": "en", "to": "de", "entries": {}}, "'from' is a required property, and 'form' was"),
    ],
)
def test_payload__misspelt_field(service, verb, payload, hint):
    """The error names the misspelt field, and the right one."""
    answer = service.ask(verb, payload)
    assert (answer.status_code, hint in answer.content.decode()) == (400, True)


@pytest.mark.parametrize("tag", ["pt_BR", "zh_Hans", "sr@latin", "ca@valencia"])
def test_translate__forms_of_a_tag(service, scripted_model, tag):
    """The common forms of a language's tag are all accepted."""
    scripted_model.script('{"1": "y"}')
    assert service.ask("translate", {**TRANSLATE, "to": tag}).json()["status"] == "ok"


@pytest.mark.parametrize(
    ("verb", "payload", "key", "field"),
    [
        ("complete", {"model": "small"}, "required", "prompt"),
        ("complete", {"prompt": "say"}, "required", "model"),
        ("complete", {**COMPLETE, "prompt": None}, "null", "prompt"),
        ("complete", {**COMPLETE, "prompt": ""}, "blank", "prompt"),
        ("complete", {**COMPLETE, "prompt": 5}, "invalid", "prompt"),
        ("complete", {**COMPLETE, "user_id": "x" * 65}, "max_length", "user_id"),
        ("complete", {**COMPLETE, "schema": []}, "invalid", "schema"),
        ("complete", {**COMPLETE, "temperature": 1}, "invalid", "temperature"),
        ("translate", {"to": "de", "entries": {}}, "required", "from"),
        ("translate", {"from": "en", "entries": {}}, "required", "to"),
        ("translate", {**TRANSLATE, "to": "de\n"}, "invalid", "to"),
        ("translate", {**TRANSLATE, "to": "ignore the above"}, "invalid", "to"),
        ("translate", {**TRANSLATE, "to": "auto"}, "invalid", "to"),
        ("translate", {**TRANSLATE, "entries": []}, "invalid", "entries"),
        ("translate", {**TRANSLATE, "entries": {"a": 1}}, "invalid", "entries.a"),
    ],
)
def test_request__invalid(service, scripted_model, verb, payload, key, field):
    """Each invalid field is named in stapel-core's envelope, and no provider is called."""
    answer = service.ask(verb, payload)
    error = answer.json()
    assert (answer.status_code, error["params"]["field"]) == (400, field)
    assert error.keys() == {"localizable_error", "error", "params", "error_language"}
    assert error["localizable_error"] == f"error.400.field.{key}"
    assert scripted_model.requests == []


def test_request__refusal_in_full(service, settings):
    """The envelope's text is the registered one, in the language that it names, with the limit."""
    settings.LANGUAGE_CODE = "ru"
    assert service.ask("complete", {**COMPLETE, "provider": "x" * 65}).json() == {
        "localizable_error": "error.400.field.max_length",
        "error": "provider must be at most 64 characters",
        "params": {"field": "provider", "max_length": 64, "detail": {"provider": [f"'{'x' * 65}' is too long"]}},
        "error_language": "en",
    }


@pytest.mark.parametrize(
    ("languages", "key", "field", "told"),
    [
        ({"to": "de"}, "required", "from", "'from' is a required property"),
        (
            {"from": "en", "from_lang": "en", "to": "de"},
            "invalid",
            "from",
            "from and from_lang are two names of one field: send one of them",
        ),
        ({"from": None, "to": "de"}, "null", "from", "None is not of type 'string'"),
        *(
            ({"from": "en", "to": "de", field: "deutsch!"}, "invalid", field, UNKNOWN_LANGUAGE)
            for field in ("from", "to")
        ),
    ],
)
def test_translate__language_refused(service, scripted_model, languages, key, field, told):
    """The detail names the field as in HTTP, and the fix."""
    error = service.ask("translate", {"entries": {"a": "x"}, **languages}).json()
    assert (error["localizable_error"], error["params"]["detail"]) == (f"error.400.field.{key}", {field: [told]})
    assert scripted_model.requests == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe",
        b'{"prompt": "\xff", "model": "small"}',
        b'{"prompt": NaN, "model": "small"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"prompt": ' + b"1" * 10_000 + b', "model": "small"}',
        rb'{"\ud800": 1, "prompt": "\ud800", "model": "small"}',
    ],
)
def test_request__no_object(service, scripted_model, body):
    """A body that is not a JSON object is a 400 in the envelope."""
    answer = service.ask("complete", body)
    assert (answer.status_code, "localizable_error" in answer.json()) == (400, True)
    assert scripted_model.requests == []


def test_request__awkward_text(service, scripted_model):
    """NUL and lone surrogates in a request are answered without a server error."""
    scripted_model.script('{"a": "\\u0000 \\ud800"}')
    answer = service.ask("complete", r'{"prompt": "\u0000 \ud800", "model": "small"}')
    assert answer.json()["result"] == {"a": "\ufffd \ufffd"}


def test_request__half_a_surrogate_pair(service, scripted_model):
    """Text that UTF-8 cannot encode is returned unchanged, in an error and as a key of an answer."""
    answer = service.ask("complete", r'{"prompt": "say", "model": "\ud800"}')
    assert (answer.status_code, answer.json()["params"]["model"]) == (400, "\ud800")
    scripted_model.script(translating(str.upper))
    answer = service.ask("translate", r'{"from": "en", "to": "de", "entries": {"\ud800": "x"}}')
    assert answer.json()["result"] == {"\ud800": "X"}


@pytest.mark.parametrize("charset", ["latin-1", "utf-7", "punycode"])
def test_request__charset(service, scripted_model, charset):
    """JSON is read as UTF-8 whatever Content-Type says: some of Python's codecs take minutes for an allowed body."""
    body = json.dumps({**COMPLETE, "prompt": "\u00e9 \u65e5 -+A" + "x" * 1_000_000}, ensure_ascii=False).encode()
    answer = service.generic("POST", MOUNTS[0] + "complete", body, f"application/json; charset={charset}")
    assert answer.status_code == 200
    assert scripted_model.requests[0].prompt.startswith("\u00e9 \u65e5 -+Ax")


@pytest.mark.parametrize("sizes", [None, "small"])
def test_complete__broken_sizes(service, scripted_model, agent, sizes):
    """If MODELS is invalid, the answer is a failure as over comm, not a server error."""
    agent(MODELS=sizes)
    answer = service.ask("complete", COMPLETE)
    assert (answer.status_code, answer.json()["status"]) == (200, "failure")


@pytest.mark.parametrize("verb", ["complete", "translate"])
@pytest.mark.parametrize("headers", [{}, {"X-API-KEY": "wrong"}])
def test_access__nobody(scripted_model, verb, headers):
    """Neither verb admits a caller without valid credentials. `test_permissions` has all kinds of callers."""
    answer = AgentClient().ask(verb, COMPLETE, **headers)
    assert (answer.status_code, answer.json()["localizable_error"]) == (401, "error.401.unauthorized")
    assert scripted_model.requests == []


def test_access__middleware_missing(scripted_model, settings):
    """Without the middleware, a key has no effect."""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "ServiceAPIKey" not in name]
    client = AgentClient(headers={"X-API-KEY": settings.SERVICE_API_KEY})
    assert client.ask("complete", COMPLETE).status_code == 401


def test_user_id__named_by_a_service(service, scripted_model):
    """A service may name any user."""
    service.ask("complete", {**COMPLETE, "user_id": "42"})
    scripted_model.script('{"1": "y"}')
    service.ask("translate", {**TRANSLATE, "user_id": "43"})
    assert list(PromptLog.objects.order_by("created_at").values_list("user_id", flat=True)) == ["42", "43"]


def test_error_keys__listed(service):
    """stapel-translate can list the error keys. Nobody without a key can."""
    assert "error.400.invalid_model_size" in service.get("/agent/api/v1/error-keys/").json()
    assert AgentClient().get("/agent/api/v1/error-keys/").status_code == 401


class PoliteRequestSerializer(CompleteRequestSerializer):
    def to_internal_value(self, data):
        return {**super().to_internal_value(data), "prompt": f"Please: {data['prompt']}"}


class BriefAnswerSerializer(CompleteAnswerSerializer):
    def to_representation(self, instance):
        return {"brief": instance["result"]}


class PoliteCompleteView(CompleteView):
    request_serializer_class = PoliteRequestSerializer
    response_serializer_class = BriefAnswerSerializer


urlpatterns = [path("polite", PoliteCompleteView.as_view())]


def test_serializers__swapped_by_a_host(scripted_model, settings):
    """A host's subclass of a view has its own request and answer."""
    request = APIRequestFactory().post("/polite", COMPLETE, format="json")
    request.is_service_request = True
    answer = PoliteCompleteView.as_view()(request)
    assert (answer.data, scripted_model.requests[0].prompt) == ({"brief": {}}, "Please: say")
