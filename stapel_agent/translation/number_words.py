"""Number words, and the units next to numbers, in common languages.

The stems come from CLDR's spell-out rules and unit names. A missing word costs one more question, not a translation.
"""

from __future__ import annotations

import re

NUMBER_WORDS = re.compile(
    r"""
    \b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w{3,7}teen|twenty|thirty|forty|fifty|sixty
      |seventy|eighty|ninety|hundred|thousand|million|billion|dozen|half|halves|quarter|third|double|twice|once|both
      |pair|single|first|second|noon|midnight|today|decade|century|fortnight|week|year)(?:s|th|ly)?\b
    | \b\w{0,20}(?:eins?|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|ßig|zig|hundert|tausend|million|halb
      |hälfte|dutzend|doppel|paar|mittag|mitternacht)\w{0,20}\b
    | \b(?:un[eao]?|deux|trois|quatre|cinq|sept|huit|neuf|dix|onze|douze|\w{3,9}ze|vingts?|trente|quarante|cinquante
      |soixante|cents?|mille|milliers?|moitié|demi\w*|douzaine|double|midi|minuit)\b
    | \b(?:dos|tres|cuatro|siete|ocho|nueve|diez|once|doce|veint\w*|treinta|cuarenta|cincuenta|sesenta|setenta|ochenta
      |noventa|cien\w*|doscient\w*|quinient\w*|mil|miles|millon\w*|mitad|medi[oa]|docena|doble|mediodía|medianoche)\b
    | \b(?:due|tre|quattro|cinque|sei|sette|otto|nove|dieci|undici|dodici|\w{3,9}dici|vent\w*|trent\w*|quarant\w*
      |cinquant\w*|sessant\w*|settant\w*|ottant\w*|novant\w*|cent\w*|duecent\w*|mila|milion\w*|metà|mezz\w*|dozzin\w*)\b
    | \b(?:dois|duas|três|quatro|oito|nove|dez|doze|vinte|trinta|quarenta|cinquenta|sessenta|setenta|oitenta|noventa
      |cem|cent\w*|duzent\w*|quinhent\w*|milh\w*|metade|meio|meia|dúzia|dobro)\b
    | \b(?:een|één|twee|drie|vijf|zes|zeven|negen|tien|twaalf|\w{3,9}tien|\w{2,12}tig|honderd\w*|duizend\w*|helft|half
      |dubbel\w*|dozijn)\b
    | \b(?:один|одн\w{1,3}|два|две|дв\w{2,6}|три|тр[ёе]\w{0,4}|четыр\w*|пят\w*|шест\w*|сем[ьи]\w*|восем\w*|девят\w*
      |десят\w*|\w{3,9}дцат\w*|сорок\w*|девяност\w*|сто|ста|двест\w*|\w{3,6}сот\w*|тысяч\w*|миллион\w*|полов\w*|полтор\w*
      |дюжин\w*|вдвое|дважды|полдень|полноч\w*)\b
    | \b(?:одна|дві|двох|чотир\w*|п['’]ят\w*|шіст\w*|сім\w*|вісім\w*|дев['’]ят\w*|тисяч\w*|мільйон\w*)\b
    | \b(?:jed[ne]\w*|dwa|dwie|dwóch|trz\w*|czter\w*|pię[ćt]\w*|sze[śs]\w*|siedem\w*|osiem\w*|dziewię\w*|dziesię\w*
      |\w{3,9}naście|sto|stu|dwieście|\w{3,7}set|tysią\w*|tysię\w*|milion\w*|poł[ao]w\w*|pół|tuzin\w*)\b
    | \b(?:bir|iki|üç|dört|beş|altı|yedi|sekiz|dokuz|on|yirmi|otuz|kırk|elli|altmış|yetmiş|seksen|doksan|yüz|bin|milyon
      |yarı\w*|düzine|çift)\b
    | [零〇一二三四五六七八九十百千万萬億亿两兩半双雙壱弐参]
    | [가-힣]{0,3}(?:하나|둘|셋|넷|다섯|여섯|일곱|여덟|아홉|열|스물|서른|백|천|만|억|절반)
    | واحد|اثن|ثلاث|أربع|خمس|ست|سبع|ثمان|تسع|عشر|مائ|مئ|ألف|نصف
    | אחד|אחת|שני|שתי|שלוש|ארבע|חמ|שש|שבע|שמונ|תשע|עשר|מאה|אלף|חצי
    | एक|दो|तीन|चार|पाँच|पांच|छह|सात|आठ|नौ|दस|सौ|हज़ार|हजार|लाख|करोड़|आधा
    | หนึ่ง|สอง|สาม|สี่|ห้า|หก|เจ็ด|แปด|เก้า|สิบ|ร้อย|พัน|หมื่น|ล้าน|ครึ่ง
    """,
    re.VERBOSE | re.IGNORECASE,
)

MAGNITUDES = re.compile(
    r"""[\s\u00a0\u202f-]{0,2}(?:
      (?:k|tsd|mio|mrd|mln|mld|mrd|bn|tn|(?-i:[MB])|lakh|crore|cr|тыс|млн|млрд|тис|tys|mil|mille|mila|mille|тысяч\w*|thousand
      |tausend|million\w*|milliard\w*|billion\w*|miliard\w*|milion\w*|millon\w*|miljoen\w*|miljard\w*|hundred|hundert|dozen
      |миллион\w*|миллиард\w*|мільйон\w*|milyon\w*|milyar\w*|bin)\b
      | [千万萬億亿백천만억]|लाख|करोड़|हज़ार|ألف|مليون|พัน|หมื่น|แสน|ล้าน)""",
    re.VERBOSE | re.IGNORECASE,
)
"""Words after a number that multiply it."""

COUNTED = re.compile(rf"\d(?:{MAGNITUDES.pattern})", re.VERBOSE | re.IGNORECASE)

HALF_DAY = re.compile(
    r"""\d\s?[ap]\.?\s?m\b|\b[ap]\.m\.|\bnoon\b|midnight|上午|下午|凌晨|晚上|早上|中午|午前|午後|오전|오후|صباح|مساء|\d\s?[صم]\b
      | بعد\ الظهر|पूर्वाह्न|अपराह्न|\bπ\.μ|\bμ\.μ|пополудни|утра|вечера|дня|ночи|πμ|μμ|sáng|chiều|tối|ÖÖ|ÖS|öğleden
      | de\ la\ (?:mañana|tarde|noche)|da\ (?:manhã|tarde|noite)|du\ (?:matin|soir)|de\ l['’]après-midi|del\ pomeriggio
      | morgens|abends|nachmittags|uhr\b|\d\s?[hч]\b|ヶ?時|点|點|시""",
    re.VERBOSE | re.IGNORECASE,
)
"""Marks the half of the day of an hour, or marks a number as an hour."""


def _unit_table() -> dict[str, str]:
    table: dict[str, str] = {}
    for dimension, units in UNIT_NAMES.items():
        for unit, names in units.items():
            table |= dict.fromkeys(names.lower().split(), f"{dimension}:{unit}")
    return table


UNIT_NAMES = {
    "money": {
        "EUR": "€ EUR euro euros евро євро ユーロ 欧元 歐元 유로 يورو",
        "$": "$",
        "USD": "USD dollar dollars доллар долларов доллара ドル 美元 달러",
        "CAD": "CAD",
        "AUD": "AUD",
        "GBP": "£ GBP pound pounds pfund livres libras фунтов ポンド 英镑",
        "JPY": "JPY 円 yen",
        "CNY": "CNY RMB 元 yuan",
        "CHF": "CHF franken",
        "RUB": "₽ RUB руб рублей рубля",
        "UAH": "₴ UAH грн",
        "INR": "₹ INR rupees",
        "PLN": "PLN zł złotych",
        "TRY": "₺ TRY",
        "KRW": "₩ KRW 원",
    },
    "length": {
        "mm": "mm мм",
        "cm": "cm см",
        "km": "km км kilometer kilometers kilometres kilometre kilómetros chilometri quilômetros километров",
        "mi": "mi mile miles meilen milles millas miglia мили миль",
        "ft": "ft feet foot fuß pieds pies piedi футов",
        "in": "inch inches zoll pouces pulgadas pollici дюймов",
    },
    "mass": {
        "mg": "mg мг",
        "kg": "kg кг kilogram kilograms kilogramm kilogrammes kilogramos килограмм",
        "lb": "lb lbs pounds pfund livres",
        "oz": "oz ounces unzen",
    },
    "speed": {"km/h": "km/h км/ч км/год kmh kph", "mph": "mph"},
    "temperature": {"C": "°c", "F": "°f"},
    "data": {
        "kB": "kb kib ko кб",
        "MB": "mb mib mo мб megabyte megabytes",
        "GB": "gb gib go гб gigabyte gigabytes",
        "TB": "tb tib to тб terabyte terabytes",
    },
    "share": {"%": "% percent prozent процентов", "‰": "‰"},
}
"""The spellings of each unit, by dimension and unit."""

DOLLARS = {"$", "USD", "CAD", "AUD"}
UNITS = _unit_table()
"""`dimension:unit`, by the spelling in lower case."""
