"""Letters in a translation that neither its language nor its source has."""

import pytest

from stapel_agent.translation.entry import Entry
from stapel_agent.translation.existing_translations import review
from stapel_agent.translation.language.foreign_letters import other_letters
from tests.rows import each_row

SAVE = "Please save your changes at PayPal"
LOOKALIKES = "mixes letters of two alphabets that look alike"


@each_row([
    ("Bitte 确认 Sie Ihre E-Mail-Adresse", "de"), ("Bitte 保 Sie", "de"), ("Сохранить изменения吗？", "ru"),
    ("이메일 주소를 подтвердите 주세요", "ko"), ("이메일 주소를 カード 주세요", "ko"),
    ("Xóa vĩnh viễn các tệp 已选择", "vi"),
    ("メールアドレスを подтвердить", "ja"), ("メールアドレスを 확인", "ja"), ("保存カード", "zh"),
    ("保存 변경", "zh-Hans"),
    ("Enregistrez изменения", "fr"), ("שמור את изменения", "he"), ("احفظ שינויים", "ar"),
    ("บันทึก การ 确认", "th"), ("परिवर्तन সংরক্ষণ करें", "hi"), ("Guardar αλλαγές", "es"),
    ("Αποθήκευση изменений", "el"), ("Salvați изменения", "ro"), ("Сачувај промене 更改", "sr"),
    ("Sačuvaj промене na disku", "sr-Latn"), ("Zapisz ją의", "pl"),
])  # fmt: skip
def test_foreign_letters(translation, to):
    """Letters of a script that neither the language nor the source has are refused."""
    assert other_letters(SAVE, translation, to).endswith("letters, which neither the language nor the text has")
    assert other_letters(f"{SAVE} {translation}", translation, to) is None


@each_row([
    ("Bei PаyPаl anmelden", "de", "has Cyrillic letters, which neither the language nor the text has"),
    ("Bei PаyPal anmelden", "de", LOOKALIKES), ("Bei ΡayPal anmelden", "de", LOOKALIKES),
    ("Войти в PаyPal", "ru", LOOKALIKES), ("Сoхранить", "ru", LOOKALIKES), ("Cохранить", "ru", LOOKALIKES),
    ("Aρχείο", "el", LOOKALIKES),
])  # fmt: skip
def test_foreign_letters__lookalikes(translation, to, fault):
    """A word that only looks like one of a single alphabet is refused, unless the source has it."""
    assert other_letters(SAVE, translation, to) == fault
    assert other_letters(f"{SAVE} {translation}", translation, to) is None


@each_row([
    ("メールアドレスを確認してください。PayPal", "ja"), ("變更已儲存 ㄅㄆㄇ", "zh-Hant"), ("大韓民國 변경", "ko"),
    ("μTorrent, 5 μs", "de"), ("π ≈ 3,14; Ω; α und β; Δx", "fr"), ("[.μμμμμμ]", "bg"),
    ("SMSка, USBшный, iOSа и PayPal", "ru"), ("10 µm, 5 Å, 3 №", "de"), ("Сачувај PayPal", "sr"),
    ("Sačuvaj", "sr"), ("⟦1⟧а", "ru"), ("Ð, þ, ß, ı, ə", "is"), ("א: Punkt", "de"), ("TNFα", "de"),
])  # fmt: skip
def test_foreign_letters__none(translation, to):
    """The scripts of the language, Latin, and single letters that are signs are accepted."""
    assert other_letters(SAVE, translation, to) is None


@pytest.mark.parametrize("source", ["Taste of 北京", "北京 keyboard", "A word of " * 300 + "北京"])
def test_foreign_letters__source(source):
    """Letters of the source's may be kept, but not others."""
    kept = "Geschmack von 北京 " * (1 + len(source) // 20)
    assert review(Entry(source), kept, "en", "de").fault == ""
    assert review(Entry(source), f"{kept} и вкус", "en", "de").fault.startswith("has Cyrillic letters")


@pytest.mark.any_database
@pytest.mark.django_db
def test_foreign_letters__glossary(scripted_model, facade):
    """A term of the glossary may have letters of another script."""
    scripted_model.script('{"1": "微信 öffnen"}')
    answer = facade.translate("en", "de", {"a": "Open WeChat"}, glossary={"WeChat": "微信"})
    assert answer["result"] == {"a": "微信 öffnen"}
