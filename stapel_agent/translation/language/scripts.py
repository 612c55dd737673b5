"""Scripts: which letters a language is written with, and which ones a text has."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache

from babel.core import get_global

from stapel_agent.language_tags import bcp47

from .language_names import base

READ = 2000
"""Characters of a text that are read."""
MARK = re.compile(r"⟦[^⟧]{0,12}⟧|&#?\w{1,31};")
BASIC_LETTER = re.compile("[A-Za-z]")
NAMES = """
Adlm ADLAM, Arab ARABIC, Armn ARMENIAN, Beng BENGALI, Cans CANADIAN, Cher CHEROKEE, Cyrl CYRILLIC, Deva
DEVANAGARI, Ethi ETHIOPIC, Geor GEORGIAN, Grek GREEK, Gujr GUJARATI, Guru GURMUKHI, Hans CJK, Hant CJK, Hang
HANGUL, Hebr HEBREW, Jpan CJK, Khmr KHMER, Knda KANNADA, Kore HANGUL, Laoo LAO, Latn LATIN, Mlym MALAYALAM,
Mong MONGOLIAN, Mymr MYANMAR, Nkoo NKO, Orya ORIYA, Sinh SINHALA, Syrc SYRIAC, Taml TAMIL, Telu TELUGU, Tfng
TIFINAGH, Thaa THAANA, Thai THAI, Tibt TIBETAN
"""
"""The first word of the Unicode names of a script's letters, by its ISO 15924 code."""
NAME_OF = dict(pair.split() for pair in NAMES.split(","))
SAME_SCRIPT = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "FULLWIDTH": "LATIN", "HALFWIDTH": "CJK"}
IN_SEVERAL = """
az ban be ber bs cnr crh ff ha jv kab kk kok ks ku ky mn ms nan pa sa sat sd sh shi sr su tg tk tt ug uz vai zgh
"""
"""Languages that are written in several scripts. The script of a text is only known if the tag names it."""

PAIRS = """
这這 们們 个個 为為 说說 时時 会會 国國 来來 对對 过過 还還 样樣 开開 关關 问問 间間 现現 见見 觉覺 话話 语語
请請 让讓 认認 识識 设設 计計 论論 试試 误誤 读讀 调調 该該 详詳 谁誰 变變 边邊 进進 远遠 运運 连連 选選 适適
电電 脑腦 网網 络絡 线線 级級 组組 结結 给給 统統 继繼 续續 维維 缩縮 编編 码碼 错錯 钱錢 键鍵 链鏈 锁鎖 门門
闭閉 阅閱 长長 张張 场場 块塊 坏壞 处處 备備 头頭 实實 宽寬 导導 帮幫 库庫 应應 废廢 异異 录錄 态態 总總 战戰
户戶 扩擴 护護 报報 择擇 换換 据據 无無 显顯 术術 权權 条條 栏欄 标標 档檔 检檢 测測 浏瀏 滚滾 点點 热熱 爱愛
独獨 环環 画畫 监監 盘盤 确確 种種 称稱 类類 约約 经經 听聽 节節 获獲 补補 视視 览覽 规規 讯訊 证證 词詞 订訂
记記 许許 评評 质質 费費 资資 购購 贴貼 车車 转轉 载載 输輸 达達 验驗 鱼魚 马馬 龙龍 齐齊 账帳 业業 东東 严嚴
丽麗 义義 乐樂 书書 买買 亚亞 产產 亲親
"""
SIMPLIFIED, TRADITIONAL = (frozenset(pair[side] for pair in PAIRS.split()) for side in (0, 1))
"""Common characters of one of the two Chinese scripts that the other one never has."""
IN_TRADITIONAL = {"HK", "MO", "TW"}
IN_SIMPLIFIED = {"CN", "SG"}
CHINESE = {"Hans": ("Simplified", SIMPLIFIED, TRADITIONAL), "Hant": ("Traditional", TRADITIONAL, SIMPLIFIED)}
FEW = 2


@lru_cache(maxsize=256)
def script_of(tag: str) -> str | None:
    """Return the script of the language, as in the names of its letters. None if it may be in another one."""
    is_known = _code(tag) is not None or base(tag) not in IN_SEVERAL.split()
    return usual_script(tag) if is_known else None


def usual_script(tag: str) -> str | None:
    """Return the script that the tag names, or the one that the language is mostly written in."""
    likely = get_global("likely_subtags").get(base(tag), "").split("_")
    return NAME_OF.get(_code(tag) or "".join(likely[1:2]))


def has_script(text: str, script: str) -> bool:
    """Whether `text` has a letter of the script. Only the beginning of a long text is read."""
    plain = _without_marks(text[:READ])
    if script == "LATIN" and BASIC_LETTER.search(plain):
        return True
    letters = filter(str.isalpha, plain)
    return any(_script_of_letter(letter) == script for letter in letters)


def scripts_in(text: str) -> Counter[str]:
    """Count the letters of `text` by script. Only the beginning of a long text is read."""
    letters = Counter(filter(str.isalpha, _without_marks(text[:READ])))
    scripts = Counter[str]()
    for letter, times in letters.items():
        scripts[_script_of_letter(letter)] += times
    return scripts


def _without_marks(text: str) -> str:
    return MARK.sub("", text) if "⟦" in text or "&" in text else text


@lru_cache(maxsize=4096)
def _script_of_letter(letter: str) -> str:
    script = unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]
    return SAME_SCRIPT.get(script, script)


def other_chinese(text: str, tag: str) -> str | None:
    """Describe the wrong kind of Chinese characters in a text that should be in `tag`, or return None."""
    if base(tag) not in ("zh", "yue") or not (code := _chinese_code(tag)):
        return None
    name, own, others = CHINESE[code]
    found = set(text[:READ])
    return f"is not in {name} Chinese characters" if len(found & others) >= FEW and not found & own else None


def has_kana(text: str) -> bool:
    """Whether it has letters that only Japanese has."""
    return sum("\u3041" <= letter <= "\u3096" for letter in text[:READ]) >= FEW


def _chinese_code(tag: str) -> str | None:
    subtags = set(bcp47(tag).split("-")[1:])
    if subtags & {"Hant"} or (subtags & IN_TRADITIONAL and "Hans" not in subtags):
        return "Hant"
    return "Hans" if subtags & ({"Hans"} | IN_SIMPLIFIED) else None


def _code(tag: str) -> str | None:
    """The script that the tag names."""
    return next((part for part in bcp47(tag).split("-")[1:] if len(part) == 4 and part.isalpha()), None)
