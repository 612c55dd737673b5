"""What a model says in place of a translation, in its own or in any other language.

An entry of LANGUAGES has the words of one language, in lower case: alternatives are separated by ` / `, and `*` stands
for any ending. A missing word lets one remark pass; a wrong one costs a question. Words that a text of another subject
may have (Russian `перевод` is also a money transfer) are left out of `translate`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language: an apology, "I cannot", what a model cannot do, to translate, "as an AI"."""

    sorry: str
    cannot: str
    act: str
    translate: str
    model: str = ""


LANGUAGES: dict[str, Words] = {
    "en": Words(
        "sorry / i apologi* / my apologies / unfortunately / i regret / i'm afraid",
        "i can't / i cannot / i can not / i won't / i will not / i'm unable / i am unable / i'm not able "
        "/ i am not able / i'm not allowed / i must decline / i don't understand",
        "translat* / assist* / comply / fulfil* / help* / do that / do this / request* / provide",
        "translat*",
        "as an ai / i am an ai / i'm an ai / language model / as an artificial intelligence",
    ),
    "de": Words(
        "es tut mir leid / tut mir leid / entschuldig* / leider / verzeihung / ich bedaure / sorry",
        "ich kann / kann ich / ich darf / darf ich / ich bin nicht in der lage / ich verstehe nicht",
        "übersetz* / helf* / erfüll* / unterstütz* / anfrage / behilflich / tun / beantworten",
        "übersetz*",
        "als ki / als ai / sprachmodell / ich bin eine ki",
    ),
    "fr": Words(
        "désolé* / je suis désolé* / navré* / je m'excuse / malheureusement / excusez-moi / je regrette",
        "je ne peux / je ne suis / je ne saurais / je n'ai pas le droit / je ne comprends pas",
        "tradui* / aide* / répondre / demande / faire / fournir",
        "tradui* / traduction*",
        "en tant qu'ia / en tant que modèle / modèle de langage / intelligence artificielle",
    ),
    "es": Words(
        "lo siento / perdón / perdona / disculp* / lamento / lamentablemente / lo lamento / desafortunadamente",
        "no puedo / no podemos / no me es posible / no soy capaz / no estoy en condiciones / no entiendo",
        "traduc* / traduzc* / ayud* / cumplir / solicitud / petición / hacer / asist*",
        "traduc* / traduzc*",
        "como ia / como modelo de lenguaje / modelo de lenguaje / como una ia",
    ),
    "it": Words(
        "mi dispiace / scus* / purtroppo / spiacent* / sono spiacente",
        "non posso / non sono in grado / non mi è possibile / non riesco / non capisco",
        "tradu* / aiut* / richiesta / soddisf* / farlo / assist*",
        "tradurre / traduzion* / tradott* / traduc*",
        "come ia / modello linguistico / intelligenza artificiale",
    ),
    "pt": Words(
        "desculp* / lamento / sinto muito / infelizmente / peço desculpa*",
        "não posso / não consigo / não me é possível / não sou capaz / não entendo",
        "traduz* / traduç* / ajud* / pedido / solicitação / fazer / atender / auxiliar",
        "traduz* / tradução / traduções / tradutor*",
        "como ia / modelo de linguagem / como uma ia / inteligência artificial",
    ),
    "ca": Words(
        "ho sento / em sap greu / disculp* / malauradament / lamentablement",
        "no puc / no em és possible / no soc capaç",
        "tradu* / ajud* / sol·licitud / petició / fer",
        "traduir / traducci* / tradueix* / traduït*",
        "com a ia / model de llenguatge",
    ),
    "gl": Words(
        "sentímolo / síntoo / desculp* / lamento / lamentablemente",
        "non podo / non podemos / non me é posible",
        "traduc* / axud* / solicitude / petición / facer",
        "traducir / tradución* / traduce*",
        "como ia / modelo de linguaxe",
    ),
    "ro": Words(
        "îmi pare rău / scuze / scuz* / regret / din păcate / mă scuzați",
        "nu pot / nu sunt în măsură / nu îmi este posibil / nu înțeleg",
        "traduc* / ajut* / cerere* / solicitare* / face",
        "traduce* / traducere* / tradus*",
        "ca ia / model de limbaj / model lingvistic",
    ),
    "nl": Words(
        "het spijt me / sorry / helaas / excuses / mijn excuses",
        "ik kan / kan ik / ik mag / mag ik / ik ben niet in staat / ik begrijp",
        "vertal* / help* / verzoek / voldoen / doen / assist*",
        "vertal*",
        "als ai / taalmodel / als een ai",
    ),
    "af": Words(
        "jammer / ek is jammer / ongelukkig / verskoon my",
        "ek kan / kan ek / ek mag",
        "vertaal* / help / versoek / doen",
        "vertaal* / vertaling*",
        "as 'n ki / taalmodel",
    ),
    "sv": Words(
        "jag är ledsen / tyvärr / förlåt / jag beklagar / ursäkta",
        "jag kan inte / kan jag inte / jag får inte / jag är inte / jag förstår inte",
        "översätt* / hjälp* / begäran / uppfylla / göra / det",
        "översätt*",
        "som ai / språkmodell / som en ai",
    ),
    "da": Words(
        "jeg beklager / beklager / desværre / undskyld",
        "jeg kan ikke / kan jeg ikke / jeg må ikke / jeg er ikke i stand / jeg forstår ikke",
        "oversæt* / hjælp* / anmodning / opfylde / gøre / det",
        "oversæt*",
        "som ai / sprogmodel / som en ai",
    ),
    "no": Words(
        "jeg beklager / beklager / dessverre / unnskyld / eg beklagar / diverre / orsak",
        "jeg kan ikke / kan jeg ikke / jeg får ikke / jeg er ikke i stand / eg kan ikkje / kan eg ikkje",
        "oversett* / omset* / hjelp* / forespørsel* / oppfylle / gjøre / gjere / det",
        "oversett* / omsetjing*",
        "som ai / som ki / språkmodell / som en ai",
    ),
    "is": Words("því miður / fyrirgefðu / afsak*", "get ég ekki / ég get ekki", "þýð* / hjálp* / aðstoð*", "þýðing*"),
    "fi": Words(
        "olen pahoillani / pahoittelen / anteeksi / valitettavasti / valitan",
        "en voi / en pysty / en osaa / en saa / en ymmärrä",
        "kääntä* / käännä / auttaa / avustaa / pyyntö* / tehdä",
        "kääntää tätä / käännökse* / käännös",
        "tekoälynä / kielimallina / kielimalli / tekoälymalli*",
    ),
    "et": Words(
        "vabanda* / kahjuks / mul on kahju",
        "ma ei saa / ei saa ma / ma ei oska / ma ei tohi",
        "tõlki* / aidata",
        "tõlki*",
    ),
    "hu": Words(
        "sajnál* / elnézést / bocsán* / sajnos / bocsi",
        "nem tudok / nem tudom / nem áll módomban / nem segíthetek / nem vagyok képes / nem értem",
        "fordít* / lefordít* / segít* / kérés* / teljesít*",
        "fordítás* / lefordít*",
        "nyelvi modell* / mesterséges intelligencia* / mint ai",
    ),
    "lv": Words(
        "atvainoj* / diemžēl / piedod*",
        "es nevaru / nevaru / es nedrīkstu",
        "tulkot / iztulkot / palīdzēt",
        "tulkojum* / iztulkot",
    ),
    "lt": Words(
        "atsipraš* / deja / apgailestauju",
        "negaliu / aš negaliu / nesuprantu",
        "versti / išversti / padėti / prašym*",
        "išversti / vertimas / vertimą",
    ),
    "pl": Words(
        "przepraszam / przykro mi / niestety / wybacz",
        "nie mogę / nie jestem w stanie / nie potrafię / nie wolno mi / nie rozumiem",
        "tłumacz* / przetłumacz* / pomóc / pomaga* / prośb* / zrobić / spełnić",
        "tłumacz* / przetłumacz*",
        "jako ai / jako model językowy / model językowy / jako si",
    ),
    "cs": Words(
        "omlouvám se / bohužel / je mi líto / promiňte / prominte / lituji",
        "nemohu / nemůžu / nejsem schopen / nejsem schopna / nedokážu / nesmím / nerozumím",
        "překlad* / přelož* / překládat / pomoci / pomoct / vyhovět / požadav* / udělat",
        "překlad* / přelož*",
        "jako ai / jazykový model / jako umělá inteligence",
    ),
    "sk": Words(
        "prepáčte / ospravedlňujem sa / bohužiaľ / je mi ľúto / ľutujem / žiaľ",
        "nemôžem / nie som schopný / nedokážem / nesmiem / nerozumiem",
        "preklad* / prelož* / pomôcť / vyhovieť / požiadav* / urobiť",
        "preklad* / prelož*",
        "ako ai / jazykový model / ako umelá inteligencia",
    ),
    "sl": Words(
        "žal / žal mi je / oprostite / opravičujem se / na žalost",
        "ne morem / ne smem / nisem zmožen / ne razumem",
        "preve* / pomagati / pomoč* / zahtev* / storiti",
        "prevod* / prevesti / prevajan*",
        "kot ui / jezikovni model",
    ),
    "hr": Words(
        "žao mi je / oprostite / ispričavam se / izvinite / izvinjavam se / nažalost / na žalost",
        "ne mogu / ne smijem / ne smem / nisam u mogućnosti / ne razumijem",
        "preve* / pomoći / pomognem / pomognuti / zahtjev* / zahtev* / učiniti / uraditi",
        "prijevod* / prevesti ovaj / prevesti taj / prevođenj*",
        "kao ai / jezični model / jezički model / kao ui",
    ),
    "sr": Words(
        "жао ми је / извините / извињавам се / нажалост / опростите",
        "не могу / не смем / нисам у могућности / не разумем",
        "преве* / помогнем / помоћи / захтев* / учинити / урадити",
        "превођењ* / превести овај / превести тај",
        "као ai / језички модел",
    ),
    "mk": Words(
        "жал ми е / извинете / се извинувам / за жал",
        "не можам / не смеам",
        "преве* / помогнам / помош / барање*",
        "преведам*",
    ),
    "bg": Words(
        "съжаляв* / извинете / извинявай* / за съжаление",
        "не мога / не съм в състояние / не ми е позволено / не разбирам",
        "преве* / помогна / помощ / заявка* / изпълня / направя",
        "преведа / превежда*",
        "като ии / езиков модел / изкуствен интелект",
    ),
    "ru": Words(
        "извините / простите / к сожалению / мне жаль / прошу прощения / приношу извинения / сожалею",
        "я не могу / не могу / не могу я / я не в состоянии / я не способ* / я не умею / я не понимаю",
        "перевест* / перевод* / помочь / помога* / запрос* / просьб* / выполн* / сделать / ответить",
        "переведён* / перевести этот текст / перевод текста / вот перевод / переводчик*",
        "как ии / языковая модель / языковой модели / искусственн* интеллект*",
    ),
    "uk": Words(
        "вибачте / на жаль / перепрошую / пробачте / мені шкода / прошу вибачення",
        "я не можу / не можу / я не в змозі / я не розумію",
        "перекла* / допомог* / запит* / викона* / зробити",
        "переклад* / переклас* / перекладач*",
        "як ші / мовна модель / штучн* інтелект*",
    ),
    "be": Words(
        "прабачце / на жаль / выбачайце",
        "я не магу / не магу",
        "перакла* / дапамаг* / запыт*",
        "пераклад* / перакласці",
    ),
    "el": Words(
        "λυπάμαι / συγγνώμη / συγνώμη / με συγχωρείτε / δυστυχώς / ζητώ συγγνώμη",
        "δεν μπορώ / δεν είμαι σε θέση / αδυνατώ / δεν επιτρέπεται να / δεν καταλαβαίνω",
        "μεταφρά* / βοηθή* / αίτημα / κάνω / εξυπηρετ*",
        "μεταφρά* / μετάφρασ*",
        "ως ai / γλωσσικό μοντέλο / τεχνητή νοημοσύνη / ως τεχνητή",
    ),
    "tr": Words(
        "üzgünüm / özür dilerim / maalesef / ne yazık ki / kusura bakma*",
        "yapamam / edemem / çeviremem / olamam / yapamıyorum / edemiyorum / çeviremiyorum / olamıyorum / veremem",
        "çevir* / yardım* / istek* / istem* / bunu / yerine getir* / destek*",
        "çeviri / çevirisi / çevirisini / çeviremem / çevrilemez / tercüme*",
        "bir yapay zeka olarak / yapay zeka / dil modeli",
    ),
    "az": Words(
        "bağışlayın / üzr istəyirəm / təəssüf*", "bilmərəm / bilmirəm / edə bilm*", "kömək / tərcümə*", "tərcümə*"
    ),
    "kk": Words("кешіріңіз / өкінішке", "алмаймын / мүмкін емес", "көмектес* / аудар*", "аударма*"),
    "uz": Words("kechirasiz / uzr / afsuski", "olmayman / qila olmayman", "yordam / tarjima*", "tarjima*"),
    "ar": Words(
        "عذر / عذرا / عذراً / آسف / أعتذر / للأسف / معذرة / نأسف",
        "لا أستطيع / لا يمكنني / لا أقدر / لن أتمكن / لست قادر / لا يسعني / لا أفهم",
        "ترجم* / مساعد* / المساعدة / أساعد* / طلب* / القيام / تلبية",
        "ترجمة / الترجمة / ترجمت* / بترجمة / مترجم*",
        "كنموذج لغ / نموذج لغوي / ذكاء اصطناعي / كذكاء",
    ),
    "fa": Words(
        "متأسفم / متاسفم / ببخشید / متأسفانه / متاسفانه / پوزش / عذر می",
        "نمی\u200cتوانم / نمیتوانم / نمی توانم / قادر نیستم",
        "ترجمه / کمک / درخواست / انجام",
        "ترجمه",
        "مدل زبانی / هوش مصنوعی",
    ),
    "ur": Words(
        "معذرت / معاف / افسوس / معافی", "نہیں کر سکت / نہیں کر سکتا / قاصر ہوں", "مدد / ترجمہ / درخواست", "ترجمہ"
    ),
    "he": Words(
        "מצטער / סליחה / אני מצטער / אני מצטערת / מתנצל / לצערי",
        "אני לא יכול / איני יכול / אינני יכול / לא אוכל / אין באפשרותי / איני מסוגל",
        "לתרגם / תרגום / לעזור / לסייע / בקשה / לבצע / לעשות",
        "תרגום / לתרגם / התרגום / תרגומ",
        "כמודל שפה / מודל שפה / בינה מלאכותית",
    ),
    "hi": Words(
        "क्षमा / माफ / माफ़ / मुझे खेद / खेद है / दुर्भाग्य",
        "नहीं कर सक / नहीं दे सक / असमर्थ हूँ / असमर्थ हूं / सक्षम नहीं हूँ",
        "अनुवाद / मदद / सहायता / अनुरोध / यह",
        "अनुवाद",
        "एआई के रूप / भाषा मॉडल / कृत्रिम बुद्धि",
    ),
    "mr": Words("क्षमस्व / माफ करा / दिलगीर", "करू शकत नाही", "भाषांतर / मदत / अनुवाद", "भाषांतर"),
    "bn": Words("দুঃখিত / ক্ষমা / মাফ", "পারছি না / পারব না / পারি না / অক্ষম", "সাহায্য / অনুবাদ / অনুরোধ", "অনুবাদ"),
    "gu": Words("માફ / ક્ષમા / દિલગીર", "કરી શકતો નથી / શકતી નથી / શકતો નથી", "મદદ / અનુવાદ", "અનુવાદ / ભાષાંતર"),
    "pa": Words("ਮਾਫ਼ / ਮੁਆਫ਼ / ਅਫ਼ਸੋਸ", "ਨਹੀਂ ਕਰ ਸਕ", "ਮਦਦ / ਅਨੁਵਾਦ", "ਅਨੁਵਾਦ"),
    "ta": Words("மன்னிக்க / வருந்து / மன்னிப்பு", "முடியாது / இயலாது", "உதவ / மொழிபெயர்", "மொழிபெயர்"),
    "te": Words("క్షమించ / మన్నించ / విచారి", "చేయలేను / చెయ్యలేను / లేను", "సహాయ / అనువ", "అనువాద / అనువదిం"),
    "kn": Words("ಕ್ಷಮಿಸಿ / ವಿಷಾದ", "ಸಾಧ್ಯವಿಲ್ಲ / ಆಗುವುದಿಲ್ಲ", "ಸಹಾಯ / ಅನುವಾದ", "ಅನುವಾದ"),
    "ml": Words("ക്ഷമിക്ക / ഖേദി / മാപ്പ്", "കഴിയില്ല / സാധിക്കില്ല", "സഹായ / വിവർത്തന", "വിവർത്തന / പരിഭാഷ"),
    "si": Words("සමාවන්න / කනගාටු", "නොහැක / බැහැ", "උදව් / පරිවර්තන", "පරිවර්තනය"),
    "th": Words(
        "ขออภัย / ขอโทษ / เสียใจ",
        "ไม่สามารถ / ทำไม่ได้ / ไม่เข้าใจ",
        "แปล / ช่วย / คำขอ / ตอบ",
        "คำแปล / การแปล / แปลข้อความ / แปลเป็น",
        "ในฐานะ ai / ในฐานะปัญญา / โมเดลภาษา / แบบจำลองภาษา",
    ),
    "lo": Words("ຂໍອະໄພ / ຂໍໂທດ / ເສຍໃຈ", "ບໍ່ສາມາດ", "ຊ່ວຍ / ແປ", "ການແປ / ແປຂໍ້ຄວາມ"),
    "km": Words("សូមអភ័យទោស / សូមទោស / សុំទោស", "មិនអាច", "ជួយ / បកប្រែ", "បកប្រែ"),
    "my": Words("တောင်းပန် / ဝမ်းနည်း", "မနိုင်ပါ / မရပါ", "ကူညီ / ဘာသာပြန်", "ဘာသာပြန်"),
    "ka": Words(
        "ბოდიში / უკაცრავად / სამწუხაროდ / ვწუხვარ",
        "არ შემიძლია / ვერ შევძლებ / ვერ დაგეხმარებ*",
        "დახმარ* / თარგმ*",
        "თარგმან* / თარგმნ*",
    ),
    "hy": Words("ներողություն / ցավոք / ներեցեք", "չեմ կարող", "օգնել / թարգման*", "թարգման*"),
    "vi": Words(
        "xin lỗi / rất tiếc / tôi xin lỗi / thật tiếc",
        "tôi không thể / không thể giúp / tôi không được phép / tôi không hiểu",
        "dịch / giúp / hỗ trợ / yêu cầu / thực hiện / làm",
        "bản dịch / dịch văn bản / phiên dịch / dịch đoạn",
        "mô hình ngôn ngữ / trí tuệ nhân tạo / là một ai",
    ),
    "id": Words(
        "maaf / mohon maaf / sayangnya / saya minta maaf",
        "saya tidak bisa / saya tidak dapat / saya tidak boleh / tidak dapat membantu / saya tidak mengerti",
        "terjemah* / menerjemah* / bantu / membantu / permintaan / melakukan / memenuhi",
        "terjemah* / menerjemah* / menterjemah*",
        "sebagai ai / model bahasa / kecerdasan buatan",
    ),
    "tl": Words(
        "paumanhin / pasensya / ikinalulungkot",
        "hindi ko / hindi ako",
        "tulong / matutulungan / makakatulong / isalin / maisasalin",
        "pagsasalin / salin ng / isasalin",
    ),
    "sw": Words(
        "samahani / pole / nasikitika", "siwezi / sitaweza", "kusaidia / kutafsiri / ombi", "tafsiri / kutafsiri"
    ),
    "zh": Words(
        "抱歉 / 很抱歉 / 对不起 / 對不起 / 不好意思 / 遗憾 / 遺憾",
        "无法 / 無法 / 我不能 / 不能够 / 我没办法 / 我沒辦法 / 不能协助 / 不能協助",
        "翻译 / 翻譯 / 帮 / 幫 / 协助 / 協助 / 请求 / 請求 / 要求 / 满足 / 滿足 / 回答 / 提供",
        "翻译 / 翻譯 / 译文 / 譯文",
        "作为ai / 作為ai / 作为一个ai / 作为人工智能 / 作為人工智慧 / 语言模型 / 語言模型",
    ),
    "ja": Words(
        "申し訳 / すみません / ごめん / 残念ながら / 恐れ入り",
        "できません / できかねます / いたしかねます / かねます / わかりません",
        "翻訳 / 手伝 / お答え / お応え / 対応 / リクエスト / 依頼 / 支援",
        "翻訳 / 訳文",
        "aiとして / 言語モデル / 人工知能として",
    ),
    "ko": Words(
        "죄송 / 미안 / 유감 / 안타깝",
        "수 없습니다 / 수 없어요 / 수가 없 / 못합니다 / 못 합니다 / 어렵습니다",
        "번역 / 도와 / 도움 / 요청 / 수행 / 답변",
        "번역",
        "ai로서 / 언어 모델 / 인공지능으로",
    ),
    "eu": Words(
        "barkatu / sentitzen dut / zoritxarrez", "ezin dizut / ezin dut / ezin naiz", "lagundu / itzul*", "itzulpen*"
    ),
    "ga": Words(
        "tá brón orm / gabh mo leithscéal / ar an drochuair",
        "ní féidir liom / nílim in ann",
        "cabhrú / aistri*",
        "aistriúchán*",
    ),
    "cy": Words(
        "mae'n ddrwg / ymddiheur* / yn anffodus / sori",
        "ni allaf / dydw i ddim / alla i ddim",
        "helpu / cyfieith*",
        "cyfieith*",
    ),
    "sq": Words(
        "më vjen keq / na vjen keq / fatkeqësisht / më falni",
        "nuk mund / s'mund",
        "ndihmo* / përkthe*",
        "përkthe* / përkthim*",
    ),
    "eo": Words("pardonu / bedaŭrinde / mi bedaŭras", "mi ne povas / ne povas mi", "traduk* / helpi", "traduk*"),
    "mn": Words("уучлаарай / харамсалтай", "чадахгүй", "орчуул* / туслах", "орчуул*"),
}
