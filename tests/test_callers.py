"""Facts about the caller are the same over comm and HTTP, in the row, and in the answer."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.utils import timezone
from stapel_core.comm import call
from stapel_core.comm.exceptions import SchemaValidationError
from stapel_core.django.jwt.provider import jwt_provider

from stapel_agent import services
from stapel_agent.exceptions import IdempotencyConflict, InvalidRequest, ProviderUnusable
from stapel_agent.models import IdempotencyRecord, PromptLog
from stapel_agent.schemas.function_schemas import function_schema
from stapel_agent.testing import translating

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

URL = "/agent/api/v1/llm/"
COMPLETE = {"prompt": "say", "model": "small"}
TRANSLATE = {"from_lang": "en", "to": "de", "entries": {"a": "x"}}
BASE = {"llm.complete": COMPLETE, "llm.translate": TRANSLATE}

ID = (["1", "x" * 64, "\x00", "ключ"], ["", "x" * 65, 7, [], True])
CONTEXT = (
    [{}, {"run": 1}, {"": ""}, {"stage": "x" * 256}, {"k" * 64: -(2**53) + 1}, {str(n): n for n in range(16)}],
    [
        *({"run": None}, {"run": True}, {"run": 1.5}, {"run": []}, {"run": {"a": 1}}, {"run": 2**53}),
        *({"stage": "x" * 257}, {"k" * 65: 1}, {str(n): n for n in range(17)}, [], [["run", 1]], 7),
    ],
)
EFFORT = (["none", "max"], ["", "High", 7, ["low"]])
CALLER = {
    "user_id": ID,
    "workspace_id": ID,
    "context": CONTEXT,
    "idempotency_key": (["k", "k" * 255, "\x00", " ", "ключ"], ["", "k" * 256, 7, ["k"]]),
}
CORPUS: dict[str, dict[str, tuple[list[Any], list[Any]]]] = {
    "llm.complete": {
        "prompt": (["say", "\x00", "x" * 100_000], ["", None, 7, ["say"]]),
        "model": (["small", "large"], ["", None, 7]),
        "provider": (["anthropic", "nobody", "x" * 64], ["", "x" * 65, 7]),
        "system_prompt": (["", "s"], [7]),
        "schema": ([{}, {"type": "object"}, {"type": "nonsense"}], [[], "text", True]),
        "images": ([[], [{"url": "https://example.com/a.png"}]], [{}, [{}], [{"url": 7}], [{"url": "u"}] * 21]),
        "max_tokens": ([1, 4096, 10**9, 5.0], [0, -1, 1.5, "5", True, [5]]),
        "effort": EFFORT,
        **CALLER,
    },
    "llm.translate": {
        "from_lang": (["auto", "en", "pt_BR"], ["", "english please", None, 7, "en\n"]),
        "to": (["de", "zh-Hant"], ["auto", "", None, 7, "de\n"]),
        "entries": ([{}, {"a": "x"}, {"": ""}, {"a": {"text": "x"}}], [None, [], {"a": None}, {"a": 1}, {"a": {}}]),
        "model": (["small", "large"], ["", 7]),
        "provider": (["anthropic", "nobody", "x" * 64], ["", "x" * 65, 7]),
        "glossary": (
            [{}, {"a": "b"}, {"": ""}],
            [[], {"a": 1}, {"a": "x" * 201}, {str(n): "" for n in range(501)}],
        ),
        "format": (["icu", "none"], ["", "ICU", 7, ["icu"]]),
        "protect": ([[], ["@[a-z]+"]], ["@", [""], [7], ["x" * 201], ["x"] * 21]),
        "effort": EFFORT,
        **CALLER,
        "context": (["", "a sentence", *CONTEXT[0]], ["x" * 2001, *CONTEXT[1]]),
    },
}
REQUIRED = {"prompt", "model"}, {"from_lang", "to", "entries"}
"""Of each function. Other fields may be null, which is the same as leaving them out."""
CASES = [
    pytest.param(name, field, value, accepted, id=f"{name}-{field}-{str(value)[:20]!a}-{accepted}")
    for (name, fields), required in zip(CORPUS.items(), REQUIRED, strict=True)
    for field, (valid, invalid) in fields.items()
    for accepted, values in ((True, valid if field in required else [*valid, None]), (False, invalid))
    for value in values
]


@pytest.fixture
def service(settings) -> Client:
    """Another service, with its key."""
    return Client(headers={"X-API-KEY": settings.SERVICE_API_KEY})


def post(client: Client, verb: str, payload: Any, **headers: str) -> Any:
    return client.post(URL + verb, json.dumps(payload), content_type="application/json", headers=headers)


def over_comm(name: str, payload: dict[str, Any]) -> bool:
    """Whether comm accepts the payload."""
    try:
        return bool(call(name, payload)["status"])
    except SchemaValidationError:
        return False


def over_http(service: Client, name: str, payload: dict[str, Any]) -> bool:
    """Whether HTTP accepts the payload."""
    answer = post(service, name.removeprefix("llm."), payload)
    assert answer.status_code in {200, 400}, answer.content
    return bool(answer.status_code == 200)


@pytest.mark.parametrize(("name", "field", "value", "accepted"), CASES)
def test_surfaces__agree(service, scripted_model, name, field, value, accepted):
    """Both surfaces accept and refuse the same values, for each field of each function."""
    payload = {**BASE[name], field: value}
    assert [over_comm(name, payload), over_http(service, name, payload)] == [accepted, accepted]


@pytest.mark.parametrize("name", BASE)
def test_surfaces__every_field_is_compared(name):
    """The comparison covers every field."""
    assert CORPUS[name].keys() == function_schema(name)["properties"].keys()


@pytest.mark.parametrize("name", BASE)
def test_surfaces__a_required_or_unknown_field(service, scripted_model, name):
    """Both refuse missing and unknown fields."""
    for field in function_schema(name)["required"]:
        payload = {key: value for key, value in BASE[name].items() if key != field}
        assert [over_comm(name, payload), over_http(service, name, payload)] == [False, False]
    payload = {**BASE[name], "caller": "somebody else"}
    assert [over_comm(name, payload), over_http(service, name, payload)] == [False, False]


def test_row__attribution(facade, scripted_model):
    """The row has the caller, the purpose and the provider of the call in columns."""
    context = {"recording_id": "r1", "attempt": 2}
    facade.complete_json("say", "small", user_id="u", workspace_id="w", context=context, metadata={"ticket": 9})
    row = PromptLog.objects.get()
    assert (row.user_id, row.workspace_id, row.provider) == ("u", "w", "anthropic")
    assert row.metadata == {"provider": "anthropic", "ticket": 9, "context": context}


def test_row__surfaces(service, scripted_model):
    """The row is the same over comm and over HTTP."""
    told = {"user_id": "u", "workspace_id": "w", "context": {"run": 1, "stage": "\x00"}, "max_tokens": 9}
    call("llm.complete", {**COMPLETE, **told})
    post(service, "complete", {**COMPLETE, **told})
    rows = PromptLog.objects.values("user_id", "workspace_id", "metadata")
    assert (
        list(rows)
        == [
            {
                "user_id": "u",
                "workspace_id": "w",
                "metadata": {"provider": "anthropic", "context": {"run": 1, "stage": "\ufffd"}},
            }
        ]
        * 2
    )
    assert [request.max_tokens for request in scripted_model.requests] == [9, 9]


@pytest.mark.parametrize(("wish", "sent"), [(None, 50), (7, 7), (7.0, 7), (50, 50), (51, 50), (10**400, 50)])
def test_max_tokens__lowers_the_cap(facade, scripted_model, agent, wish, sent):
    """A caller may ask for less than MAX_TOKENS, and never gets more."""
    agent(MAX_TOKENS=50)
    facade.complete("say", "small", max_tokens=wish)
    (request,) = scripted_model.requests
    assert (request.max_tokens, type(request.max_tokens)) == (sent, int)


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        (0, "0"),
        (-1, "-1"),
        (1.5, "1.5"),
        ("5", "'5'"),
        (True, "True"),
        (float("nan"), "nan"),
        ([], "a value of the type list"),
        (-(10**400), "a value of the type int"),
    ],
)
def test_max_tokens__invalid(facade, scripted_model, wish, told):
    """A value that is not a whole number from 1 is refused by its name, with the fix."""
    answer = facade.complete("say", "small", max_tokens=wish)
    rule = "The most tokens in the answer, a whole number of at least 1."
    assert answer["reason"].startswith(f"rejected: max_tokens is invalid ({told}): {rule}")
    assert scripted_model.requests == []


@pytest.mark.parametrize("context", [{"a": None}, {"a": object()}, {1: "a"}, {"a": 2**60}, "text", ["a"], {"a": [1]}])
def test_context__invalid(facade, scripted_model, context):
    """Python refuses what the schema refuses."""
    answer = facade.complete("say", "small", context=context)
    assert answer["reason"].startswith("rejected: context is invalid: What the call is for")
    assert scripted_model.requests == []


def test_cache__another_max_tokens(facade, scripted_model, agent):
    """An answer is not reused with another cap. Context and workspace do not matter to a shared one."""
    agent(CACHE_LOOKUP={"llm_facade": True}, CACHE_SCOPE={"llm_facade": "shared"})
    facade.complete("say", "small", max_tokens=7)
    facade.complete("say", "small")
    facade.complete("say", "small", context={"run": 1}, workspace_id="w", user_id="u")
    assert len(scripted_model.requests) == 2


def test_cache__scope_workspace(facade, scripted_model, agent):
    """An answer is reused within its workspace, by all its users, and in no other."""
    agent(CACHE_LOOKUP={"llm_facade": True}, CACHE_SCOPE={"llm_facade": "workspace"})
    for workspace_id, user_id in (("1", "a"), ("1", "b"), ("2", "a"), (None, "1"), (None, "2")):
        facade.complete("say", "small", workspace_id=workspace_id, user_id=user_id)
    assert [row.workspace_id for row in PromptLog.objects.order_by("created_at")] == ["1", "2", None]


@pytest.mark.parametrize("payload", [COMPLETE, {**COMPLETE, "provider": "nobody"}])
def test_http__request_id(service, scripted_model, payload):
    """The answer's request id is also a header, if there is one. The ledger's rows have it."""
    answer = post(service, "complete", payload)
    assert answer.headers.get("X-Request-ID") == answer.json().get("request_id")
    assert [str(row.request_id) for row in PromptLog.objects.all()] == [
        answer.json()["request_id"] for _ in scripted_model.requests
    ]


def test_http__request_id_of_a_failure(service, scripted_model):
    """A provider's failure has a request id too."""
    scripted_model.script("prose")
    answer = post(service, "complete", COMPLETE)
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"] == str(PromptLog.objects.get().request_id)


@pytest.mark.parametrize("fault", [InvalidRequest("no"), ProviderUnusable("no"), ValueError("no")])
def test_failure__request_id(facade, scripted_model, fault):
    """Whatever a provider raises, the failure has the request id of its row. A rejected request has none."""
    scripted_model.script(fault)
    assert facade.complete("say", "small")["request_id"] == str(PromptLog.objects.get().request_id)
    assert "request_id" not in facade.complete("say", "huge")
    assert "request_id" not in facade.complete("say", "small", provider="nobody")


@pytest.mark.parametrize("as_header", [True, False])
def test_http__idempotency_key(service, scripted_model, as_header):
    """With the same key in the header or the body, the answer is the same. Another payload gets 409."""
    scripted_model.script('{"n": 1}', '{"n": 2}')
    body, headers = ({}, {"Idempotency-Key": "k"}) if as_header else ({"idempotency_key": "k"}, {})
    first, second = (post(service, "complete", {**COMPLETE, **body}, **headers) for _ in range(2))
    assert first.json() == second.json()
    assert first.headers["X-Request-ID"] == second.headers["X-Request-ID"]
    refused = post(service, "complete", {**COMPLETE, **body, "prompt": "other"}, **headers)
    assert (refused.status_code, refused.json()["localizable_error"]) == (409, "error.409.idempotency_conflict")
    assert len(scripted_model.requests) == 1


def test_http__idempotency_key_in_both(service, scripted_model):
    """Header and field are one key, in any script. If they differ, the request is refused."""
    scripted_model.script(translating(str.upper))
    for payload, headers in (
        ({"idempotency_key": "ключ"}, {}),
        ({}, {"Idempotency-Key": "ключ".encode().decode("latin-1")}),
        ({"idempotency_key": "ключ"}, {"Idempotency-Key": "ключ".encode().decode("latin-1")}),
    ):
        assert post(service, "translate", {**TRANSLATE, **payload}, **headers).status_code == 200
    assert len(scripted_model.requests) == 1
    refused = post(service, "translate", {**TRANSLATE, "idempotency_key": "a"}, **{"Idempotency-Key": "b"})
    assert (refused.status_code, refused.json()["localizable_error"]) == (400, "error.400.idempotency_keys_differ")


@pytest.mark.parametrize(("key", "code"), [("", "blank"), ("k" * 256, "max_length")])
def test_http__idempotency_key_invalid(service, scripted_model, key, code):
    """An invalid header is refused by its name."""
    refused = post(service, "complete", COMPLETE, **{"Idempotency-Key": key})
    error = refused.json()
    assert (refused.status_code, error["localizable_error"]) == (400, f"error.400.field.{code}")
    assert error["params"]["field"] == "Idempotency-Key"
    assert scripted_model.requests == []


def test_http__idempotency_key_of_another_service(scripted_model, settings):
    """Each service has its own keys, whatever it says about its users, and so has each member of staff."""
    settings.SERVICE_API_KEY = ""
    settings.SERVICE_API_KEYS = {"search": "key-of-search", "billing": "key-of-billing"}
    people = [get_user_model().objects.create_user(username=name, is_staff=True) for name in "ab"]
    credentials = [{"X-API-KEY": "key-of-search"}, {"X-API-KEY": "key-of-billing"}]
    credentials += [{"Authorization": f"Bearer {jwt_provider.create_tokens(person)[0]}"} for person in people]
    for headers in credentials * 2:
        assert post(Client(), "complete", {**COMPLETE, "idempotency_key": "k"}, **headers).status_code == 200
    call("llm.complete", {**COMPLETE, "idempotency_key": "k"})
    assert (len(scripted_model.requests), IdempotencyRecord.objects.count()) == (5, 5)


def test_http__a_person_cannot_claim_another(scripted_model):
    """Staff always ask as themselves, also with a key. They may name the workspace."""
    person = get_user_model().objects.create_user(username="a", is_staff=True)
    token = jwt_provider.create_tokens(person)[0]
    payload = {**COMPLETE, "user_id": str(uuid.uuid4()), "workspace_id": "w"}
    assert post(Client(), "complete", payload, Authorization=f"Bearer {token}").status_code == 200
    row = PromptLog.objects.get()
    assert (row.user_id, row.workspace_id) == (str(person.pk), "w")


def test_python__conflict_is_a_failure_without_a_caller(facade, scripted_model):
    """The conflict is raised only if the edge names the caller."""
    facade.complete("say", "small", idempotency_key="k")
    assert facade.complete("other", "small", idempotency_key="k")["status"] == "failure"
    facade.complete("say", "small", idempotency_key="k", caller="edge")
    with pytest.raises(IdempotencyConflict):
        facade.complete("other", "small", idempotency_key="k", caller="edge")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the others read a small table from end to end")
@pytest.mark.parametrize("column", ["user_id", "workspace_id"])
def test_rows__of_one_tenant_over_a_period(column):
    """An index finds these rows in order of time."""
    period = {"created_at__gte": timezone.now() - timedelta(days=30), "created_at__lt": timezone.now()}
    plan = PromptLog.objects.filter(**{column: "w"}, **period).order_by("-created_at").explain()
    assert f"USING INDEX agent_{column.removesuffix('_id')}_created_idx ({column}=? AND created_at>? AND" in plan
    assert "TEMP B-TREE" not in plan


def test_cache_scope__a_translation_stays_in_its_workspace(agent, scripted_model):
    """By default, workspaces do not share wordings. Callers without a workspace share theirs."""
    scripted_model.script(*(translating(lambda text, n=n: f"{text} {n}") for n in "abc"))
    asked = [("evil", "1"), ("evil", "2"), ("acme", "1"), (None, "1"), (None, None), ("acme", "3")]
    answers = [
        services.translate("en", "de", {"k": "word"}, workspace_id=workspace, user_id=user)["result"]["k"]
        for workspace, user in asked
    ]
    assert answers == ["word a", "word a", "word b", "word c", "word c", "word b"]


def test_cache_scope__a_user_is_one_of_a_workspace(agent, scripted_model):
    """The same user id in another workspace is another user."""
    agent(CACHE_LOOKUP={"llm_facade": True})
    scripted_model.script("one", "two", "three")
    asked = [("a", "7"), ("b", "7"), ("a", "7"), (None, "7"), ("b", "7")]
    answers = [services.complete("say", "small", workspace_id=w, user_id=u)["result"] for w, u in asked]
    assert answers == ["one", "two", "one", "three", "two"]
