"""Images in each vendor's wire format, from the facade to the socket."""

import base64
import os

import pytest

from stapel_agent.models import PromptLog
from tests.image_samples import JPEG, PNG_B64, PNG_DATA, encoded
from tests.scripted_server import Reply, ScriptedServer

from .message_stream import message, stream

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

KEY = "sk-ant-api03-test-key"
LINK = "https://cdn.example/cats/1.png?X-Amz-Signature=c0ffee"
IMAGES = [PNG_DATA, {"url": LINK}, {"data_b64": encoded(JPEG)}]
SCHEMA = {
    "type": "object",
    "properties": {"animal": {"type": "string"}},
    "required": ["animal"],
    "additionalProperties": False,
}
CAT = '{"animal": "cat"}'
USAGE = {"prompt_tokens": 1600, "completion_tokens": 7}

# https://docs.claude.com/en/docs/build-with-claude/vision
ANTHROPIC_CONTENT = [
    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG_B64}},
    {"type": "image", "source": {"type": "url", "url": LINK}},
    {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": encoded(JPEG)}},
    {"type": "text", "text": "Which animal?"},
]
# https://platform.openai.com/docs/guides/images-vision
OPENAI_CONTENT = [
    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG_B64}"}},
    {"type": "image_url", "image_url": {"url": LINK}},
    {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{encoded(JPEG)}"}},
    {"type": "text", "text": "Which animal?"},
]


def chat_completion(content):
    choice = {"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    return Reply.of({"id": "1", "choices": [choice], "usage": USAGE})


@pytest.fixture
def anthropic(agent):
    """A Messages API that sees a cat."""
    with ScriptedServer(stream(message(CAT))) as server:
        agent(ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=server.url, DEFAULT_PROVIDER="anthropic")
        yield server


@pytest.fixture
def openai(agent):
    """A `/chat/completions` endpoint that sees a cat."""
    with ScriptedServer(chat_completion(CAT)) as server:
        agent(OPENAI_COMPAT_BASE_URL=f"{server.url}/v1", DEFAULT_PROVIDER="openai-compat")
        yield server


@pytest.mark.sdk
def test_anthropic__on_the_wire(facade, anthropic):
    """The real SDK sends each image in its own block, before the text, with the system prompt."""
    answer = facade.complete_json("Which animal?", "small", system_prompt="Be brief.", images=IMAGES)
    assert answer["result"] == {"animal": "cat"}
    sent = anthropic.requests[0].json
    assert (sent["messages"], sent["system"]) == ([{"role": "user", "content": ANTHROPIC_CONTENT}], "Be brief.")


def test_openai__on_the_wire(facade, openai):
    """Each image is a part before the text: its URL, or a data URL."""
    answer = facade.complete_json("Which animal?", "small", system_prompt="Be brief.", images=IMAGES)
    assert answer["result"] == {"animal": "cat"}
    assert openai.requests[0].json["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": OPENAI_CONTENT},
    ]


def test_openai__with_a_schema(facade, openai):
    """The decoder is constrained as without images. A repeated question has the images again, before its own text."""
    openai.replies = [chat_completion("{}"), chat_completion(CAT)]
    facade.complete_json("Which animal?", "small", schema=SCHEMA, images=IMAGES)
    first, second = (sent.json for sent in openai.requests)
    assert first["response_format"]["json_schema"]["schema"] == SCHEMA
    assert first["messages"][1]["content"] == OPENAI_CONTENT
    assert second["messages"][1]["content"][:3] == OPENAI_CONTENT[:3]


@pytest.mark.sdk
def test_anthropic__largest_image(facade, anthropic):
    """An image of five megabytes is sent unchanged."""
    data_b64 = base64.b64encode(JPEG + os.urandom(5 * 1024 * 1024 - len(JPEG))).decode()
    assert facade.complete("Which animal?", "small", images=[{"data_b64": data_b64}])["status"] == "ok"
    assert anthropic.requests[0].json["messages"][0]["content"][0]["source"]["data"] == data_b64


def test_openai__largest_image(facade, openai):
    """An image of five megabytes is sent unchanged."""
    data_b64 = base64.b64encode(JPEG + os.urandom(5 * 1024 * 1024 - len(JPEG))).decode()
    assert facade.complete("Which animal?", "small", images=[{"data_b64": data_b64}])["status"] == "ok"
    part = openai.requests[0].json["messages"][0]["content"][0]
    assert part["image_url"]["url"].removeprefix("data:image/jpeg;base64,") == data_b64


def test_refusal__quotes_no_signature(facade, openai):
    """If a vendor's error quotes a URL, caller and ledger get it without its secret parts."""
    openai.replies = [Reply.of({"error": {"message": f"Unable to download {LINK}&Expires=9, 403"}}, status=400)]
    answer = facade.complete("Which animal?", "small", images=[{"url": LINK}])
    told = "Unable to download https://cdn.example/cats/1.png?[redacted] 403"
    assert answer["reason"].endswith(told)
    assert PromptLog.objects.get().error_message.endswith(told)
