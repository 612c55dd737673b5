"""What cannot be a translation, and what may be one."""

import pytest

from stapel_agent.translation.plausibility import doubt
from stapel_agent.translation.translation_request import INSTRUCTIONS
from tests.steps import grows_linearly

SENTENCE = "The quick brown fox jumps over the lazy dog, again and again, all day. "

DOUBTFUL = [
    ("Hi", " \n", "is empty"),
    ("Hi", "Hallo\x07", "has invisible characters"),
    ("Hi", "\u202eollaH", "has invisible characters"),
    ("Hi", "Hallo\U000e0041\U000e0042", "has invisible characters"),
    ("Hi", "Hallo\ufffd", "has invisible characters"),
    ("Hi", INSTRUCTIONS, "repeats the instructions"),
    ("Hi", INSTRUCTIONS.splitlines()[-1], "repeats the instructions"),
    ("Hi", "I'm sorry, but I can't assist with that request.", "is an apology, but the text is not"),
    ("SKIP", "I'm unable to help with that.", "is a refusal, but the text is not"),
    ("Hi", "I cannot translate this text.", "is a refusal, but the text is not"),
    ("Help", "As an AI language model, I have no feelings.", "is not a translation but a remark about one"),
    ("Hi", "Ich kann diesen Text nicht übersetzen.", "is a refusal, but the text is not"),
    ("Hi", "Je ne peux pas traduire ce texte.", "is a refusal, but the text is not"),
    ("Name:", "Sure, here is the translation: Name:", "is not a translation but a remark about one"),
    ("Hi", "Here's your translation: Hallo", "is not a translation but a remark about one"),
    ("Hi", '{"1": "Hallo"}', "is JSON, not a text"),
    ("Hi", '["Hallo"]', "is JSON, not a text"),
    ("Hi", "Hallo " * 50, "is far longer than the text"),
    (SENTENCE * 4, "Der Fuchs.", "is far shorter than the text"),
    ("Hi", "x" * 1_000_000, "is far longer than the text"),
]


@pytest.mark.parametrize(("source", "translation", "remark"), DOUBTFUL)
def test_doubt(source, translation, remark):
    """A model's remark in place of a translation is detected."""
    assert doubt(source, translation) == remark


PLAUSIBLE = [
    ("OK", "Einverstanden"),
    ("Entschuldigung, ich kann nicht kommen.", "I'm sorry, I can't come."),
    ("Als KI kann ich das nicht.", "As an AI I can't do that."),
    ("Ayuda no disponible: no puedo ayudar.", "Help is not available: I can't help with that."),
    ("I'm sorry, I can't assist with that.", "I'm sorry, I can't assist with that."),
    ('{"a": "b"}', '{"a": "c"}'),
    ("(draft)", "[draft]"),
    ("a\u202eb", "c\u202ed"),
    ("Voici la traduction :", "Here is the translation:"),
    (SENTENCE, "敏捷的棕色狐狸整天一遍又一遍地跳过那只懒狗。"),
    (SENTENCE, "चतुर भूरी लोमड़ी आलसी कुत्ते के ऊपर से बार-बार, पूरे दिन कूदती रहती है।"),
    (SENTENCE, "မြန်ဆန်သော အညိုရောင်မြေခွေးသည် ပျင်းရိသောခွေးကို တစ်နေ့လုံး ထပ်ခါထပ်ခါ ခုန်ကျော်သည်။"),
    ("مرحبا", "\u200fHello\u200e"),
    ("👨‍👩‍👧 family", "👨‍👩‍👧 Familie"),
]


@pytest.mark.parametrize(("source", "translation"), PLAUSIBLE)
def test_doubt__none(source, translation):
    """Texts about such things, and short texts in languages with long words, may be translations."""
    assert doubt(source, translation) is None


@pytest.mark.parametrize(
    "part", ["I can", "as an ", "(note", "[", '{"', "\u202e", "a", "can't ", "?a", "Ã", "\u0301", "“"]
)
def test_doubt__linear(part):
    """A reply is checked in linear time, up to a megabyte."""
    assert grows_linearly(lambda size: doubt("Hi", part * size), 10_000)
    assert doubt("Hi", part * (1_000_000 // len(part)))


@pytest.mark.parametrize(
    "translation",
    [
        "I'm sorry, but I can't assist with that request.",
        "Sorry, I cannot do that.",
        "I am very sorry, this is beyond me.",
        "I apologize for the confusion.",
        "I cannot fulfill this request.",
    ],
)
def test_doubt__apologies(translation):
    """An apology is the model's own, unless the source is an apology: then it is the translation."""
    assert doubt("Delete all messages", translation)
    for source in (
        translation,
        "Es tut mir leid, das geht nicht. Das kann ich nicht für dich übersetzen.",
        "すみません、翻訳できません。",
    ):
        assert doubt(source, translation) is None


@pytest.mark.parametrize(
    "translation",
    [
        "Es tut mir leid, aber das kann ich nicht tun.",
        "Désolé, mais je ne peux pas répondre à cette demande.",
        "Lo siento, pero no puedo ayudarte con eso.",
        "Mi dispiace, ma non posso farlo.",
        "Desculpe, mas não posso fazer isso.",
        "Извините, но я не могу выполнить этот запрос.",
        "Przepraszam, ale nie mogę tego zrobić.",
        "抱歉，我无法满足您的要求。",
        "申し訳ありませんが、その依頼にはお応えできません。",
        "죄송하지만 그 요청은 도와드릴 수 없습니다.",
        "عذرًا، لا أستطيع القيام بذلك.",
        "Üzgünüm, bunu yapamam.",
    ],
)
def test_doubt__apologies_in_other_languages(translation):
    """A refusal in the target language is detected, unless the source says so itself."""
    assert doubt("Delete all messages", translation) == "is an apology, but the text is not"
    assert doubt("Sorry, I can't do that.", translation) is None
