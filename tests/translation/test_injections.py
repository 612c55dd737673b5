"""What a page, a template or a mail client would run, in a translation of plain words."""

import pytest

from stapel_agent.translation.injections import injected

RUN = [
    'x" autofocus onfocus="alert(1)',
    "x' onmouseover=alert(1) y='",
    "Hallo onclick = alert",
    'x"><b',
    "<%= 7 * 7 %>",
    "<? echo 1",
    "{{7*7}}",
    "{% debug %}",
    "{# a #}",
    "${7*7}",
    "#{7*7}",
    "@{7*7}",
    "*{7*7}",
    "[[ x ]]",
    "$(rm)",
    "@(Model)",
    "#set($x = 1)",
    "#include('x')",
    "<#assign x=1>",
    "*|FNAME|*",
    "<script",
    "javascript:alert(1)",
    "JavaScript: alert(1)",
    "java\tscript:alert(1)",
    "&#106;avascript:alert(1)",
    "vbscript:x",
    "data:text/html,x",
    "data:;base64,x",
    "expression(1)",
    "//evil.example/x",
    "\\\\evil.example\\x",
    "//localhost/x",
    "evil.example/x",
    "evil.example:8080/x",
    "пример.рф/x",
    "evil.com",
    "10.0.0.1/x",
]


@pytest.mark.parametrize("text", RUN)
def test_injected(text):
    """What would run, or lead somewhere, is refused in a translation, and accepted where the source has it."""
    assert injected("Read more about it", f"Mehr {text} davon")
    assert injected(f"Read {text} about it", f"Mehr {text} davon") is None


@pytest.mark.parametrize(
    "translation",
    [
        "Data: 12 maggio",
        "A/B-Tests und/oder z. B. km/h",
        'Er sagte "hallo" und ging.',
        "JavaScript : désactivé",
        "Preis ($) 5 (ca.)",
        "50 % von 100 %",
        "„Datei“ > „Öffnen“",
        "C# und F#",
        "usw./etc.",
        "online = verfügbar",
        "im Format [DD] [[HH:]MM:]ss",
        "die URL(Adresse)",
    ],
)
def test_injected__none(translation):
    """Prose that has such signs is no injection."""
    assert injected('He said "hello" and = online = available', translation) is None
