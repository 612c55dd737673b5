"""Facts about single texts, the glossary and untranslated texts, through the facade."""

import json

import pytest
from stapel_core.comm import call

from stapel_agent import services
from stapel_agent.models import PromptLog, Translation
from stapel_agent.testing import translating
from stapel_agent.token_estimation import token_estimate

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

CART = "Your shopping cart is empty"
GERMAN = {
    CART: "Ihr Warenkorb ist leer",
    "Save your changes": "Ihre Änderungen speichern",
    "A cat": "Eine Katze",
}


def in_german(request):
    """A model that knows a little German."""
    return json.dumps({key: GERMAN.get(text, text.upper()) for key, text in json.loads(request.prompt).items()})


def test_context__two_texts(facade, scripted_model):
    """The same text in two contexts is asked for twice in one question, and stored separately."""
    scripted_model.script(
        lambda request: json.dumps({key: ("WORT", "STAND")[int(key) - 1] for key in json.loads(request.prompt)}),
        translating(str.upper),
    )
    entries = {
        "button": {"text": "Open", "context": "A button"},
        "state": {"text": "Open", "context": "A state", "max_length": 9},
        "same": {"text": " Open", "context": "A button"},
    }
    answer = facade.translate("en", "de", entries)
    assert answer["result"] == {"button": "WORT", "state": "STAND", "same": " WORT"}
    (request,) = scripted_model.requests
    assert json.loads(request.prompt) == {"1": "Open", "2": "Open"}
    assert '"1": {"context": "A button"}, "2": {"context": "A state", "max_length": 9}' in request.system_prompt
    assert facade.translate("en", "de", entries)["usage"]["output_tokens"] == 0
    assert facade.translate("en", "de", {"bare": "Open"})["result"] == {"bare": "OPEN"}


def test_max_length__whole_number_with_a_point(facade, scripted_model):
    """A whole number counts as one however JSON writes it, as in `max_tokens`."""
    scripted_model.script('{"1": "Los"}')
    assert facade.translate("en", "de", {"a": {"text": "Go", "max_length": 3.0}})["result"] == {"a": "Los"}
    assert '"max_length": 3}' in scripted_model.requests[0].system_prompt
    assert facade.translate("en", "de", {"a": {"text": "Go", "max_length": 3.5}})["failure"] == "rejected"


def test_max_length__checked(facade, scripted_model, agent):
    """A translation that is too long is asked for again with a correction, and fails in the end."""
    agent(TRANSLATE_RETRIES=1)
    scripted_model.script(translating(lambda text: f"{text.upper()} UND MEHR"))
    answer = facade.translate("en", "de", {"a": {"text": "Save", "max_length": 6}, "b": "Load"})
    assert answer["failed"] == {"a": "invalid_answer: the translation has 13 characters; it may have 6"}
    assert scripted_model.requests[1].system_prompt.endswith("1: has 13 characters; it may have 6")


@pytest.mark.parametrize(
    "entry",
    [
        {"context": "x"},
        {"text": 1},
        {"text": "a", "colour": "b"},
        {"text": "a", "format": "word"},
        {"text": "a", "max_length": -1},
        {"text": "a", "max_length": True},
        {"text": "a", "context": "c" * 2001},
        {"text": "a", "protect": "x"},
        {"text": "a", "protect": [1]},
        {"text": "a", "protect": ["(a+)+b"]},
        {"text": "a", "protect": ["x"] * 21},
        ["a"],
    ],
)
def test_entry__refused(facade, scripted_model, entry):
    """An invalid entry is a failure that names it, and no model is called."""
    answer = facade.translate("en", "de", {"key": entry})
    assert (answer["status"], answer["reason"].partition(":")[0], scripted_model.requests) == (
        "failure",
        "rejected",
        [],
    )
    assert "key" in answer["reason"]


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (
            {"text": "a", "max_length": -1},
            "max_length of entry 'k' must be from 1 to 1,000,000, or 0 for no limit, not -1",
        ),
        ({"text": "a", "context": "c" * 2001}, "context of entry 'k' may have at most 2,000 characters, not 2,001"),
    ],
)
def test_entry__limits(facade, entry, problem):
    """The reason names the field, its limit and its value."""
    assert facade.translate("en", "de", {"k": entry})["reason"] == f"rejected: {problem}"


def test_protect__per_entry_and_call(facade, scripted_model):
    """An entry's expressions are added to the call's. Texts with different ones are separate, also in the cache."""
    scripted_model.script(translating(str.upper))
    entries = {"a": {"text": "ab cd ef", "protect": ["ab"]}, "b": "ab cd ef", "c": {"text": "ab cd ef", "protect": []}}
    answer = facade.translate("en", "de", entries, protect=["ef"])
    assert answer["result"] == {"a": "ab CD ef", "b": "AB CD ef", "c": "AB CD ef"}
    assert facade.translate("en", "de", entries, protect=["cd"])["result"]["a"] == "ab cd EF"
    assert [list(json.loads(request.prompt).values()) for request in scripted_model.requests] == [
        ["⟦1⟧ cd ⟦2⟧", "ab cd ⟦1⟧"],
        ["⟦1⟧ ⟦2⟧ ef", "ab ⟦1⟧ ef"],
    ]


def test_protect__many(facade, scripted_model):
    """The total number of expressions of all entries is limited."""
    entries = {str(number): {"text": "a", "protect": [f"x{number}"]} for number in range(501)}
    answer = facade.translate("en", "de", entries)
    assert (answer["status"], scripted_model.requests) == ("failure", [])
    assert "at most 500 different expressions" in answer["reason"]


def test_format__per_entry_and_call(facade, scripted_model, agent):
    """An entry's format takes precedence over the call's, and that over the setting's."""
    agent(TRANSLATE_FORMAT="none")
    scripted_model.script(translating(lambda text: text))
    entries = {"a": {"text": "%1 {b} word", "format": "qt"}, "b": "%1 {b} word"}
    facade.translate("en", "de", entries, format="icu")
    facade.translate("en", "de", {"b": "%1 {b} word"})
    asked = [list(json.loads(request.prompt).values()) for request in scripted_model.requests]
    assert asked[0] == ["⟦1⟧ {b} word", "%1 ⟦1⟧ word"]
    assert asked[-1] == ["%1 {b} word"]


def test_format__wrong(facade, scripted_model):
    """An unknown format, or an expression that takes too long, is a failure before a model is called."""
    for options in ({"format": "word"}, {"protect": ["(a+)+b"]}):
        answer = facade.translate("en", "de", {"a": "x"}, **options)
        assert (answer["status"], scripted_model.requests) == ("failure", [])


def test_attributes__texts_of_their_own(facade, scripted_model):
    """Readable attributes are translated as texts, and written back into their tags."""
    scripted_model.script(in_german)
    source = f'{CART} <img src="a.png" alt="A cat"> <b title="A cat">!</b>'
    GERMAN[f"{CART} ⟦1⟧ ⟦2⟧!⟦3⟧"] = "Ihr Warenkorb ist leer ⟦1⟧ ⟦2⟧!⟦3⟧"
    answer = facade.translate("en", "de", {"a": source, "b": '<img alt="A cat">'})
    assert answer["result"] == {
        "a": 'Ihr Warenkorb ist leer <img src="a.png" alt="Eine Katze"> <b title="Eine Katze">!</b>',
        "b": '<img alt="Eine Katze">',
    }
    assert facade.translate("en", "de", {"a": source})["result"] == {"a": answer["result"]["a"]}
    assert len(scripted_model.requests) == 1


def test_attributes__written_at_once(facade, scripted_model):
    """A tag stays as it is written, even if it then equals another tag of the source."""
    words = {"Gift": "Poison", "Poison": "Toxin"}
    scripted_model.script(translating(lambda text: words.get(text, text)))
    source = '<img alt="Gift"> <img alt="Poison">'
    answer = facade.translate("de", "en", {"a": source})
    assert answer["result"] == {"a": '<img alt="Poison"> <img alt="Toxin">'}


def test_unchanged__asked_again(facade, scripted_model):
    """An unchanged text is asked for once more with a correction, and may then be translated."""
    scripted_model.script(translating(str), in_german)
    answer = facade.translate("en", "de", {"a": CART, "b": "OK"})
    assert (answer["result"], "unchanged" in answer) == ({"a": GERMAN[CART], "b": "OK"}, False)
    assert scripted_model.requests[1].system_prompt.endswith("1: is the text itself, not translated")
    assert json.loads(scripted_model.requests[1].prompt) == {"1": CART}


def test_unchanged__named(facade, scripted_model):
    """A text that is unchanged again is accepted and reported, and not kept for reuse. The others are kept."""
    scripted_model.script(lambda request: json.dumps(json.loads(request.prompt)))
    entries = {"a": CART, "b": "OK"}
    answer = facade.translate("en", "de", entries)
    assert (answer["result"], answer["unchanged"], len(scripted_model.requests)) == (entries, ["a"], 2)
    assert list(Translation.objects.values_list("text", flat=True)) == ["OK"]
    assert set(PromptLog.objects.values_list("status", flat=True)) == {"success"}


def test_unchanged__without_retries(facade, scripted_model, agent):
    """Without retries, an unchanged text is reported at once."""
    agent(TRANSLATE_RETRIES=0)
    scripted_model.script(translating(str))
    answer = facade.translate("en", "de", {"a": CART})
    assert (answer["result"], answer["unchanged"], len(scripted_model.requests)) == ({"a": CART}, ["a"], 1)


def test_unchanged__second_answer_is_damaged(facade, scripted_model):
    """If the second answer is worse, the first one is used."""
    scripted_model.script(translating(str), translating(lambda text: f"{text} <b>"))
    answer = facade.translate("en", "de", {"a": CART})
    assert (answer["result"], answer["unchanged"], len(scripted_model.requests)) == ({"a": CART}, ["a"], 2)


@pytest.mark.language
def test_third_language__refused(facade, scripted_model):
    """A translation in a third language fails, and is asked for again with a correction."""
    scripted_model.script(translating(lambda text: "Votre panier est vide pour le moment"))
    answer = facade.translate("en", "de", {"a": CART})
    assert (answer["status"], answer["failed"]) == (
        "failure",
        {"a": "invalid_answer: the translation is in French [fr], not in German [de]"},
    )


def test_glossary__sent_where_it_occurs(facade, scripted_model, agent):
    """Only terms that occur in a question are sent. A changed term affects only the texts that contain it."""
    agent(TRANSLATE_CHUNK_ENTRIES=1, TRANSLATE_CONCURRENCY=1)
    scripted_model.script(in_german)
    entries = {"a": CART, "b": "Save your changes"}
    first = facade.translate("en", "de", entries, glossary={"cart": "Warenkorb", "change": "Änderung", "x": "y"})
    assert first["result"] == {"a": GERMAN[CART], "b": GERMAN["Save your changes"]}
    assert ["Warenkorb" in request.system_prompt for request in scripted_model.requests] == [True, False]
    scripted_model.script(in_german)
    facade.translate("en", "de", entries, glossary={"cart": "Korb", "change": "Änderung"})
    assert [list(json.loads(request.prompt).values()) for request in scripted_model.requests] == [[CART]]


@pytest.mark.parametrize("told", ["warnings", "failed"])
def test_glossary__missed(facade, scripted_model, agent, told):
    """A translation without a term is asked for once more with the term named, and reported as configured."""
    agent(TRANSLATE_GLOSSARY_MISSED=told)
    scripted_model.script(in_german)
    entries = {"a": CART, "b": "Save your changes"}
    answer = facade.translate("en", "de", entries, glossary={"cart": "Einkaufswagen"})
    assert answer[told] == {"a": "glossary_missed: 'cart'"}
    assert ("a" in answer["result"]) == (told == "warnings")
    assert len(scripted_model.requests) == 2
    assert scripted_model.requests[1].system_prompt.endswith("1: does not translate 'cart' as 'Einkaufswagen'")


def test_figures__refused(facade, scripted_model):
    """A translation with other numbers fails, and the reason names the number."""
    scripted_model.script(translating(lambda text: "360 EUR vor dem 21. Mai"))
    answer = facade.translate("en", "de", {"a": "180 EUR before 12 May"})
    assert answer["failed"] == {"a": "invalid_answer: the translation has 360 in place of 180"}


@pytest.mark.parametrize("facade", ["sync"], indirect=True)
def test_cost__of_asking_again(facade, scripted_model):
    """A model that leaves every twentieth text unchanged costs at most 1.15 times the tokens of one that does not."""
    entries = {str(number): f"The text number {number} of a long catalogue of a shop" for number in range(200)}

    def forgetful(request):
        texts = json.loads(request.prompt)
        is_first = len(texts) == 50
        return json.dumps(
            {key: text if is_first and int(key) % 20 == 0 else text.upper() for key, text in texts.items()}
        )

    def tokens():
        return sum(
            token_estimate(request.system_prompt) + 2 * token_estimate(request.prompt)
            for request in scripted_model.requests
        )

    scripted_model.script(translating(str.upper))
    facade.translate("en", "de", entries, skip_cache=True)
    least = tokens()
    scripted_model.script(forgetful)
    answer = facade.translate("en", "de", entries, skip_cache=True)
    assert (answer["result"], "unchanged" in answer) == ({key: text.upper() for key, text in entries.items()}, False)
    assert len(scripted_model.requests) == 5
    assert tokens() <= 1.15 * least


PAYLOAD = {
    "to": "fr",
    "entries": {
        "a": {"text": "Welcome to {hotel}", "format": "icu", "context": "A sign", "max_length": None},
        "b": "Room ACME-12",
        "c": {"text": "Room ACME-12 of Grand", "protect": ["Grand"]},
    },
    "protect": [r"ACME-\d+"],
}
FRENCH = {
    "Welcome to ⟦1⟧": "Bienvenue à l'⟦1⟧",
    "Room ⟦1⟧": "Chambre ⟦1⟧",
    "Room ⟦1⟧ of ⟦2⟧": "Chambre ⟦1⟧ de ⟦2⟧",
}


def in_french(request):
    return json.dumps({key: FRENCH[text] for key, text in json.loads(request.prompt).items()})


def test_surfaces__same_answer(scripted_model, client, settings):
    """comm, HTTP and Python accept entries as objects, formats and expressions."""
    scripted_model.script(in_french)
    url, key = "/agent/api/v1/llm/translate", {"X-API-KEY": settings.SERVICE_API_KEY}
    answers = [
        services.translate("en", **PAYLOAD),
        call("llm.translate", {**PAYLOAD, "from_lang": "en"}),
        client.post(url, {**PAYLOAD, "from": "en"}, "application/json", headers=key).json(),
    ]
    wanted = {"a": "Bienvenue à l’{hotel}", "b": "Chambre ACME-12", "c": "Chambre ACME-12 de Grand"}
    assert [answer["result"] for answer in answers] == [wanted] * 3
    wrong = {**PAYLOAD, "entries": {"a": {"text": "x", "format": "word"}}, "from": "en"}
    assert client.post(url, wrong, "application/json", headers=key).status_code == 400


@pytest.mark.parametrize(
    ("source", "reply"),
    [
        ("<%= visitor %> is here", "<%= Besucher %> ist da"),
        ("All rights &reg; reserved", "Alle Rechte &regi; vorbehalten"),
        ("Remove the page?", 'Seite" autofocus onfocus="alert(1)'),
        ("See more", "Mehr unter //evil.example/x"),
    ],
)
def test_wrong__is_not_ok(facade, scripted_model, agent, source, reply):
    """A translation with other placeholders or references, or with additions, is not a result."""
    agent(TRANSLATE_RETRIES=0)
    scripted_model.script(translating(lambda text: reply))
    answer = facade.translate("en", "de", {"k": source})
    assert (answer["status"], list(answer["failed"]), "result" in answer) == ("failure", ["k"], False)
