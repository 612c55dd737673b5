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
    """Each provider as its host would make it; the first asks over HTTP, the second in the process."""
    return {"AgentProvider": AgentProvider, "CommAgentProvider": CommAgentProvider}[request.param]()


@pytest.mark.parametrize("answer", ['{"translation": "Bonjour"}', '{"text": "Bonjour"}', '{"fr": " \\"Bonjour\\" "}'])
def test_translate__a_text(provider, scripted_model, answer):
    """An object with the text under any of the names it knows is the translation."""
    scripted_model.script(answer)
    assert provider.translate("greeting", "Hello", "fr", {"comment": "on the door"}) == "Bonjour"
    (request,) = scripted_model.requests
    assert (request.model, '"greeting"' in request.prompt) == ("claude-sonnet-5", True)
    assert request.system_prompt.startswith("You answer with JSON only")


@pytest.mark.parametrize("answer", ['"Bonjour"', '```json\n"Bonjour"\n```'])
def test_translate__a_json_string(provider, scripted_model, answer):
    """A text alone, as a JSON string, is the translation."""
    scripted_model.script(answer)
    assert provider.translate("greeting", "Hello", "fr", {}) == "Bonjour"


@pytest.mark.parametrize("answer", ["Bonjour", "« Bonjour »"])
def test_translate__a_text_in_plain_words(provider, scripted_model, answer):
    """A model that does as the caller's prompt says, and answers with the text alone, has not answered in JSON."""
    scripted_model.script(answer)
    with pytest.raises(TranslationProviderError, match=r"^agent service returned non-ok status$"):
        provider.translate("greeting", "Hello", "fr", {})
    assert PromptLog.objects.get().response == answer


def test_translate__an_object_of_more(provider, scripted_model):
    """An object with none of its names becomes, written as Python, the translation."""
    scripted_model.script('{"formal": "Bonjour", "informal": "Salut"}')
    assert provider.translate("greeting", "Hello", "fr", {}) == "{'formal': 'Bonjour', 'informal': 'Salut'}"


def test_translate__provider_fails(provider, scripted_model):
    """A failure of the provider is an error of its own; the reason is not read."""
    scripted_model.script(ProviderTimeout("too slow"))
    with pytest.raises(TranslationProviderError, match=r"^agent service returned non-ok status$"):
        provider.translate("greeting", "Hello", "fr", {})
    assert PromptLog.objects.get().status == "timeout"


def batched(request):
    """What the prompt of a batch asks for: an array of its texts, translated."""
    texts = next(json.loads(line) for line in request.prompt.splitlines() if line.startswith("["))
    return json.dumps([text.upper() for text in texts])


def test_texts__in_a_batch(provider, scripted_model):
    """A right array is taken for a malformed one, as it is parsed already; each text is asked for again, in vain."""
    scripted_model.script(batched)
    assert provider.translate_texts(["one", "two"], "fr") == [["ONE"], ["TWO"]]
    assert len(scripted_model.requests) == 3


def test_texts__one(provider, scripted_model):
    """One text is asked for twice, and what is returned is no text."""
    scripted_model.script(batched)
    assert provider.translate_text("one", "fr") == ["ONE"]
    assert len(scripted_model.requests) == 2


def test_texts__each_in_an_object(provider, scripted_model):
    """A model that answers each text with an object gets through, at one call more than there are texts."""
    scripted_model.script('["UN", "DEUX"]', '{"text": "UN"}', '{"text": "DEUX"}')
    assert provider.translate_texts(["one", "two"], "fr") == ["UN", "DEUX"]
    assert len(scripted_model.requests) == 3


def test_texts__provider_fails(provider, scripted_model):
    """A failure of the provider ends a batch at once: no text of it is asked for alone."""
    scripted_model.script(ProviderTimeout("too slow"))
    with pytest.raises(TranslationProviderError, match=r"^agent service returned non-ok status$"):
        provider.translate_texts(["one", "two"], "fr")
    assert len(scripted_model.requests) == 1


def test_agent_provider__without_the_key(service, scripted_model, settings):
    """Without the service's key it is told 401, and nobody is asked."""
    settings.SERVICE_API_KEY = ""
    with pytest.raises(TranslationProviderError, match="401 Client Error: Unauthorized"):
        AgentProvider().translate("greeting", "Hello", "fr", {})
    assert scripted_model.requests == []


def test_agent_provider__unknown_size(service, scripted_model, settings):
    """A size that is none is told 400, and nobody is asked."""
    settings.STAPEL_TRANSLATE = {**settings.STAPEL_TRANSLATE, "AGENT_MODEL_SIZE": "huge"}
    with pytest.raises(TranslationProviderError, match="400 Client Error: Bad Request"):
        AgentProvider().translate("greeting", "Hello", "fr", {})
    assert scripted_model.requests == []


def test_translate__unknown_provider(provider, scripted_model, settings):
    """A provider that is none is a failure over HTTP as over comm."""
    settings.STAPEL_TRANSLATE = {**settings.STAPEL_TRANSLATE, "AGENT_PROVIDER": "nobody"}
    with pytest.raises(TranslationProviderError, match=r"^agent service returned non-ok status$"):
        provider.translate("greeting", "Hello", "fr", {})
    assert scripted_model.requests == []


def test_comm_agent_provider__over_each_transport(transport, scripted_model):
    """The same translation in the process and from a live server."""
    scripted_model.script('{"translation": "Bonjour"}')
    assert CommAgentProvider().translate("greeting", "Hello", "fr", {}) == "Bonjour"
