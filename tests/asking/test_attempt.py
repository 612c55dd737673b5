"""An answer is complete, not empty, and has the requested form. Everything else is a failure."""

import pytest

from stapel_agent.models import PromptLog
from stapel_agent.providers.base import ProviderResult
from tests.providers.message_stream import MESSAGE_STOP, message_delta, message_start, stream, text_block
from tests.scripted_chain import asked, scripted_chain
from tests.scripted_server import Reply, ScriptedServer

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def finished(word, text="half"):
    return ProviderResult(text, 10, 5, finish_reason=word)


# --- finish reasons


@pytest.mark.parametrize("word", ["stop", "STOP", "end_turn", "eos", "COMPLETE", "", None])
def test_finish_reason__complete(facade, agent, word):
    """A finish reason for a complete answer, or none, accepts any text."""
    scripted_chain(agent, only=finished(word, "whole"))
    assert facade.complete("say", "small")["result"] == "whole"


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        *((word, "truncated at 5 tokens") for word in ("length", "model_length", "MAX_TOKENS", "max_output_tokens")),
        *(
            (word, "refused: the model, or its vendor's content filter, refused to answer")
            for word in ("content_filter", "safety", "RECITATION", "PROHIBITED_CONTENT", "refusal")
        ),
        ("cancelled", "invalid_answer: the provider interrupted the answer: cancelled"),
        ("error", "invalid_answer: the provider interrupted the answer: error"),
    ],
)
@pytest.mark.parametrize("text", ["half", '{"n": 1}'])
def test_finish_reason__incomplete(facade, agent, word, reason, text):
    """Any other known finish reason is a failure, even if the answer is complete JSON."""
    scripted_chain(agent, only=finished(word, text))
    assert facade.complete("say", "small")["reason"] == reason
    assert facade.complete_json("say", "small")["reason"] == reason


def test_finish_reason__unknown(facade, agent):
    """With an unknown finish reason, complete JSON and translations are accepted. Plain text fails with the fix."""
    scripted_chain(agent, only=[finished("zapped", '{"n": 1}'), finished("zapped", '{"n": 1'), finished("zapped")])
    assert facade.complete_json("say", "small")["result"] == {"n": 1}
    assert facade.complete_json("say", "small")["reason"] == "invalid_answer: the answer contains no JSON"
    assert facade.complete("say", "small")["reason"] == f"{ZAPPED}: if that means a complete answer, {OWN_FIX}"


ZAPPED = "invalid_answer: the model stopped for an unknown reason, 'zapped'"
OWN_FIX = "let Scripted return 'stop' for it"
DECLARATION = {"finish_reasons": {"zapped": "stop"}}


@pytest.mark.parametrize(
    ("provider", "fix"),
    [
        ("mine", f"declare it in STAPEL_AGENT['PROVIDERS']['mine'] as {str(DECLARATION)[1:-1]}"),
        ("openai-compat", f"define the endpoint in STAPEL_AGENT['PROVIDERS'], with {str(DECLARATION)[1:-1]}"),
    ],
)
def test_finish_reason__declared_as_advised(facade, agent, provider, fix):
    """The fix that the failure names makes the answer a result."""
    choice = {"message": {"content": "whole"}, "finish_reason": "zapped"}
    with ScriptedServer(
        Reply.of({"choices": [choice], "usage": {"prompt_tokens": 1, "completion_tokens": 1}})
    ) as server:
        entry = {"base_url": server.url, "models": {"small": "m"}}
        agent(PROVIDERS={"mine": entry}, OPENAI_COMPAT_BASE_URL=server.url, OPENAI_COMPAT_MODELS={"small": "m"})
        reason = facade.complete("say", "small", provider=provider)["reason"]
        assert reason == f"{ZAPPED}: if that means a complete answer, {fix}"
        agent(PROVIDERS={provider: {**entry, **DECLARATION}})
        assert facade.complete("say", "small", provider=provider)["result"] == "whole"


@pytest.mark.sdk
def test_finish_reason__unknown_to_an_entry_that_cannot_declare_it(facade, agent):
    """An entry of the class anthropic takes no finish reasons, so no fix is named."""
    reply = stream(message_start(), text_block("whole"), message_delta("zapped"), MESSAGE_STOP)
    with ScriptedServer(reply) as server:
        entry = {"class": "anthropic", "base_url": server.url, "api_key": "key-of-mine", "models": {"small": "m"}}
        agent(PROVIDERS={"mine": entry})
        assert facade.complete("say", "small", provider="mine")["reason"] == ZAPPED


def test_answer__different_values_of_a_key(facade, scripted_model):
    """An answer with two values for one key is a failure, and with a schema, the model is told and asked once more."""
    conflict = '{"a": 1, "a": 2}'
    scripted_model.script(conflict)
    answer = facade.complete_json("say", "small")
    assert answer["reason"] == "invalid_answer: the answer repeats a key with different values"
    assert answer["comment"] == conflict
    scripted_model.script(conflict, '{"a": 2}')
    assert facade.complete_json("say", "small", schema={"type": "object"})["result"] == {"a": 2}
    assert "had a key twice" in scripted_model.requests[-1].prompt


def test_finish_reason__unknown_of_a_translation(facade, agent):
    """A translation is accepted if its JSON is complete."""
    scripted_chain(agent, only=finished("zapped", '{"1": "Ja"}'))
    assert facade.translate("en", "de", {"yes": "Yes"})["result"] == {"yes": "Ja"}


@pytest.mark.parametrize(
    ("metadata", "said"), [({"refusal_category": "cyber"}, " (cyber)"), ({}, ""), ({"refusal_category": 7}, "")]
)
def test_refused__category(facade, agent, metadata, said):
    """The vendor's category of a refusal is in the reason and in the row."""
    scripted_chain(agent, only=ProviderResult("no", 10, 5, finish_reason="content_filter", metadata=metadata))
    reason = f"refused: the model, or its vendor's content filter, refused to answer{said}"
    assert facade.complete("say", "small")["reason"] == reason
    assert {**PromptLog.objects.get().metadata, **metadata} == PromptLog.objects.get().metadata


# --- empty answers


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_empty__every_verb(facade, agent, text):
    """An empty text is an invalid answer for every verb, and its cost is kept."""
    scripted_chain(agent, only=ProviderResult(text, 10, 5))
    agent(TRANSLATE_RETRIES=0)
    usage = {"input_tokens": 10, "output_tokens": 5}
    for answer in (facade.complete("say", "small"), facade.complete_json("say", "small")):
        assert (answer["reason"], answer["usage"]) == ("invalid_answer: the answer contains no text", usage)
    assert facade.translate("en", "de", {"yes": "Yes"})["failed"] == {
        "yes": "invalid_answer: the answer contains no text"
    }


# --- asking again with a schema


@pytest.mark.parametrize("text", ["", " ", "I cannot.", "null", '{"n": 1', '"text"', "[1]"])
def test_schema__asked_again(facade, agent, text):
    """With a schema, an empty answer or one without JSON is asked for again, like one that breaks the schema."""
    models = scripted_chain(agent, only=[text, '{"n": 1}'])
    answer = facade.complete_json("say", "small", schema=SCHEMA)
    assert (answer["status"], answer["result"], answer["usage"]["output_tokens"]) == ("ok", {"n": 1}, 10)
    assert asked(models) == {"only": 2}


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_schema__within_its_retries(facade, agent, retries):
    """All of these together are asked for again at most SCHEMA_RETRIES times."""
    models = scripted_chain(agent, only=["", "no", '{"n": "x"}', "no", "no"])
    agent(SCHEMA_RETRIES=retries)
    assert facade.complete_json("say", "small", schema=SCHEMA)["reason"].startswith("invalid_answer: ")
    assert asked(models) == {"only": retries + 1}


def test_schema__says_what_was_wrong(facade, agent):
    """After an answer without JSON, the model gets a correction. After an empty answer, it gets the same question."""
    models = scripted_chain(agent, only=["no", "", '{"n": 1}'])
    agent(SCHEMA_RETRIES=2)
    facade.complete_json("say", "small", schema=SCHEMA)
    first, second, third = (request.prompt for request in models["only"].requests)
    assert first == "say"
    assert (
        second
        == third
        == ("say\n\nAn earlier answer contained no JSON. Answer again, with only JSON that satisfies the JSON schema.")
    )


@pytest.mark.parametrize("null", ["null", "```json\nnull\n```"])
def test_schema__of_null(facade, agent, null):
    """`null` is no answer, even if the schema allows it. The model and the caller are told that it was null."""
    models = scripted_chain(agent, only=[null, null])
    agent(SCHEMA_RETRIES=1)
    assert facade.complete_json("say", "small", schema={"type": ["object", "null"]})["reason"] == (
        "invalid_answer: the answer is null"
    )
    assert [request.prompt for request in models["only"].requests] == [
        "say",
        "say\n\nAn earlier answer was null, which counts as no answer. Answer again, with another value.",
    ]


@pytest.mark.parametrize(
    ("schema", "text", "result"), [({"type": "string"}, '"Bonjour"', "Bonjour"), ({"type": "integer"}, "`4`", 4)]
)
def test_schema__of_a_scalar(facade, agent, schema, text, result):
    """A scalar is validated against the schema like any other answer."""
    scripted_chain(agent, only=text)
    assert facade.complete_json("say", "small", schema=schema)["result"] == result
    scripted_chain(agent, only="true")
    assert "is not of type" in facade.complete_json("say", "small", schema=schema)["reason"]


def test_no_schema__asked_once(facade, agent):
    """Without a schema, an unusable answer is not asked for again."""
    models = scripted_chain(agent, only=["no", '{"n": 1}'])
    assert facade.complete_json("say", "small")["status"] == "failure"
    assert asked(models) == {"only": 1}


# --- thinking


def test_thinking__in_the_usage(facade, agent):
    """With every verb, the answer's usage states the thinking tokens, if there are any."""
    scripted_chain(agent, only=[ProviderResult("x", 10, 50, 40), ProviderResult("{}", 10, 50, 40), "plain"])
    assert facade.complete("say", "small")["usage"] == {"input_tokens": 10, "output_tokens": 50, "thinking_tokens": 40}
    assert facade.complete_json("say", "small")["usage"]["thinking_tokens"] == 40
    assert facade.complete("say", "small")["usage"] == {"input_tokens": 10, "output_tokens": 5}
    scripted_chain(agent, only=ProviderResult('{"1": "Ja"}', 10, 50, 40))
    assert facade.translate("en", "de", {"yes": "Yes"})["usage"]["thinking_tokens"] == 40


def test_truncated__by_thinking(facade, agent):
    """The error of a truncated answer says how many tokens were thinking, and what to change."""
    scripted_chain(agent, only=ProviderResult("ha", 10, 4096, 3900, finish_reason="length"))
    assert facade.complete("say", "small")["reason"] == (
        "truncated at 4096 tokens, of which 3,900 were thinking: lower the effort or raise max_tokens"
    )


# --- real endpoints


def completed(content, finish_reason="stop", **fields):
    choice = {"message": {"content": content}, "finish_reason": finish_reason}
    return Reply.of({"choices": [choice], "usage": {"prompt_tokens": 10, "completion_tokens": 5}, **fields})


SAMPLING_FAILED = {
    "error": {
        "message": "Failed to generate JSON. Please adjust your prompt. See 'failed_generation' for more details.",
        "type": "invalid_request_error",
        "code": "json_validate_failed",
        "failed_generation": '{"n":',
    }
}


@pytest.mark.parametrize(("retries", "status"), [(0, "failure"), (1, "ok")])
def test_schema__sampling_that_failed(facade, agent, retries, status):
    """If the vendor's decoder failed, the question is asked again within SCHEMA_RETRIES, even after a status 400."""
    with ScriptedServer(Reply.of(SAMPLING_FAILED, status=400), completed('{"n": 1}')) as server:
        agent(DEFAULT_PROVIDER="openai-compat", OPENAI_COMPAT_BASE_URL=server.url, SCHEMA_RETRIES=retries)
        answer = facade.complete_json("say", "small", schema=SCHEMA)
    assert (answer["status"], len(server.requests)) == (status, retries + 1)
    assert PromptLog.objects.order_by("created_at").first().metadata["failure"] == "invalid_answer"


def test_finish_reason__declared(facade, agent):
    """A finish reason that the endpoint's entry declares means what the entry says."""
    with ScriptedServer(
        completed("whole", "zapped"), completed("half", "zipped"), completed("odd", "zopped")
    ) as server:
        reasons = {"zapped": "stop", "zipped": "length"}
        agent(PROVIDERS={"own": {"base_url": server.url, "finish_reasons": reasons}}, DEFAULT_PROVIDER="own")
        answers = [facade.complete("say", "small") for _ in range(3)]
    assert answers[0]["result"] == "whole"
    assert answers[1]["reason"] == "truncated at 5 tokens"
    assert "STAPEL_AGENT['PROVIDERS']['own'] as 'finish_reasons': {'zopped': 'stop'}" in answers[2]["reason"]


def test_row__service_tier(facade, agent):
    """The tier that the endpoint states and the prices of that tier are in the row, and determine the cost."""
    prices = {"m": {"input": "1", "output": "2", "tiers": {"flex": {"input": "0.5", "output": "1"}}}}
    with ScriptedServer(completed("{}", service_tier="flex")) as server:
        agent(PROVIDERS={"own": {"base_url": server.url, "models": {"small": "m"}}}, DEFAULT_PROVIDER="own")
        agent(PRICES=prices)
        answer = facade.complete_json("say", "small")
    assert answer["usage"]["cost_usd"] == "0.00001"
    metadata = PromptLog.objects.get().metadata
    assert (metadata["service_tier"], metadata["prices"]["input"]) == ("flex", "0.5")
