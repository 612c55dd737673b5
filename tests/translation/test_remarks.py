"""What a model writes in place of a translation, or around one."""

import pytest

from stapel_agent.translation.remark_words import KINDS, LANGUAGES
from stapel_agent.translation.remarks import remark_in
from tests.rows import each_row

REFUSALS = [
    "I'm sorry, but I can't assist with that request.",
    "I can't help with that.",
    "I won't translate this.",
    "I'm not able to translate that text.",
    "As an AI, I cannot do this.",
    "As an AI language model, I have no feelings.",
    "I'm unable to help with that.",
    "I cannot fulfill this request.",
    "I am very sorry, this is beyond me.",
    "I apologize for the confusion.",
    "Sorry, this content cannot be translated.",
    "This text cannot be translated.",
    "Please provide the text you want translated.",
    "No translation needed.",
    "[No translation available]",
    "Translation not available",
    "Es tut mir leid, aber ich kann dabei nicht helfen.",
    "Ich kann diesen Text leider nicht übersetzen.",
    "Diese Anfrage kann ich nicht erfüllen.",
    "Als KI-Modell darf ich das nicht.",
    "Bitte geben Sie den zu übersetzenden Text an.",
    "Je suis désolé, mais je ne peux pas vous aider.",
    "Je ne peux pas traduire ce texte.",
    "Je ne suis pas en mesure de répondre à cette demande.",
    "Désolée, je ne peux pas faire cela.",
    "Veuillez fournir le texte à traduire.",
    "Lo siento, pero no puedo ayudar con eso.",
    "No puedo traducir este texto.",
    "Como modelo de lenguaje, no puedo hacerlo.",
    "Mi dispiace, non posso aiutarti con questa richiesta.",
    "Non posso tradurre questo testo.",
    "Come modello linguistico non posso farlo.",
    "Desculpe, não posso ajudar com isso.",
    "Não posso traduzir este texto.",
    "Sinto muito, mas não consigo atender a esse pedido.",
    "Het spijt me, maar ik kan daar niet mee helpen.",
    "Ik kan deze tekst niet vertalen.",
    "Jag är ledsen, men jag kan inte hjälpa till med det.",
    "Jag kan inte översätta denna text.",
    "Jeg beklager, men det kan jeg ikke hjælpe med.",
    "Jeg kan ikke oversætte denne tekst.",
    "Beklager, men jeg kan ikke hjelpe med det.",
    "Olen pahoillani, mutta en voi auttaa siinä.",
    "En voi kääntää tätä tekstiä.",
    "Anteeksi, mutta en pysty auttamaan tässä asiassa.",
    "Przepraszam, ale nie mogę w tym pomóc.",
    "Nie mogę przetłumaczyć tego tekstu.",
    "Omlouvám se, ale s tím nemohu pomoci.",
    "Tento text nemohu přeložit.",
    "Je mi líto, ale nemôžem vám s tým pomôcť.",
    "Prepáčte, ale s týmto nemôžem pomôcť.",
    "Извините, но я не могу помочь с этим.",
    "Я не могу перевести этот текст.",
    "К сожалению, я не могу выполнить этот запрос.",
    "Как языковая модель, я не могу этого сделать.",
    "Вибачте, але я не можу з цим допомогти.",
    "Я не можу перекласти цей текст.",
    "Съжалявам, но не мога да помогна с това.",
    "Не мога да преведа този текст.",
    "Žao mi je, ali ne mogu pomoći s tim.",
    "Ne mogu prevesti ovaj tekst.",
    "Жао ми је, али не могу да помогнем са тим.",
    "Oprostite, vendar pri tem ne morem pomagati.",
    "Žal mi je, tega ne morem storiti.",
    "Sajnálom, de ebben nem tudok segíteni.",
    "Nem tudom lefordítani ezt a szöveget.",
    "Îmi pare rău, dar nu pot să vă ajut cu asta.",
    "Nu pot traduce acest text.",
    "Λυπάμαι, αλλά δεν μπορώ να βοηθήσω με αυτό.",
    "Δεν μπορώ να μεταφράσω αυτό το κείμενο.",
    "Üzgünüm, ancak bu konuda yardımcı olamam.",
    "Bu metni çeviremem.",
    "عذراً، لا يمكنني المساعدة في ذلك.",
    "لا أستطيع ترجمة هذا النص.",
    "אני מצטער, אבל אני לא יכול לעזור בזה.",
    "איני יכול לתרגם את הטקסט הזה.",
    "متأسفم، اما نمی‌توانم در این مورد کمک کنم.",
    "نمی‌توانم این متن را ترجمه کنم.",
    "क्षमा करें, मैं इसमें मदद नहीं कर सकता।",
    "मैं इस पाठ का अनुवाद नहीं कर सकता।",
    "ขออภัย ฉันไม่สามารถช่วยเรื่องนี้ได้",
    "ฉันไม่สามารถแปลข้อความนี้ได้",
    "Xin lỗi, tôi không thể giúp bạn việc này.",
    "Tôi không thể dịch văn bản này.",
    "Maaf, saya tidak dapat membantu dengan hal itu.",
    "Saya tidak bisa menerjemahkan teks ini.",
    "Maaf, saya tidak boleh membantu permintaan itu.",
    "申し訳ありませんが、そのリクエストにはお応えできません。",
    "このテキストは翻訳できません。",
    "すみませんが、お手伝いできません。",
    "抱歉，我无法协助处理这个请求。",
    "我无法翻译这段文字。",
    "對不起，我無法協助您。",
    "作为一个AI语言模型，我不能这样做。",
    "죄송하지만 도와드릴 수 없습니다.",
    "이 텍스트를 번역할 수 없습니다.",
    "Vabandust, aga ma ei saa sellega aidata.",
    "Ma ei saa seda teksti tõlkida.",
    "Atvainojiet, bet es nevaru palīdzēt ar to.",
    "Es nevaru iztulkot šo tekstu.",
    "Atsiprašau, bet negaliu padėti su šiuo prašymu.",
    "Negaliu išversti šio teksto.",
    "Ho sento, però no puc ajudar amb això.",
    "No puc traduir aquest text.",
    "Sentímolo, pero non podo axudar con iso.",
    "Barkatu, baina ezin dizut horretan lagundu.",
    "দুঃখিত, আমি এতে সাহায্য করতে পারছি না।",
    "மன்னிக்கவும், என்னால் உதவ முடியாது.",
    "క్షమించండి, నేను దీనికి సహాయం చేయలేను.",
    "معذرت، میں اس میں مدد نہیں کر سکتا۔",
    "Samahani, siwezi kusaidia na hilo.",
    "Jammer, maar ek kan nie daarmee help nie.",
    "Því miður get ég ekki hjálpað við það.",
    "Më vjen keq, por nuk mund të ndihmoj me këtë.",
    "Жал ми е, но не можам да помогнам со тоа.",
    "Кешіріңіз, бұған көмектесе алмаймын.",
    "Bağışlayın, bu məsələdə kömək edə bilmərəm.",
    "Kechirasiz, bunda yordam bera olmayman.",
    "ბოდიში, ამაში დახმარება არ შემიძლია.",
    "Ներողություն, ես չեմ կարող օգնել դրանում։",
    "Paumanhin, hindi ko matutulungan iyon.",
    "Mae'n ddrwg gennyf, ni allaf helpu gyda hynny.",
    "Tá brón orm, ach ní féidir liom cabhrú leis sin.",
    "Pardonu, sed mi ne povas helpi pri tio.",
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
    "Daar kan ik je niet mee helpen.",
    "Das darf ich nicht übersetzen.",
    "Dit verzoek mag ik niet beantwoorden; ik kan geen hulp bieden.",
    "Zadejte prosím text, který chcete přeložit.",
    "Tento text nelze přeložit.",
    "Zde je překlad textu.",
    "Zadajte text, ktorý chcete preložiť.",
    "Tu je preklad textu.",
    "Tukaj je prevod.",
    "Vnesite besedilo, ki ga želite prevesti.",
    "Her er oversettelsen.",
    "Denne teksten kan ikke oversettes.",
    "Tässä on käännös.",
    "Hér er þýðingin.",
    "Ось переклад.",
    "Вот переведённый текст.",
    "Mana tarjimasi.",
    "นี่คือการแปลข้อความ",
    "Narito ang salin.",
    "هذه هي الترجمة.",
    "Berikut terjemahannya.",
]
AROUND = [
    "Here is the translation: {}", "Sure! Here's your translation: {}", "Translation: {}", "**Translation:** {}",
    "Hier ist die Übersetzung: {}", "Voici la traduction : {}", "Вот перевод: {}", "Перевод: {}", "以下是翻译：{}",
    "翻訳：{}", "번역: {}", "الترجمة: {}", "Ето превода: {}", "İşte çeviri: {}", "Bản dịch: {}", "ترجمه: {}",
    "अनुवाद: {}", "Prevod: {}", "Preložené: {}", "Přeloženo: {}", "Oversatt: {}", "Tässä käännös: {}",
    "Þýðing: {}", "การแปล: {}", "Tu je preklad: {}", "Tukaj je prevod: {}",
    "German: {}", "Deutsch: {}", "de: {}", "[German] : {}", "Output: {}", "Answer: {}", "Certainly! {}",
    "Of course: {}", "{} (Note: this is informal.)", "{} (Anmerkung: sehr frei)", "{} (Remarque : très libre)",
    "{}（注：意译）", "{} — Note: literal", "{} (Примечание: вольно)", "{} [translated from English]",
    "{} (literal translation)", "{} Hope this helps!", "{} Let me know if you need more.", "{} (I hope this is right.)",
    "{} /no_think", "```\n{}", "{}```", "{} <|im_end|>", "{} [END]", '"{}"', "“{}”", "„{}“", "«{}»", "« {} »", "'{}'",
    "`{}`", "**{}**", "*{}*", "「{}」",
]  # fmt: skip


@each_row(REFUSALS)
def test_remark_in__refusals(translation):
    """A refusal, an apology or a question of the model's own is detected, in any language, unless the source is one."""
    for source in ("Delete all messages", "Help", "Send the request"):
        assert remark_in(source, translation), source
    for source in (translation, "Es tut mir leid, das geht nicht. Das kann ich nicht für dich übersetzen."):
        assert remark_in(source, translation) is None, source


@each_row(AROUND)
def test_remark_in__around(form):
    """Labels, notes, pleasantries and quotation marks around a translation are detected."""
    assert remark_in("Delete all messages", form.format("Alle Nachrichten löschen"), "de")


def test_remark_in__around_quotes():
    """A translation in additional quotation marks is not the translation alone."""
    source = 'Open the settings and select "Sound", please'
    assert remark_in(source, '"Die Einstellungen öffnen und "Ton" wählen"', "de") == "is quoted, but the text is not"
    assert remark_in('Choose "Sound", then "Yes", please', '"Ton" wählen, dann "Ja"', "de") is None


@each_row(
    [
        ("Sorry, I can't do that.", "Es tut mir leid, das kann ich nicht tun.", "de"),
        ("I can't help you", "Je ne peux pas vous aider", "fr"),
        ("Unfortunately this is not possible", "Leider ist das nicht möglich", "de"),
        ("Could not send the search request", "无法发送搜索请求", "zh"),
        ("The requested key is not available", "要求されたキーが利用できません", "ja"),
        ("Translate this page", "Diese Seite übersetzen", "de"),
        ("Compile the program", "Přeložit program", "cs"),
        ("Money transfer", "Денежный перевод", "ru"),
        ("Switch accounts", "Przełącz konto", "pl"),
        ("Language: English", "Sprache: Englisch", "de"),
        ("German: hello", "Deutsch: hallo", "de"),
        ("Answer: yes", "Antwort: ja", "de"),
        ("See also (note: old)", "Siehe auch (Hinweis: alt)", "de"),
        ("Unexpected file size %d", "控制文件大小异常: %d", "zh"),
        ("Artificial intelligence", "Intelligenza artificiale", "it"),
        ("The model failed", "El modelo falló", "es"),
        ("Claro, vamos", "Sure, let's go", "en"),
        ("Ayuda no disponible: no puedo ayudar.", "Help is not available: I can't help with that.", "en"),
        ("%s and %s are exclusive", "„%s“ и „%s“ се искључују", "sr"),
        ("Edit subtitles", "تعديل الترجمة", "ar"),
        ("Closed captions", "ترجمة مغلقة", "ar"),
        ("Subtitle", "Terjemahan", "id"),
        ("Untertitel", "الترجمة", "ar"),
        ("Snoozed", "Preloženo", "sl"),
        ("Reschedule the appointment", "Přeložit schůzku", "cs"),
        ("Fold the paper", "Přeložte papír", "cs"),
        ("Postpone the meeting", "Preložiť stretnutie", "sk"),
        ("Deinterlace", "Odstrániť prekladanie", "sk"),
        ("Bank transfer", "Bankový prevod", "sk"),
        ("Gearbox", "Prevodovka", "sk"),
        ("built on %s", "übersetzt unter %s", "de"),
        ("Internationalized host name", "Nombre de equipo traducido", "es"),
        ("Build dependencies", "Fordítási függőségek", "hu"),
        ("Buildable ID", "Lefordítható azonosító", "hu"),
        ("Your build may be incomplete", "Bản dịch của bạn có thể chưa xong", "vi"),
        ("Transcodes", "පරිවර්තනය", "si"),
        ("The server is too old. Request an update.", "服务器版本过旧，无法支持请求。请更新。", "zh"),
        ("Disabled before your request", "在您的请求之前无法使用", "zh"),
        ("Missed timer", "Oversett tidtaker", "nb"),
        ("Overlooked messages", "Oversette meldinger", "nb"),
        ("Sharp bend", "Jyrkkä käännös", "fi"),
        ("Gear ratio", "Übersetzung", "de"),
        ("Important", "Þýðingarmikið", "is"),
        ("Crossbar", "Перекладина", "uk"),
        ("Payment sent", "Платёж переведён", "ru"),
        ("Résumé", "Tarjimai hol", "uz"),
        ("Mutation", "การแปลง", "th"),
        ("How can I help you today?", "Wie kann ich Ihnen heute helfen?", "de"),
        ("What may I do for you?", "Was darf ich für Sie tun?", "de"),
        ("How can I help you today?", "Waarmee kan ik je vandaag helpen?", "nl"),
        ("How can I help?", "Hoe kan ek help?", "af"),
        ("Of course, we can help", "Natürlich, wir können helfen", "de"),
        ("Sure! Let's go", "¡Claro! Vamos", "es"),
        ("Light, dark", "Claro, oscuro", "es"),
        ("Safe, fast", "Sicher, schnell", "de"),
        ("Yes, delete", "はい、削除する", "ja"),
        ("OK, continue", "好的，继续", "zh"),
        ("Natürlich, gleich", "Bien sûr, tout de suite", "fr"),
        ("Here is the list", "Hier ist die Liste: bitte", "de"),
        ("Let me know", "Lass es mich wissen", "de"),
        ("Please contact us", "N'hésitez pas à nous contacter", "fr"),
        ("Finally, an efficient blocker", "Конечно, ефикасен блокер", "mk"),
        ("Naturally, yes", "Naturalmente, sì", "it"),
        ("Clear all", "Alles klar, natürlich", "de"),
        ("Save", "Sicherstellen", "de"),
        ("“Hello”", "„Hallo“", "de"),
        ("New. Pickled cucumbers", "Nyt. Sure agurker", "da"),
        ("Pickled cucumbers", "Sure agurker", "da"),
        ("Help me", "Hilf mir", "de"),
        ("(draft)", "[draft]", "de"),
        ("Note: unsaved", "Примечание: не сохранено", "ru"),
        ("Note that it is unsaved", "Huomaa: tallentamatta", "fi"),
    ]
)
def test_remark_in__none(source, translation, to):
    """A source with such phrases, and words that only look like them, may be translated."""
    assert remark_in(source, translation, to) is None


def test_languages__lower_case():
    """The table has known kinds of phrases, in lower case, because it is compared with lower-case texts."""
    for words in LANGUAGES.values():
        assert {"sorry", "cannot", "act", "translate"} <= words.keys() <= set(KINDS)
        for phrases in words.values():
            assert phrases == [phrase.lower().replace("’", "'") for phrase in phrases]


@each_row(
    [
        ("Only 3 left in stock", "Dabei kann ich leider nicht helfen."),
        ("You too can win", "Ich kann Ihnen dabei nicht helfen."),
        ("Open until Friday", "Je ne peux pas vous aider avec cela."),
        ("Build your team", "Als KI-Sprachmodell habe ich keine Meinung."),
        ("Built for teams", "Diese Übersetzung wurde nicht angefordert."),
        ("Start a conversation", "Diese Übersetzung wurde nicht angefordert."),
        ("Gear up", "Diese Übersetzung wurde nicht angefordert."),
        ("A building block", "Ich kann Ihnen dabei nicht helfen."),
        ("Undo", "Ich kann Ihnen dabei nicht helfen."),
        ("Unlock your potential", "Ich kann Ihnen dabei nicht helfen."),
        ("Invite your team", "Ich kann Ihnen dabei nicht helfen."),
        ("Interesting", "Ich kann Ihnen dabei nicht helfen."),
    ]
)
def test_remark_in__common_words(source, translation):
    """Common words in a source excuse neither a refusal nor a remark on the model."""
    assert remark_in(source, translation)


@pytest.mark.parametrize("translation", ["de: Save", "de: Speichern", "Übersetzt: Save", "translated Save"])
def test_remark_in__label(translation):
    """A label before a text is a remark, whether the text after it is translated or not."""
    assert remark_in("Save", translation, "de") is not None
