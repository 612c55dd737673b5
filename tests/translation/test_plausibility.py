"""What cannot be a translation, and what may be one."""

from stapel_agent.translation.plausibility import doubt
from stapel_agent.translation.translation_request import INSTRUCTIONS
from tests.rows import each_row
from tests.steps import grows_linearly

SENTENCE = "The quick brown fox jumps over the lazy dog, again and again, all day. "

DOUBTFUL = [
    ("Hi", " \n", "is empty"),
    ("Hi", "Hallo\x07", "has invisible characters"),
    ("Hi", INSTRUCTIONS, "repeats the instructions"),
    ("Hi", INSTRUCTIONS.splitlines()[-1], "repeats the instructions"),
    ("Hi", "I'm sorry, but I can't assist with that request.", "is an apology, but the text is not"),
    ("Hi", '{"1": "Hallo"}', "is JSON, not a text"),
    ("Hi", '["Hallo"]', "is JSON, not a text"),
    ("Hi", "Hallo " * 50, "is far longer than the text"),
    (SENTENCE * 4, "Der Fuchs.", "is far shorter than the text"),
    ("Hi", "x" * 1_000_000, "is far longer than the text"),
]


@each_row(DOUBTFUL)
def test_doubt(source, translation, remark):
    """A model's remark in place of a translation is detected."""
    assert doubt(source, translation) == remark


PLAUSIBLE = [
    ("OK", "Einverstanden"),
    ("Entschuldigung, ich kann nicht kommen.", "I'm sorry, I can't come."),
    ("Als KI kann ich das nicht.", "As an AI I can't do that."),
    ('{"a": "b"}', '{"a": "c"}'),
    ("a\u202eb", "c\u202ed"),
    ("Voici la traduction :", "Here is the translation:"),
    (SENTENCE, "敏捷的棕色狐狸整天一遍又一遍地跳过那只懒狗。"),
    (SENTENCE, "चतुर भूरी लोमड़ी आलसी कुत्ते के ऊपर से बार-बार, पूरे दिन कूदती रहती है।"),
    (SENTENCE, "မြန်ဆန်သော အညိုရောင်မြေခွေးသည် ပျင်းရိသောခွေးကို တစ်နေ့လုံး ထပ်ခါထပ်ခါ ခုန်ကျော်သည်။"),
    ("مرحبا", "\u200fHello\u200e"),
    ("👨‍👩‍👧 family", "👨‍👩‍👧 Familie"),
]


@each_row(PLAUSIBLE)
def test_doubt__none(source, translation):
    """Texts about such things, and short texts in languages with long words, may be translations."""
    assert doubt(source, translation) is None


@each_row(["I can", "as an ", "(note", "[", '{"', "\u202e", "a", "can't ", "?a", "Ã", "\u0301", "“"])
def test_doubt__linear(part):
    """A reply is checked in linear time, up to a megabyte."""
    assert grows_linearly(lambda size: doubt("Hi", part * size), 2_000)
    assert doubt("Hi", part * (1_000_000 // len(part)))
