"""stapel-translate's endpoint for texts, its dashboard and its admin, which call over HTTP."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.test import Client
from stapel_core.django.jwt.provider import jwt_provider
from stapel_translate.admin import LLM_TASK_CACHE_KEY, _translate_entries_background
from stapel_translate.models import TranslationEntry

from stapel_agent.models import PromptLog
from stapel_agent.providers.base import ProviderTimeout
from tests.documents import block_after
from tests.fleet.test_translate import batched

pytestmark = pytest.mark.django_db(transaction=True)

documented: dict[str, Any] = {}
exec(block_after("docs/callers.md", "## A batch of texts"), documented)
DocumentedProvider = documented["BatchProvider"]

NOT_OK = {"error": "LLM service returned non-ok status"}
PROVIDER_FAILS = ProviderTimeout("too slow")


@pytest.fixture
def entry(service):
    """An entry with an English text only."""
    entry = TranslationEntry.objects.create(key="greeting", comment="on the door")
    entry.set_value("en", "Hello")
    return entry


@pytest.fixture
def post(entry):
    """Post to stapel-translate as a member of staff. Returns the status and the body."""
    person = get_user_model().objects.create_user(username="translator", email="t@example.com", is_staff=True)
    token = jwt_provider.create_tokens(person)[0]

    def post(path, **body):
        headers = {"Authorization": f"Bearer {token}"}
        browser = Client(raise_request_exception=False)
        url = f"/translate/api/v1/{path}"
        answer = browser.post(url, json.dumps(body), content_type="application/json", headers=headers)
        return answer.status_code, answer.json() if answer["Content-Type"] == "application/json" else None

    yield post
    cache.clear()


@pytest.fixture
def dashboard(post, entry):
    """Ask the dashboard for help with `entry`. Returns the status and the body."""
    return partial(post, "dashboard/llm-help/", translation_id=entry.pk)


def test_texts__shown_as_lists(post, scripted_model):
    """Readers see what the batch makes of an array, and each request pays for it again."""
    scripted_model.script(batched)
    for calls in (3, 6):
        status, answer = post("text/", texts=["one", "two"], target_lang="fr")
        assert (status, answer["texts"], len(scripted_model.requests)) == (200, ["['ONE']", "['TWO']"], calls)


def test_texts__with_the_documented_provider(post, scripted_model, settings):
    """With the provider in docs/callers.md, a batch is one call, and its texts are stored."""
    settings.STAPEL_TRANSLATE = {**settings.STAPEL_TRANSLATE, "LLM_PROVIDER": f"{__name__}.DocumentedProvider"}
    scripted_model.script(batched)
    for _ in range(2):
        status, answer = post("text/", texts=["one", "two"], target_lang="fr")
        assert (status, answer["texts"], len(scripted_model.requests)) == (200, ["ONE", "TWO"], 1)


def values(entry):
    return TranslationEntry.objects.get(pk=entry.pk).values_dict()


def test_dashboard__one_language(dashboard, entry, scripted_model):
    """A suggestion for one language is saved to the entry if requested."""
    scripted_model.script('{"translation": "Bonjour"}')
    status, answer = dashboard(target_lang="fr", apply=True)
    assert (status, answer["suggestion"], answer["applied"]) == (200, "Bonjour", True)
    assert values(entry) == {"en": "Hello", "fr": "Bonjour"}


@pytest.mark.parametrize("reply", [PROVIDER_FAILS, "Bonjour"])
def test_dashboard__one_language_fails(dashboard, entry, scripted_model, reply):
    """A provider's failure, and an answer that is not JSON, become a 502 without a reason."""
    scripted_model.script(reply)
    assert dashboard(target_lang="fr", apply=True) == (502, NOT_OK)
    assert values(entry) == {"en": "Hello"}


def test_dashboard__one_language_in_an_array(dashboard, entry, scripted_model):
    """An array is returned as the suggestion, and stored as a Python list."""
    scripted_model.script('["Bonjour"]')
    status, answer = dashboard(target_lang="fr", apply=True)
    assert (status, values(entry)) == (200, {"en": "Hello", "fr": "['Bonjour']"})


@pytest.mark.parametrize("fence", ["{}", "```json\n{}\n```"])
def test_dashboard__all_languages(dashboard, entry, scripted_model, fence):
    """Each language in the answer is saved, even from a code fence, because the answer arrives parsed."""
    scripted_model.script(fence.replace("{}", '{"de": "Hallo", "fr": "Bonjour", "xx": "?"}'))
    status, answer = dashboard(translate_all=True, apply=True)
    assert (status, answer["suggestions"]) == (200, {"de": "Hallo", "fr": "Bonjour", "xx": "?"})
    assert values(entry) == {"en": "Hello", "de": "Hallo", "fr": "Bonjour"}


@pytest.mark.parametrize("reply", [PROVIDER_FAILS, "Bonjour"])
def test_dashboard__all_languages_fails(dashboard, entry, scripted_model, reply):
    """A provider's failure, and an answer that is not JSON, become a 502 without a reason."""
    scripted_model.script(reply)
    assert dashboard(translate_all=True, apply=True) == (502, NOT_OK)
    assert values(entry) == {"en": "Hello"}


def test_dashboard__all_languages_in_an_array(dashboard, entry, scripted_model):
    """An array makes the view fail."""
    scripted_model.script('["Hallo", "Bonjour"]')
    assert dashboard(translate_all=True, apply=True) == (500, None)
    assert values(entry) == {"en": "Hello"}


@pytest.fixture
def background(entry):
    """Run the admin's translation of `entry` to its end, and return what it reports."""

    def run():
        _translate_entries_background([entry.pk])
        return cache.get(LLM_TASK_CACHE_KEY)

    yield run
    cache.clear()


def told(translated, errors, *messages):
    counts = {"total": 1, "completed": 1, "translated": translated, "errors": errors}
    return {"status": "completed", **counts, "error_messages": list(messages)}


@pytest.mark.parametrize("fence", ["{}", "```json\n{}\n```"])
def test_admin__missing_languages(background, entry, scripted_model, fence):
    """The missing languages are filled in, also from an answer in a code fence. One row records the call."""
    scripted_model.script(fence.replace("{}", '{"de": "Hallo", "fr": "Bonjour", "en": "?"}'))
    assert background() == told(1, 0)
    assert values(entry) == {"en": "Hello", "de": "Hallo", "fr": "Bonjour"}
    assert PromptLog.objects.get().status == "success"


@pytest.mark.parametrize("reply", [PROVIDER_FAILS, "Bonjour"])
def test_admin__fails(background, entry, scripted_model, reply):
    """A provider's failure, and an answer that is not JSON, are counted, without a reason."""
    scripted_model.script(reply)
    assert background() == told(0, 1, "greeting: LLM returned non-ok status")
    assert values(entry) == {"en": "Hello"}


def test_admin__array(background, entry, scripted_model):
    """An array counts as translated, but translates nothing."""
    scripted_model.script('["Hallo", "Bonjour"]')
    assert background() == told(1, 0)
    assert (values(entry), TranslationEntry.objects.get().llm_translated) == ({"en": "Hello"}, True)


def test_admin__without_the_key(background, scripted_model, settings):
    """Without the service's key, the answer is 401, and no model is called."""
    settings.SERVICE_API_KEY = ""
    status = background()
    assert "401 Client Error: Unauthorized" in status["error_messages"][0]
    assert scripted_model.requests == []
