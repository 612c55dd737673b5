"""stapel-translate's providers, over HTTP and over comm."""

from __future__ import annotations

import json

import pytest
from stapel_translate.providers import AgentProvider, CommAgentProvider, TranslationProviderError

from stapel_agent.models import PromptLog
from stapel_agent.providers.base import ProviderTimeout

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["AgentProvider", "CommAgentProvider"])
def provider(request, service):
    """Each provider as its host would create it. The first one calls over HTTP, the second in the process."""
    return {"AgentProvider": AgentProvider, "CommAgentProvider": CommAgentProvider}[request.param]()


@pytest.mark.parametrize("answer", ['{"translation": "Bonjour"}', '{"text": "Bonjour"}', '{"fr": " \\"Bonjour\\" "}'])
def test_translate__a_text(provider, scripted_model, answer):
    """An object with the text under any of the known names is the translation."""
    scripted_model.script(answer)
    assert provider.translate("greeting", "Hello", "fr", {"comment": "on the door"}) == "Bonjour"
    (request,) = scripted_model.requests
    assert (request.model, '"greeting"' in request.prompt) == ("claude-sonnet-5", True)
    assert request.system_prompt.startswith("You answer with JSON only")


@pytest.mark.parametrize("answer", ['"Bonjour"', '```json\n"Bonjour"\n```'])
def test_translate__a_json_string(provider, scripted_model, answer):
    """A JSON string is the translation."""
    scripted_model.script(answer)
    assert provider.translate("greeting", "Hello", "fr", {}) == "Bonjour"


@pytest.mark.parametrize("answer", ["Bonjour", "« Bonjour »"])
def test_translate__a_text_in_plain_words(provider, scripted_model, answer):
    """If the model follows the caller's prompt and answers with the bare text, the answer is not JSON and fails."""
    scripted_model.script(answer)
    with pytest.raises(TranslationProviderError, match=r"^agent service returned non-ok status$"):
        provider.translate("greeting", "Hello", "fr", {})
    assert PromptLog.objects.get().response == answer


def test_translate__object_with_other_keys(provider, scripted_model):
    """An object with unknown names becomes the translation, written as a Python dict."""
    scripted_model.script('{"formal": "Bonjour", "informal": "Salut"}')
    assert provider.translate("greeting", "Hello", "fr", {}) == "{'formal': 'Bonjour', 'informal': 'Salut'}"


def test_translate__provider_fails(provider, scripted_model):
    """If the provider fails, the caller raises its own error. It does not read the reason."""
    scripted_model.script(ProviderTimeout("too slow"))
    with pytest.raises(TranslationProviderError, match=r"^agent service returned non-ok status$"):
        provider.translate("greeting", "Hello", "fr", {})
    assert PromptLog.objects.get().status == "timeout"


def batched(request):
    """What the prompt of a batch asks for: an array of its texts, translated."""
    texts = next(json.loads(line) for line in request.prompt.splitlines() if line.startswith("["))
    return json.dumps([text.upper() for text in texts])


def test_texts__in_a_batch(provider, scripted_model):
    """The caller treats a valid array as malformed, because it is parsed already. It asks again for each text."""
    scripted_model.script(batched)
    assert provider.translate_texts(["one", "two"], "fr") == [["ONE"], ["TWO"]]
    assert len(scripted_model.requests) == 3


def test_texts__one(provider, scripted_model):
    """One text is asked for twice, and the result is not a text."""
    scripted_model.script(batched)
    assert provider.translate_text("one", "fr") == ["ONE"]
    assert len(scripted_model.requests) == 2


def test_texts__each_in_an_object(provider, scripted_model):
    """If the model answers each text with an object, the batch works, with one call more than there are texts."""
    scripted_model.script('["UN", "DEUX"]', '{"text": "UN"}', '{"text": "DEUX"}')
    assert provider.translate_texts(["one", "two"], "fr") == ["UN", "DEUX"]
    assert len(scripted_model.requests) == 3


def test_texts__provider_fails(provider, scripted_model):
    """If the provider fails, the batch ends at once, and no text is asked for alone."""
    scripted_model.script(ProviderTimeout("too slow"))
    with pytest.raises(TranslationProviderError, match=r"^agent service returned non-ok status$"):
        provider.translate_texts(["one", "two"], "fr")
    assert len(scripted_model.requests) == 1


def test_agent_provider__without_the_key(service, scripted_model, settings):
    """Without the service's key, the answer is 401, and no model is called."""
    settings.SERVICE_API_KEY = ""
    with pytest.raises(TranslationProviderError, match="401 Client Error: Unauthorized"):
        AgentProvider().translate("greeting", "Hello", "fr", {})
    assert scripted_model.requests == []


def test_agent_provider__unknown_size(service, scripted_model, settings):
    """With an invalid size, the answer is 400, and no model is called."""
    settings.STAPEL_TRANSLATE = {**settings.STAPEL_TRANSLATE, "AGENT_MODEL_SIZE": "huge"}
    with pytest.raises(TranslationProviderError, match="400 Client Error: Bad Request"):
        AgentProvider().translate("greeting", "Hello", "fr", {})
    assert scripted_model.requests == []


def test_translate__unknown_provider(provider, scripted_model, settings):
    """An unknown provider is a failure over HTTP and over comm."""
    settings.STAPEL_TRANSLATE = {**settings.STAPEL_TRANSLATE, "AGENT_PROVIDER": "nobody"}
    with pytest.raises(TranslationProviderError, match=r"^agent service returned non-ok status$"):
        provider.translate("greeting", "Hello", "fr", {})
    assert scripted_model.requests == []


def test_comm_agent_provider__over_each_transport(transport, scripted_model):
    """The translation is the same in the process and from a live server."""
    scripted_model.script('{"translation": "Bonjour"}')
    assert CommAgentProvider().translate("greeting", "Hello", "fr", {}) == "Bonjour"
