"""Code for a page, a template or a mail client in a translation of plain words."""

import re

from stapel_agent.translation.placeholders.injected_code import SCHEMES, injected
from tests.rows import each_row

RUN = [
    'x" autofocus onfocus="alert(1)', "x' onmouseover=alert(1) y='", "Hallo onclick = alert", 'x"><b', "<%= 7 * 7 %>",
    "[% 7 * 7 %]", "{* 7 * 7 *}", "^{7 * 7}", "<? echo 1", "{{7*7}}", "{% debug %}", "{# a #}", "${7*7}", "#{7*7}",
    "@{7*7}", "*{7*7}", "[[ x ]]", "$(rm)", "@(Model)", "#set($x = 1)", "#include('x')", "<#assign x=1>", "*|FNAME|*",
    "<script", "javascript:alert(1)", "JavaScript: alert(1)", "java\tscript:alert(1)", "&#106;avascript:alert(1)",
    "vbscript:x", "data:text/html,x", "data:;base64,x", "expression(1)", "');alert(1);//", '"; eval("x")',
    "x'+alert(1)+'", "'-alert(1)-'", "&quot;);alert(1);//", "\\x27);alert(1)//", "//evil.example/x",
    "\\\\evil.example\\x", "//localhost/x", "evil.example/x", "evil.example:8080/x", "пример.рф/x", "www.evil.zone",
    "tg://resolve?domain=evil", "whatsapp://send", "magnet:?xt=urn:btih:0", "evil.com", "evil.com.", "evil.de. Jetzt",
    "evil.com...", "a.b.c.d.e.f.g.evil.com", "evil.tech", "evil.zip", "evil.mov", "intent:x", "skype:x", "tg:resolve",
    "facetime:x", "bitcoin:1A2b", "ms-settings:x", "ms-appinstaller:?source=x", "chrome-extension:x",
    "ınline onclıck=x", "conſtructor.x", "10.0.0.1/x", "bit.ly/x", "t.co/x", "evil.de", "evil.tk", "shop.evil.ly",
    "пример.com", "exаmple.com", "xn--e1awd7f.com", "https:evil.com", "https:evilhost", "http:\\evil",
    "https:/evil.com", "ftp:evil.com", "file:/etc/passwd", "hxxp://evil", "evil%2ecom", "evil%252ecom", "evil。com",
    "evil․com", "evil｡com/x", "evil．com", "evil\u200b.com", "evil[.]com", "ｅｖｉｌ.com", "x@evil.example",
    "user [at] evil", "evil (dot) com", "mailto:x", "tel:+491", "⟦1⟧.evil.com", "⟦1⟧@evil.com", r"\u003cscript\u003e",
    r"\u{3c}script", r"\x3cscript", "%3Cscript", "%253Cscript", "&#60;img src=x", "&ltimg src=x", "&amp;lt;script",
    "&#x6a;avascript:x", "javascript&colon;x", "java&#10;script:x", "ｊａｖａｓｃｒｉｐｔ:x", "＜script＞",
    "＜img src=x＞", "𝐣avascript:x", "jav\u00adascript:x", "<svg/onload", "{{constructor.constructor('x')()}}",
    "&lbrace;&lbrace;x", r"\u007b\u007bx", "constructor.constructor(1)", "url('x')", "url(//x)", "url(javascript:1)",
    "[x](evil)", "![x](y)", "[x]: //evil", "[x]: https:y", "<|im_start|>", "@import 'x'",
]  # fmt: skip
FORMULAS = [
    '=HYPERLINK("x","y")', "=1+1", "=cmd", "+SUM(1,2)", "@SUM(1)", "-2+3+cmd|' /C calc'!A0", "＝1+1", "＝SUM(1)",
    "\t=1", "+cmd|' /C calc'!A0", '="x"', "-HYPERLINK(1)",
]  # fmt: skip


@each_row(RUN)
def test_injected(text):
    """Code and addresses are refused in a translation, unless the source has them."""
    assert injected("Read more about it", f"Mehr {text} davon")
    assert injected(f"Read {text} about it", f"Mehr {text} davon") is None


def test_injected__words_before_a_name():
    """Words between a quote and the name of an attribute that the source has may be translated."""
    assert injected('Use "x" with href=y', 'Nutze "x" mit href=y') is None


def test_injected__every_scheme():
    """Every scheme of the table is a whole name, as in RFC 3986, and is found."""
    assert [scheme for scheme in SCHEMES.split() if not re.fullmatch(r"[a-z][a-z0-9+.-]*[a-z0-9]", scheme)] == []
    assert [scheme for scheme in SCHEMES.split() if injected("Hello", f"Hallo {scheme}:x1") is None] == []


@each_row(FORMULAS)
def test_injected__formulas(text):
    """A spreadsheet formula at the beginning of a translation is refused, unless the source has it."""
    assert injected("Read more", f"{text} mehr")
    assert injected(f"{text} more", f"{text} mehr") is None


@each_row([
    "Data: 12 maggio", "A/B-Tests und/oder z. B. km/h", 'Er sagte "hallo" und ging.', "JavaScript : désactivé",
    "Preis ($) 5 (ca.)", "50 % von 100 %", "„Datei“ > „Öffnen“", "C# und F#", "usw./etc.", "online = verfügbar",
    "im Format [DD] [[HH:]MM:]ss", "die URL(Adresse)", "Fertig.Danach weiter", "Los cambios.\nSi desea seguir",
    "HTTP:n virhe ja HTTPS:ää", "HTTP-pyyntö ohjataan HTTPS:ään. Tällä", "„Wert“ und online = ja",
    "价格（美元）：５＝五", "请打开 Django。下一步", "＜開始＞キーを押す",
    "--regex ist nicht erlaubt", "-l und -d fehlen", "+ Neu (leer)", "Datei: Ablage.txt, z.B. d.h. usw.",
    "[⟦1⟧]: nieuwe waarde", "m.in. np. t.d. s.r.o.", "10.5 und 3.de Versuch", "100 % sicher, 25 %ige Lösung",
    "Konstruktor (constructor) fehlt", "⟦1⟧-Datei, ⟦1⟧/Tag, ⟦1⟧.Ende", "@alle: bitte lesen",
])  # fmt: skip
def test_injected__none(translation):
    """Prose with similar characters is accepted."""
    assert injected('He said "hello" and = online = available', translation) is None


@each_row([
    ("Version >= 5", 'Version >= 5 "> jetzt'), ("Set onload=x", 'Setze "a" onload=x'),
    ("Set style=x", 'Setze "a" style=x'), ('Set the "a" size=5', 'Setze "a" style=5'),
    ("Set size=5", 'Setze "a" type=5 und size=5'),
])  # fmt: skip
def test_injected__attributes(source, translation):
    """Signs and names that the source has in prose do not excuse other attributes, or those that do harm."""
    assert injected(source, translation) == "has an attribute that the text does not have"


@each_row([
    ("Sign in at example.com", "请登录example.com"), ("Visit WordPress.com.", "访问WordPress.com。"),
    ("Details: example.com", "詳細はexample.com"), ("Sign in to example.com", "כניסה ל-example.com"),
    ("Your gpodder.net account", "חשבון ה־gpodder.net שלך"), ("Log in with example.com", "تسجيل الدخول بexample.com"),
    ("We like gpodder.net. Gpodder.net is free.", "我们喜欢 gpodder.net。Gpodder.net 是免费的。"),
    ("The app. example.com is free.", "アプリ。example.com は無料です。"),
    ("Use a.com or b.net", "使用a.com。或者b.net 吧"),
    ("Go to example.com", "example.com으로 이동"),
    ("Use .NET apps", "使用.NET 应用"), ("Open www.a.com", "打开www.a.com"),
    ("请登录example.com。", "Sign in at example.com."), ("Read example.com/faq", "请看example.com/faq"),
    ("Share on example.com", "แชร์บนexample.com"),
])  # fmt: skip
def test_injected__joined(source, translation):
    """In scripts that write so, an address of the source may follow a word without a space, but no other one."""
    assert injected(source, translation) is None
    assert injected("Sign in", translation)


@each_row([
    "evil-example.com", "xn--example.com", "myexample.com", "аexample.com", "请登录evil.com", "请登录evil-example.com",
    "example.com看evil.net", "example.com。或者evil.net", "登录xn--abc.com", "evil.com으로", "evil.com。下一步",
    "ל-evil.com",
    "ל־evil.de", "免费。evil.net 是", "example.com.evil.com", "evil.中国.com", "中国.com", "оexample.com",
    "example.com/x", "请看example.com/x", "evil.example.com",
])  # fmt: skip
def test_injected__joined_others(translation):
    """A new address is found next to any letters, also if it ends like one of the source."""
    assert injected("Sign in at example.com", translation)


@each_row([
    ("&Filter", "Fi&lter"), ("IP Fi&ltering", "Fi&ltraggio IP"), ("&High", "A&lto"), ("&Height:", "A&ltezza:"),
    ("&Quotes", "Zi&quotate"), ("R&D = &High", "R&D = A&lto"),
])  # fmt: skip
def test_injected__accelerators(source, translation):
    """If the source has an accelerator, the letters after one are no character reference without a semicolon."""
    assert injected(source, translation) is None


@each_row([
    ("Filter", "Fi&lter"), ("&Read more", "&ltscript>a"), ("&Read more", "&ltscript src=x"), ("&Read", "&lt;script"),
    ("&Read", "&ltb &lti"), ("&nbsp;R&D", "&ltscript"), ("&Read", "&#60script"), ("&Read", "&L &javascript&colon;x"),
    ("&Read", "&amp;lt;script"), ("R&D", "&lt/script"), ("&Read", "java&Script:x"),
])  # fmt: skip
def test_injected__not_accelerators(source, translation):
    """More ampersands, signs of a tag, semicolons, or a source without an accelerator make it a reference."""
    assert injected(source, translation)
