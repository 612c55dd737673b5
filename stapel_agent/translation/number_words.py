"""Number words by language: a number may be written as a word, and a word as a number.

`small` has the words for 2 to 12, in this order, each with its ordinal and words such as "both" and "dozen"; `large`
has words in larger numbers, and words that stand for some number. Alternatives are separated by `|`, `*` stands for
any letters, and `_` for a blank. In a language that is not listed, any number may be written as a word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from .language_names import base


@dataclass(frozen=True, slots=True)
class NumberWords:
    """The number words of one language."""

    small: str
    large: str = ""


SMALL = range(2, 13)
DUALS = {"ar", "he", "iw", "mt", "sl"}
"""Languages whose nouns have a form for two."""

LANGUAGES: dict[str, NumberWords] = {
    "en": NumberWords(
        "two*|second*|both|binary|double*|twice|couple|pair*|half|halves three*|third*|triple* four*|quarter* five*"
        "|fifth* six* seven*|week* eight*|octal* nine*|ninth* ten|tens|tenth*|decimal* eleven* twelve*|twelfth*|dozen*"
        "|noon|midnight|year*",
        "*teen|*teenth twent*|thirt*|fort*|fift*|sixt*|sevent*|eight*|ninet* hundred*|thousand*|*illion*|hexadecimal*"
        "|hex dozen*|half|quarter*|hour*|day*|week*|fortnight|year*|decade*|century|noon|midnight|today",
    ),
    "de": NumberWords(
        "zwei*|zwo|beid*|doppel*|paar*|halb*|hälfte* drei*|dritt*|*drei vier* fünf* sechs* sieb*|woche* acht*"
        " neun* zehn* elf*|elft* zwölf*|dutzend*|mittag*|mitternacht*|jahr*",
        "*zehn*|*zig*|*ßig* *hundert*|*tausend*|*illion*|*illiard* halb*|hälfte|dutzend*|mittag*|mitternacht"
        "|*tag*|woche*|stunde*",
    ),
    "fr": NumberWords(
        "deux*|double*|second*|paire*|demi*|moitié trois* quatr*|quart* cinq* six* sept*|semaine* huit* neuf"
        "|neuv* dix* onz* douz*|midi|minuit|an|ans|année*",
        "*ze|*zaine*|vingt*|trent*|quarant*|cinquant*|soixant* cent*|mill*|*illion*|*illiard* demi*|moitié|midi"
        "|minuit|jour*",
    ),
    "es": NumberWords(
        "dos|segund*|ambos|ambas|doble*|par|pares|mitad|medi* tres|tercer* cuatro|cuart* cinco|quint* seis|sext*"
        " siete|séptim*|semana* ocho|octav* nueve|noven* diez|décim*|decena* once doce|docena*|mediodía"
        "|medianoche|año*",
        "trece|catorce|quince|dieci*|veint*|trein*|cuarent*|cincuent*|sesent*|setent*|ochent*|novent* cien*"
        "|*cient*|quinient*|mil|mile*|mill*|*illon* mitad|medi*|docena*|día*|hora*",
    ),
    "it": NumberWords(
        "due|second*|entramb*|doppi*|paio|mezz*|metà tre|terz* quattro|quart* cinque|quint* sei|sest* sette"
        "|settim* otto|ottav* nove|non* dieci|decim* undic* dodic*|dozzin*|mezzogiorno|mezzanotte|anno|anni",
        "*dici|vent*|trent*|quarant*|cinquant*|sessant*|settant*|ottant*|novant* cent*|*cento*|mill*|*mila|mil*"
        "|*illion*|*iliard* mezz*|metà|giorn*|or*",
    ),
    "pt": NumberWords(
        "dois|duas|segund*|ambos|ambas|dobr*|dupl*|par|metade|mei* três|terceir* quatro|quart* cinco|quint* seis"
        "|sext*|meia sete|sétim*|semana* oito|oitav* nove|non* dez|décim*|dezena* onze doze|dúzia*|meio-dia"
        "|meia-noite|ano|anos",
        "*ze|dezes*|deza*|dezo*|vint*|trint*|quarent*|cinquent*|sessent*|setent*|oitent*|novent* cem|cent*"
        "|duzent*|*cent*|quinhent*|mil|milh*|*ilh* metade|mei*|dia*|hora*",
    ),
    "ca": NumberWords(
        "dos|dues|segon*|ambd*|doble*|parell*|mig|mitja|meitat tres|tercer* quatre|quart* cinc|cinqu* sis|sis*"
        " set|set*|setman* vuit* nou|nov* deu|des* onz* dotz*|dotzen*|migdia|mitjanit|any*",
        "*ze|vint*|trent*|quarant*|cinquant*|seixant*|setant*|vuitant*|norant* cent*|mil*|dia|dies",
    ),
    "gl": NumberWords(
        "dous|dúas|segund*|ambos|dobre*|par|metade|medi* tres|terceir* catro|cuart* cinco|quint* seis|sext* sete"
        "|séptim*|semana* oito|oitav* nove|noven* dez|décim* once doce|ducia*|mediodía|medianoite|ano|anos",
        "*ce|vinte*|trint*|corent*|cincuent*|sesent*|setent*|oitent*|novent* cen*|mil*",
    ),
    "ro": NumberWords(
        "doi|două|doua|doilea|ambele|dubl*|jumăt* trei|treil*|treia patr* cinci* șas*|sase șapt*|săptămân* opt*"
        " nouă|noua zec* unsprezec* doisprezec*|douăsprezec*|duzin*|amiaz*|an|ani",
        "*sprezece|*zeci* sut*|o_sută|mi*|*ilio*|jumăt*",
    ),
    "nl": NumberWords(
        "twee*|beide*|dubbel*|paar|half|halve|helft drie*|derde* vier* vijf* zes* zeven*|week|weken acht* negen*"
        " tien* elf* twaalf*|dozijn|middag*|jaar|jaren",
        "*tien|*tig* honderd*|duizend*|*iljoen*|*iljard* half|halve|helft|dozijn|dag*|uur|uren",
    ),
    "sv": NumberWords(
        "två*|tva|båda|andra|dubbel*|par|halv*|hälften tre|tredje|tre* fyr*|fjärde* fem* sex*|sjätte sju*|vecka*"
        "|veckor åtta*|åttonde nio*|nionde tio*|tionde elva|elfte tolv*|dussin*|middag*|midnatt|år",
        "*ton|*tio* hundra*|tusen*|*iljon*|*iljard*|halv*|dag*|timm*",
    ),
    "da": NumberWords(
        "to|begge|anden|andet|dobbel*|par|halv* tre|tredje fire*|fjerde fem* seks*|sjette syv*|uge* otte* ni"
        "|niende ti|tiende ellev* tolv*|dusin*|middag*|midnat|år",
        "*ten|tyve*|tredive*|fyrre*|halvtreds*|tres*|halvfjerds*|firs*|halvfems* hundred*|tusind*|*illion*"
        "|*illiard*|halv*|dag*|time*",
    ),
    "no": NumberWords(
        "to|begge|andre|dobbel*|par|halv* tre|tredje fire*|fjerde fem* seks*|sjette sju*|syv*|uke* åtte* ni"
        "|niende ti|tiende ellev* tolv*|dusin*|middag*|midnatt|år",
        "*ten|tjue*|tretti*|førti*|femti*|seksti*|sytti*|åtti*|nitti* hundre*|tusen*|*illion*|*illiard*|halv*"
        "|dag*|time*",
    ),
    "is": NumberWords(
        "tve*|tvö|tvær|báð*|annar*|önnur|hálf* þr* fj* fimm* sex*|sjött* sjö*|vik* átt* ní* tí* ell* tólf*"
        "|hádegi*|miðnætti*|ár*",
        "*tán|*tíu* hundr*|þúsund*|milljón*|milljarð*",
    ),
    "fi": NumberWords(
        "kaksi*|kahd*|kaht*|kahte*|molem*|toinen|tois*|tupla*|pari*|puol* kolm* neljä*|neljän* viis*|viid*|viit*"
        " kuus*|kuud*|kuut* seitse*|seitsem*|viikko*|viiko* kahdeks* yhdeks* kymmen* yksitoista|yhde* kaksitoista"
        "|kahde*|tusin*|keskipäiv*|keskiyö*|vuo*",
        "*toista* *kymmen*|sata*|sada*|tuhat*|tuhan*|miljoon*|miljard*|puol*|päiv*|tunti*|tunni*",
    ),
    "et": NumberWords(
        "kaks*|kahe*|kaht*|mõlem*|teine|teis*|pool*|paar* kolm* neli*|nelja* viis|viie* kuus|kuue* seitse*|nädal*"
        " kaheksa* üheksa* kümme|kümne* üksteist* kaksteist*|tosin*|kesköö*|keskpäev*|aasta*",
        "*teist* *kümmend*|sada*|saja*|tuha*|miljon*|miljard*",
    ),
    "lv": NumberWords(
        "div*|otr*|abi|abas|pus* tr* četr*|ceturt* piec*|piekt* seš*|sest* septi*|nedēļ* astoņ*|astot* deviņ*"
        "|devīt* desmit* vienpadsmit* divpadsmit*|ducis|gad*",
        "*padsmit* *desmit*|simt*|tūksto*|miljon*|miljard*",
    ),
    "lt": NumberWords(
        "du|dvi*|dvej*|antr*|abu|abi|pus* tr* ketur*|ketvirt* penk* šeš* septyn*|septint*|savait* aštuon*|aštunt*"
        " devyn*|devint* dešimt* vienuolik* dvylik*|tuzin*|metai|metų",
        "*lika* *dešimt*|šimt*|tūkstan*|milijon*|milijard*",
    ),
    "pl": NumberWords(
        "dwa|dwie|dwo*|dwó*|dwu*|drug*|ob*|podwój*|par*|pół*|poł* trz*|trój*|troj* czter*|czwart* pię*|piąt* sze*"
        "|szó* siedm*|siedem*|siódm*|tydzień|tygod* osiem*|ośm*|ósm* dziewię*|dziewią* dziesię*|dziesią*"
        " jedenast* dwunast*|dwanaście|tuzin*|połudn*|północ*|rok*|lat",
        "*naśc*|*naście|*nast*|*dzieś*|*dziest* sto|stu|sta|set*|*set|*sta|tysi*|milion*|miliard*|pół*|poł*|dzień"
        "|dni|godz*",
    ),
    "cs": NumberWords(
        "dva|dvě|dvo*|druh*|oba|obě|dvoj*|pár*|půl*|polov* tři|tří*|tře*|troj* čtyř*|čtvr* pět*|pát* šest* sedm*"
        "|týd* osm* devět*|devát* deset*|desát* jedenáct* dvanáct*|tucet*|poledn*|půlnoc*|rok*|let",
        "*náct* *cet*|*desát*|sto|sta|stě|set|tisíc*|milion*|miliard*|půl*|den|dn*|hodin*",
    ),
    "sk": NumberWords(
        "dva|dve|dvo*|druh*|oba|obe|dvoj*|pár*|pol* tri*|tre*|troch|trom*|troj* štyr*|štvr* päť*|piat* šesť*|šiest*"
        " sedem*|siedm*|týžd* osem*|ôsm* deväť*|deviat* desať*|desiat* jedenásť* dvanásť*|tucet*|poludn*|polnoc*|rok*",
        "*násť* *dsať*|*desiat*|sto|sta|*sto|tisíc*|milión*|miliard*|pol*|deň|dn*|hodin*",
    ),
    "sl": NumberWords(
        "dva|dve|dve*|drug*|oba|obe|dvoj*|par*|pol* tri*|tre* štir*|četrt* pet* šest* sedem*|sedm*|ted* osem*"
        "|osm* devet* deset* enajst* dvanajst*|ducat*|poldne*|polnoč*|let*",
        "*najst* *deset*|sto|*sto|tisoč*|milijon*|milijard*|pol*",
    ),
    "hr": NumberWords(
        "dva|dvije|dve|dvo*|drug*|oba|obje|obe|par*|pol* tri|tre*|tro* četir*|četvr* pet* šest* sedam*|sedm*"
        "|tjed*|nedelj* osam*|osm* devet* deset* jedanaest* dvanaest*|tucet*|podne*|ponoć*|godin*",
        "*naest* *deset*|sto|*sto|stotin*|tisuć*|hiljad*|milijun*|milion*|milijard*|pol*",
    ),
    "ru": NumberWords(
        "два|две|дву*|двух*|двое*|двой*|втор*|оба|обе|обо*|пар*|пол* три|тр* четыр*|четв* пять*|пят* шест* сем*"
        "|семь*|недел* восем*|восьм* девят* десят* одиннадцат* двенадцат*|дюжин*|полдень|полдн*|полноч*|год*|лет",
        "*дцат* *десят*|сорок*|девян*|сто|ста|двест*|*ст*|*сот*|тысяч*|миллион*|миллиард*|пол*|ден*|дн*|час*",
    ),
    "uk": NumberWords(
        "два|дві|дво*|двох*|друг*|обидв*|пар*|пів*|полов* три|трь*|трет* чотир*|четв* п'ят* шіст*|шест*|шіс* сім*"
        "|сьом*|тиж* вісім*|восьм* дев'ят* десят* одинадцят* дванадцят*|дюжин*|полудень|полудн*|північ*|рік|рок*",
        "*дцят* *десят*|сорок*|сто|ста|двіст*|*ст*|*сот*|тисяч*|мільйон*|мільярд*|пів*|день|дн*|годин*",
    ),
    "bg": NumberWords(
        "два*|две*|втор*|двам*|двойн*|пол* три*|трет* четир*|четв* пет* шест* седем*|седм* осем*|осм* девет*"
        " десет* единадесет*|единайсет* дванадесет*|дванайсет*|дузин*|обяд*|полунощ*|годин*",
        "*надесет*|*найсет* *десет*|*йсет*|сто*|двеста|хиляд*|милион*|милиард*|пол*",
    ),
    "sr": NumberWords(
        "два|две|дво*|друг*|оба|обе|пар*|пол* три|тре*|тро* четир*|четвр* пет* шест* седам*|седм*|недељ* осам*"
        "|осм* девет* десет* једанаест* дванаест*|туцет*|подне*|поноћ*|годин*",
        "*наест* *десет*|сто|*сто|хиљад*|милион*|милијард*|пол*",
    ),
    "hu": NumberWords(
        "két*|kettő*|második*|mindkét*|dupla*|pár*|fél*|felét három*|harm*|hárm* négy*|negyed* öt* hat* hét*"
        "|hetedik*|hete* nyolc* kilenc* tíz*|tized* tizenegy* tizenk*|tucat*|dél*|éjfél*|év*",
        "tizen*|husz*|húsz*|harminc*|negyven*|ötven*|hatvan*|hetven*|nyolcvan*|kilencven* száz*|*száz*|ezer*"
        "|*ezer*|millió*|milliárd*|fél*",
    ),
    "el": NumberWords(
        "δύο|δυο|δεύτερ*|διπλ*|ζευγ*|μισ*|ήμισ* τρεις|τρία|τρι*|τρίτ* τέσσερ*|τεσσάρ*|τέταρτ* πέντε*|πέμπτ* έξι"
        "|έξ*|έκτ* επτά|εφτά|έβδομ*|εβδομάδ* οκτώ|οχτώ|όγδο* εννέα|εννιά|ένατ* δέκα*|δέκατ* έντεκα*|ενδέκατ*"
        " δώδεκα*|δωδέκατ*|ντουζίν*|μεσημέρι*|μεσάνυχτ*|έτ*|χρόν*",
        "*κοντα*|είκοσι*|τριάντα*|σαράντα*|πενήντα*|εξήντα*|εβδομήντα*|ογδόντα*|ενενήντα* εκατό*|*κόσι*|χίλι*"
        "|χιλιάδ*|εκατομμύρι*|δισεκ*|μισ*",
    ),
    "tr": NumberWords(
        "iki*|ikinci*|çift*|yarı* üç* dört*|çeyrek beş* altı* yedi*|hafta* sekiz* dokuz* on|onu* on_bir*|onbir*"
        " on_iki*|oniki*|düzine*|öğle*|gece_yarısı|yıl*",
        "on_*|yirmi*|otuz*|kırk*|elli*|altmış*|yetmiş*|seksen*|doksan*|yüz*|bin*|milyon*|milyar*|yarı*|düzine*"
        "|gün*|saat*",
    ),
    "ar": NumberWords(
        "اثن*|إثن*|اثنان|ثاني*|الثاني*|كلا|كلتا|نصف|مزدوج* ثلاث*|ثالث*|الثالث* أربع*|اربع*|رابع*|ربع خمس*|خامس*"
        " ست*|سادس* سبع*|سابع*|أسبوع* ثمان*|ثامن* تسع*|تاسع* عشر*|عاشر* أحد_عشر|إحدى_عشرة|حادي* اثن*|إثن*|ظهر*"
        "|منتصف|سنة|عام",
        "*عشر*|عشرون|عشرين|ثلاثين|*ون|*ين|مائ*|مئ*|ألف*|آلاف|مليون*|مليار*|نصف",
    ),
    "fa": NumberWords(
        "دو|دوم*|دومین|هر_دو|نصف|نیم* سه|سوم* چهار* پنج* شش*|ششم* هفت*|هفته* هشت* نه|نهم* ده|دهم* یازده* دوازده*"
        "|ظهر|نیمه*|سال*",
        "*ده|بیست*|سی|چهل*|پنجاه*|شصت*|هفتاد*|هشتاد*|نود*|صد*|*صد|هزار*|میلیون*|میلیارد*|نیم*",
    ),
    "he": NumberWords(
        "*שני*|*שתי*|*שתיים|*כפול*|*זוג*|*חצי*|*מחצית* *שלוש*|*שליש* *ארבע*|*רביע*|*רבע* *חמש*|*חמיש*|*חמישה *שש*"
        "|*שיש* *שבע*|*שביע*|*שבוע* *שמונ*|*שמינ* *תשע*|*תשיע* *עשר*|*עשיר* *אחת_עשרה|*אחד_עשר *שנים_עשר"
        "|*שתים_עשרה|*תריסר*|*צהריים*|*חצות*|*שנה",
        "*עשר*|עשרים|שלושים|*ים|מאה|מאות|מאתיים|אלף|אלפ*|מיליון*|מיליארד*|חצי",
    ),
    "id": NumberWords(
        "dua|kedua*|ganda|sepasang|setengah|separuh tiga|ketiga* empat|keempat*|perempat* lima|kelima* enam"
        "|keenam* tujuh|ketujuh*|minggu|pekan delapan|lapan|kedelapan* sembilan|kesembilan* sepuluh|kesepuluh*"
        " sebelas* dua_belas*|selusin|lusin|tengah*|tahun",
        "*belas|*puluh|puluh*|ratus*|seratus|ribu*|seribu|juta*|miliar*|triliun*|setengah",
    ),
    "vi": NumberWords(
        "hai|đôi|nửa|thứ_hai|cả_hai|nhì ba|thứ_ba bốn|tư năm sáu bảy|bẩy|tuần tám chín mười mười_một mười_hai|tá"
        "|trưa|nửa_đêm|năm",
        "mười*|mươi|trăm|nghìn|ngàn|triệu|tỷ|nửa",
    ),
    "hi": NumberWords(
        "दो*|दूसर*|दोन*|आध*|डबल तीन*|तीसर* चार*|चौथ* पाँच*|पांच* छह*|छः|छठ* सात*|सप्ताह|हफ़्त*|हफ्त* आठ* नौ* दस*"
        " ग्यारह* बारह*|दर्जन*|दोपहर|साल",
        "बीस|तीस|चालीस|पचास|साठ|सत्तर|अस्सी|नब्बे|सौ|हज़ार*|हजार*|लाख*|करोड़*|आध*|दर्जन*",
    ),
    "zh": NumberWords(
        "二|两|兩|双|雙|半 三 四 五 六 七|周|週 八 九 十 十一 十二|打|中午|正午|午夜|年",
        "[一二三四五六七八九十百千万萬亿億〇零半廿]",
    ),
    "ja": NumberWords(
        "二|両|双|半|ふた 三|みっ 四|よっ 五|いつ 六|むっ 七|なな|週 八|やっ 九|ここの 十|とお 十一 十二|正午|年",
        "[一二三四五六七八九十百千万億〇半]",
    ),
    "ko": NumberWords(
        "두|둘|이|양|쌍|반|절반 세|셋|삼 네|넷|사 다섯|오 여섯|육 일곱|칠|주 여덟|팔 아홉|구 열|십"
        " 열한|십일 열두|십이|정오|자정|년",
        "스물|서른|마흔|쉰|백|천|만|억|절반|반|십",
    ),
    "th": NumberWords(
        "สอง|คู่|ครึ่ง|ทั้งสอง สาม สี่ ห้า หก เจ็ด|สัปดาห์ แปด เก้า สิบ สิบเอ็ด สิบสอง|โหล|เที่ยง|ปี",
        "สิบ|ร้อย|พัน|หมื่น|แสน|ล้าน|ครึ่ง",
    ),
}
ALIASES = {"nb": "no", "nn": "no", "bs": "hr", "sh": "hr", "ms": "id", "iw": "he", "yue": "zh"}
FRACTIONS = re.compile(r"[½⅓⅔¼¾⅕-⅞①-⑳Ⅰ-ⅻ²³¹]|\b[IVXLC]{1,7}\b")
"""Numbers that are signs, or written in Roman numerals."""


def says(value: float, text: str, tag: str) -> bool:
    """Whether `text` in the language `tag` may have a word for the number."""
    if value <= 1 or FRACTIONS.search(text) or (value == SMALL.start and base(tag) in DUALS):
        return True
    pattern = _pattern(base(tag), int(value) if value in SMALL else 0)
    return pattern is None or pattern.search(text.lower().replace("’", "'")) is not None


@lru_cache(maxsize=1024)
def _pattern(language: str, value: int) -> re.Pattern[str] | None:
    """A pattern for words of the number, or of large numbers if it is 0. None if the language is not listed."""
    if language == "sr":
        both = [LANGUAGES["sr"], LANGUAGES["hr"]]
    elif words := LANGUAGES.get(ALIASES.get(language, language)):
        both = [words]
    else:
        return None
    columns = [words.small.split()[value - SMALL.start] if value else words.large for words in both]
    return re.compile("|".join(_word(word) for column in columns for word in re.split(r"[|\s]", column) if word))


def _word(word: str) -> str:
    if word.startswith("["):
        return word
    letters = re.escape(word.strip("*").replace("_", " "))
    if "\u0e00" <= letters[0] <= "\u0eff" or "\u1100" <= letters[0] <= "\ud7ff":
        return letters
    has_prefixes = word.startswith("*") or "\u0600" <= letters[0] <= "\u06ff"
    return ("" if has_prefixes else r"(?<!\w)") + letters + ("" if word.endswith("*") else r"(?!\w)")
